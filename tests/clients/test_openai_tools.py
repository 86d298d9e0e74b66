"""The unmodified openai SDK: tools, their results, and the functions of old."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clients import Outcomes, RunningDetour

BOTH = [("look_up", {"word": "é"}), ("write_file", {"path": "a"})]


@pytest.fixture(scope="module")
def claude(detour: RunningDetour) -> Outcomes:
    return detour.run("openai_tools.py")


@pytest.fixture(scope="module")
def compatible(detour: RunningDetour) -> Outcomes:
    return detour.run("openai_tools.py", "compatible")


@pytest.fixture(params=["claude", "compatible"])
def either(request: pytest.FixtureRequest) -> Outcomes:
    """The answers of both kinds of provider; the agent cannot tell them apart."""
    return request.getfixturevalue(request.param)


def calls(facts: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["arguments"]) for call in facts["calls"]]


def test_one_call(either: Outcomes) -> None:
    facts = either["single"]
    assert calls(facts) == [("write_file", {"path": "notes.txt", "content": "milk"})]
    assert (facts["text"], facts["finish_reason"]) == (None, "tool_calls")


def test_parallel_calls_beside_text(either: Outcomes) -> None:
    facts = either["parallel"]
    assert (calls(facts), facts["text"]) == (BOTH, "Both")
    assert len({call["id"] for call in facts["calls"]}) == 2


def test_parallel_calls_can_be_forbidden(either: Outcomes) -> None:
    assert calls(either["one_at_a_time"]) == [("look_up", {"word": "a"})]


def test_a_tool_without_parameters(either: Outcomes) -> None:
    assert calls(either["without_parameters"]) == [("ping", {})]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("forced", ["look_up"]),
        ("required", ["write_file"]),
        ("forbidden", []),
        ("forced_where_refused", ["write_file"]),
    ],
)
def test_tool_choice(either: Outcomes, case: str, expected: list[str]) -> None:
    assert [name for name, _ in calls(either[case])] == expected


def test_tool_choice_reaches_claude_as_far_as_the_model_obeys(claude: Outcomes) -> None:
    (forced,) = claude.bodies("forced")
    assert forced["tool_choice"] == {"type": "tool", "name": "look_up"}
    (refused,) = claude.bodies("forced_where_refused")
    assert refused.get("tool_choice", {"type": "auto"})["type"] == "auto"
    assert "write_file" in str(refused["messages"][-1]) + str(refused.get("system"))


def test_streamed_calls(either: Outcomes) -> None:
    facts = either["streamed"]
    assert (calls(facts), facts["text"]) == (BOTH, "Both")
    assert all(len(call["pieces"]) > 1 and call["id"] for call in facts["calls"])
    assert facts["finish_reasons"] == ["tool_calls"]


def test_the_helpers_parse_arguments(either: Outcomes) -> None:
    assert either["parsed"] == {"name": "Weather", "parsed": True}
    facts = either["stream_helper"]
    assert facts["done"] == [["Weather", True]]
    assert calls(facts) == [("Weather", {"city": "city", "days": 1})]


def test_results_go_back_until_the_answer(either: Outcomes) -> None:
    first, second, third = either["round_trip"]
    assert [name for name, _ in calls(first)] == ["look_up", "write_file"]
    assert [name for name, _ in calls(second)] == ["look_up"]
    assert (third["calls"], third["text"], third["finish_reason"]) == ([], "All is done", "stop")


def test_results_reach_claude_in_one_turn(claude: Outcomes) -> None:
    last = claude.bodies("round_trip")[1]
    asked, called, answered = last["messages"]
    assert (asked["role"], called["role"], answered["role"]) == ("user", "assistant", "user")
    uses = {block["id"]: block["name"] for block in called["content"]}
    results = {block["tool_use_id"]: block["content"] for block in answered["content"]}
    assert results.keys() == uses.keys()
    for identifier, content in results.items():
        words = content if isinstance(content, str) else content[0]["text"]
        assert words == f"{uses[identifier]} ran"


def test_a_model_that_thinks_goes_on_without_its_thoughts(either: Outcomes) -> None:
    first, second = either["thinking_round_trip"]
    assert [name for name, _ in calls(first)] == ["look_up"]
    assert second["text"] == "Done"


@pytest.mark.parametrize("case", ["result_in_parts", "result_without_tools"])
def test_histories_that_agents_put_together(either: Outcomes, case: str) -> None:
    assert either[case]["text"] == "I see"


def test_functions_of_old(either: Outcomes) -> None:
    facts = either["functions"]
    assert facts["call"]["name"] == "look_up"
    assert facts["call"]["arguments"].replace(" ", "") == '{"word":"a"}'
    assert (facts["tool_calls"], facts["finish_reason"]) == (None, "function_call")
    assert facts["text"] == "Done"
    streamed = either["functions_streamed"]
    assert (streamed["name"], streamed["arguments"]) == ("look_up", {"word": "a"})
    assert streamed["finish_reasons"] == ["function_call"]
