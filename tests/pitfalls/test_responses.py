"""Pitfalls R1 to R10: the Responses format, Codex, and who answers whom."""

import json

import pytest

from addon import StreamTranslator, translate_request, translate_response
from addon.formats import FORMATS
from addon.rules import CallFacts, load_rules
from tests.support.chat_chunks import DONE, calling, chunk, piece
from tests.support.official import read_responses_stream
from tests.support.proxy import AGENT_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import data_of, plain_answer, text_frames

PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Change files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: hunk"},
}
TOOL = {"type": "function", "name": "ls", "parameters": {"type": "object"}}
NAMESPACE = {"type": "namespace", "name": "crm", "tools": [{**TOOL, "name": "find"}]}
ASKED = {"model": "gpt-6", "stream": True, "input": "go", "tools": [TOOL, PATCH, NAMESPACE]}
REQUEST = json.dumps(ASKED).encode()
ANSWER = (
    chunk({"role": "assistant", "reasoning_content": "Hm."})
    + chunk({"content": "Looking."})
    + calling(piece(0, "", name="ls", call_id="a"))
    + calling(piece(1, '{"input":"*** Beg', name="apply_patch", call_id="b"))
    + calling(piece(0, "{}"))
    + calling(piece(1, 'in"}'))
    + calling(piece(2, "{}", name="crm__find", call_id="c"))
    + chunk(finish="tool_calls")
    + DONE
)


def stream(source_stream, source="openai-chat", request=REQUEST):
    translator = StreamTranslator(source, "openai-responses", request)
    return translator.feed(source_stream) + translator.close()


def sent_for(asked, target, model, provider=None):
    body = json.dumps(asked).encode()
    return json.loads(translate_request(body, "openai-responses", target, model, provider).body)


@pytest.mark.parametrize(
    ("when", "facts"),
    [
        ("{model: 'claude-opus*'}", {"model": "claude-opus-4-6[1m]"}),
        ("{model: 'claude-*[1m]'}", {"model": "claude-opus-4-6[1m]"}),
        ("{model: '/\\[1m\\]$/'}", {"model": "claude-opus-4-6[1m]"}),
        ("{header: {x-phase: 'plan*'}}", {"headers": (("X-Phase", "planning"),)}),
        ("{agent: planner}", {"agent": "planner"}),
    ],
)
def test_r01_phases_are_told_by_what_the_user_sets(when, facts):
    """Marks that a client hides in its prompts move with each release, names and suffixes stay."""
    text = f"version: 1\nrules:\n  - {{name: r, when: {when}, use: block}}\n"
    rules = load_rules(text, "rules.yaml", {})
    decision = rules.decide(CallFacts(**{"model": "m", "endpoint": "chat"} | facts), "openai-chat")
    assert decision.action == "block"


@pytest.mark.parametrize("source", ["openai-chat", "anthropic"])
def test_r02_every_event_stands_in_its_place(source):
    """Codex fails at words without an item, and the SDK at anything out of order."""
    output = stream(ANSWER if source == "openai-chat" else b"".join(text_frames()), source)
    events = data_of(output)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] == "response.completed"
    opened, parts = {}, set()
    for event in events[2:-1]:
        index = event["output_index"]
        match event["type"].removeprefix("response."):
            case "output_item.added":
                assert index == len(opened)
                opened[index] = event["item"]["id"]
            case "content_part.added":
                parts.add(index)
            case "output_item.done":
                assert event["item"]["id"] == opened[index]
            case kind:
                assert event["item_id"] == opened[index]
                assert index in parts or not kind.startswith("output_text")
    read_responses_stream(output)


def test_r03_what_is_required_is_there():
    """Codex refuses an answer whose usage lacks a number, LangChain one without output."""
    final = data_of(stream(b"".join(text_frames()), "anthropic"))[-1]["response"]
    for name in ("id", "created_at", "model", "output", "parallel_tool_calls", "tools"):
        assert name in final
    counts = final["usage"]
    assert type(counts["input_tokens_details"]["cached_tokens"]) is int
    assert type(counts["output_tokens_details"]["reasoning_tokens"]) is int
    assert counts["total_tokens"] == counts["input_tokens"] + counts["output_tokens"]


def test_r04_free_text_tools_come_back_as_free_text():
    """A patch inside JSON is no patch: the agent answers 200 and nothing happens on disk."""
    events = data_of(stream(ANSWER))
    item = next(i for i in events[-1]["response"]["output"] if i["type"] == "custom_tool_call")
    assert (item["name"], item["input"], item["call_id"]) == ("apply_patch", "*** Begin", "b")
    deltas = [e["delta"] for e in events if e["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == "*** Begin"
    returned = {key: value for key, value in item.items() if key != "id"}
    result = {"type": "custom_tool_call_output", "call_id": "b", "output": "done"}
    again = {**ASKED, "input": [{"role": "user", "content": "go"}, returned, result]}
    sent = sent_for(again, "anthropic", "claude-opus-5-5")
    assert sent["messages"][1]["content"][0]["input"] == {"input": "*** Begin"}
    patch = next(tool for tool in sent["tools"] if tool["name"] == "apply_patch")
    assert "start: hunk" in patch["description"]


@pytest.mark.parametrize("target", ["openai-chat", "anthropic", "gemini"])
@pytest.mark.parametrize("kind", ["file_search", "image_generation", "computer_use_preview", "mcp"])
def test_r05_tools_that_a_provider_lacks_are_not_sent_to_it(kind, target):
    """A tool that the provider does not know is a 400; one left out must be named."""
    body = json.dumps({**ASKED, "tools": [TOOL, {"type": kind, "server_label": "s"}]}).encode()
    rendered = translate_request(body, "openai-responses", target)
    assert kind.encode() not in rendered.body
    assert f"tools.{kind}" in [loss.field for loss in rendered.losses]


def test_r05_tools_in_namespaces_keep_them():
    """Codex cannot route a call whose namespace is gone."""
    sent = translate_request(REQUEST, "openai-responses", "anthropic", "claude-opus-5-5")
    assert "crm__find" in [tool["name"] for tool in json.loads(sent.body)["tools"]]
    items = data_of(stream(ANSWER))[-1]["response"]["output"]
    call = next(item for item in items if item.get("call_id") == "c")
    assert (call["namespace"], call["name"]) == ("crm", "find")


def test_r06_thoughts_cross_the_bridge():
    """An agent that shows no thoughts seems to hang, and one that returns none forgets."""
    items = data_of(stream(ANSWER))[-1]["response"]["output"]
    assert items[0]["type"] == "reasoning"
    assert items[0]["summary"] == [{"type": "summary_text", "text": "Hm."}]
    history = [{"role": "user", "content": "go"}, *items[:2]]
    asked = {**ASKED, "input": history}
    sent = sent_for(asked, "openai-chat", "deepseek-v4-pro", "deepseek")
    assert sent["messages"][1]["reasoning_content"] == "Hm."


async def test_r07_a_list_of_models_is_never_a_provider_s_own():
    """An agent that gets another API's list of models cannot read it."""

    async def serve(exchange):
        await exchange.answer(b'{"data":[{"type":"model","id":"claude-x"}],"has_more":false}')

    key = {"authorization": f"Bearer {AGENT_KEY}"}
    async with (
        ScriptedServer(serve) as server,
        running_proxy(write_rules(server.url, default="block")) as proxy,
        proxy.client() as client,
    ):
        answer = await client.get("https://api.openai.com/v1/models", headers=key)
    if answer.status_code == 200:
        assert answer.json()["object"] == "list"
        assert all(model["object"] == "model" for model in answer.json()["data"])
    else:
        assert "error" in answer.json()
        assert server.exchanges == []


@pytest.mark.parametrize("target", FORMATS)
def test_r08_nothing_is_said_that_nobody_said(target):
    """Words that a proxy adds cost tokens, break caches and change answers."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Count to three."}]}
    model = {"anthropic": "claude-opus-5-5", "gemini": "gemini-3.8-flash"}.get(target, "gpt-4.1")
    rendered = translate_request(json.dumps(body).encode(), "openai-chat", target, model)
    said = list(texts(json.loads(rendered.body)))
    assert said == ["Count to three."]
    assert b"system" not in rendered.body
    assert b"instruction" not in rendered.body.lower()


def texts(value, key=""):
    """Every text that a model reads."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str) and key in ("text", "content", "input", "description"):
        yield value


@pytest.mark.parametrize(
    ("agent", "use", "native"),
    [
        ("anthropic", "deepseek:deepseek-v4-pro", "anthropic"),
        ("openai-chat", "deepseek:deepseek-v4-pro", "openai-chat"),
        ("openai-responses", "openai:gpt-5.5", "openai-responses"),
        ("openai-responses", "xai:grok-4.7", "openai-responses"),
    ],
)
def test_r09_a_provider_s_native_endpoint_is_used(agent, use, native):
    """What need not be translated cannot be translated wrongly."""
    environment = {"DEEPSEEK_API_KEY": "k", "OPENAI_API_KEY": "k", "XAI_API_KEY": "k"}
    text = f"version: 1\nrules:\n  - {{name: r, use: '{use}'}}\n"
    rules = load_rules(text, "rules.yaml", environment)
    decision = rules.decide(CallFacts(model="m", endpoint="chat"), agent)
    assert decision.destinations[0].format == native


@pytest.mark.parametrize("target", [name for name in FORMATS if name != "anthropic"])
@pytest.mark.parametrize("streamed", [False, True])
def test_r10_the_agent_sees_the_model_that_it_asked_for(target, streamed):
    """Agents compare the name, and count the price by it."""
    request = json.dumps({"model": "asked-for", "stream": streamed}).encode()
    if streamed:
        translator = StreamTranslator("anthropic", target, request)
        output = translator.feed(b"".join(text_frames())) + translator.close()
    else:
        _, _, output = translate_response(200, (), plain_answer(), "anthropic", target, request)
    if target != "gemini":  # which says it in the request line
        assert b"asked-for" in output
        assert b"claude" not in output
