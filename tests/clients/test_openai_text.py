"""The unmodified openai SDK: words, pictures, files, reasoning, structured output."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clients import Outcomes, RunningDetour

WORDS = ["Good ", "day ", "to ", "you"]
TEXT = "Good day to you"
PLAN = {
    "kind": "short",
    "steps": [{"title": "title", "minutes": 1, "done": True}],
    "remark": "remark",
}


@pytest.fixture(scope="module")
def claude(detour: RunningDetour) -> Outcomes:
    return detour.run("openai_text.py")


@pytest.fixture(scope="module")
def compatible(detour: RunningDetour) -> Outcomes:
    return detour.run("openai_text.py", "compatible")


@pytest.fixture(params=["claude", "compatible"])
def either(request: pytest.FixtureRequest) -> Outcomes:
    """The answers of both kinds of provider; the agent cannot tell them apart."""
    return request.getfixturevalue(request.param)


def blocks(outcomes: Outcomes, case: str) -> list[dict[str, Any]]:
    """Return the content that Claude got in the last message of a case."""
    (body,) = outcomes.bodies(case)
    content: list[dict[str, Any]] = body["messages"][-1]["content"]
    return content


def test_a_plain_answer(either: Outcomes) -> None:
    facts = either["create"]
    assert (facts["object"], facts["text"]) == ("chat.completion", TEXT)
    assert (facts["finish_reason"], facts["refusal"]) == ("stop", None)
    assert facts["id"].startswith("chatcmpl-")
    assert facts["request_id"].startswith("req_")
    usage = facts["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 2


def test_the_agent_is_told_the_model_it_asked_for(claude: Outcomes) -> None:
    assert claude["create"]["model"] == "gpt-5.1"
    assert claude.bodies("create")[0]["model"] == "claude-sonnet-5-5"


def test_a_stream_comes_in_pieces(either: Outcomes) -> None:
    facts = either["stream"]
    assert facts["pieces"] == WORDS
    assert (facts["finish_reasons"], facts["ids"], facts["usage"]) == (["stop"], 1, None)


def test_a_stream_brings_usage_when_asked(either: Outcomes) -> None:
    facts = either["stream_with_usage"]
    assert facts["pieces"] == WORDS
    assert facts["usage"]["completion_tokens"] > 1


def test_the_stream_helper_accumulates_the_answer(either: Outcomes) -> None:
    facts = either["stream_helper"]
    assert (facts["text"], facts["finish_reason"]) == (TEXT, "stop")
    assert facts["kinds"].count("content.delta") >= len(WORDS)
    assert facts["kinds"][-1] == "content.done"


@pytest.mark.parametrize("case", ["parse", "parse_stream"])
def test_structured_output_is_parsed(either: Outcomes, case: str) -> None:
    assert either[case] == {"parsed": True, "plan": PLAN}


def test_a_schema_reaches_claude_as_its_own_kind(claude: Outcomes) -> None:
    (body,) = claude.bodies("parse")
    schema = body["output_config"]["format"]["schema"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"kind", "steps", "remark"}


def test_json_without_a_schema(either: Outcomes) -> None:
    assert either["json_object"]["text"] == '{"a": 1}'


def test_images_and_files_are_seen(either: Outcomes) -> None:
    assert either["image_inline"]["text"] == "A pixel"
    assert either["image_address"]["text"] == "A cat"
    assert either["pdf"]["text"] == "An empty page"


def test_images_and_files_reach_claude_in_its_words(claude: Outcomes) -> None:
    text, image = blocks(claude, "image_inline")
    assert (text["type"], image["type"]) == ("text", "image")
    assert image["source"]["type"] == "base64"
    assert image["source"]["media_type"] == "image/png"
    assert image["source"]["data"].startswith("iVBORw0KGgo")
    image, text = blocks(claude, "image_address")
    assert image["source"] == {"type": "url", "url": "https://example.com/cat.png"}
    _, document = blocks(claude, "pdf")
    assert (document["type"], document["title"]) == ("document", "page.pdf")
    assert document["source"]["media_type"] == "application/pdf"


@pytest.mark.parametrize("case", ["instructions", "instructions_obeyed"])
def test_instructions_keep_their_place(either: Outcomes, case: str) -> None:
    assert either[case]["text"] == "Good day"


def test_instructions_reach_claude_as_the_model_obeys_them(claude: Outcomes) -> None:
    (body,) = claude.bodies("instructions")
    assert [block["text"] for block in body["system"]] == ["Be brief.", "Speak English."]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    late, _ = body["messages"][-1]["content"]
    assert late["text"] == "<system>\nFrom now on, be polite.\n</system>"
    (body,) = claude.bodies("instructions_obeyed")
    *_, said, late = body["messages"]
    assert (said["role"], late["role"]) == ("user", "system")


def test_instructions_reach_other_servers_under_the_one_name_they_know(
    compatible: Outcomes,
) -> None:
    (body,) = compatible.bodies("instructions")
    first, second, *rest = body["messages"]
    assert first == {"role": "system", "content": "Be brief.\n\nSpeak English."}
    assert second["role"] == "user"
    assert "developer" not in [message["role"] for message in rest]


def test_reasoning_is_asked_for_and_seen(either: Outcomes) -> None:
    assert (either["reasoning"]["thoughts"], either["reasoning"]["text"]) == ("Let me see", "42")
    streamed = either["reasoning_stream"]
    assert (streamed["thoughts"], streamed["pieces"]) == ("Let me see", ["42"])
    assert streamed["usage"]["completion_tokens_details"]["reasoning_tokens"] == 2


def test_effort_reaches_the_provider(claude: Outcomes, compatible: Outcomes) -> None:
    (body,) = claude.bodies("reasoning")
    assert body["output_config"]["effort"] == "high"
    assert body["thinking"]["display"] == "summarized"
    assert compatible.bodies("reasoning")[0]["reasoning_effort"] == "high"


def test_limits_and_stops_end_an_answer(either: Outcomes) -> None:
    limited, stopped = either["limit"], either["stop"]
    assert (limited["text"], limited["finish_reason"]) == ("one two thre", "length")
    assert (stopped["text"], stopped["finish_reason"]) == ("one two ", "stop")


def test_a_refusal_is_a_refusal(either: Outcomes) -> None:
    facts = either["refusal"]
    assert facts["finish_reason"] == "content_filter"
    assert facts["refusal"]


def test_a_compressed_stream_comes_in_pieces(either: Outcomes) -> None:
    assert either["compressed"]["pieces"] == WORDS


def test_nothing_of_the_agents_identity_reaches_another_provider(claude: Outcomes) -> None:
    (request,) = claude.requests("create")
    assert request.header("x-api-key") == "sk-provider-fedcba9876543210"
    names = {name for name, _ in request.headers}
    assert "authorization" not in names
    assert not {name for name in names if name.startswith(("x-stainless", "openai"))}
    assert not any("sk-agent" in value for _, value in request.headers)
