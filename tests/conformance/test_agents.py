"""The suite's agents notice what breaks their format."""

import json
from typing import Any

import pytest

from addon.conformance.anthropic_agent import AnthropicAgent
from addon.conformance.chat_agent import ChatAgent
from addon.conformance.conversation import Misshapen, Question, UserTurn
from addon.conformance.events import Event, read_events
from addon.conformance.gemini_agent import GeminiAgent
from addon.conformance.responses_agent import ResponsesAgent
from addon.conformance.suite import AGENTS
from addon.embedded import EmbeddedProvider
from tests.support.provider import post

MODELS = ("gpt-4o", "gpt-5.5", "claude-haiku-5-5", "gemini-3.8-flash")
ALL = list(zip(AGENTS, MODELS, strict=True))
CALLING = '[[think Hm.]] [[say one two]] [[tool f {"a": "é"}]]'
TOOL: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}


async def stream_of(agent: Any, model: str, words: str) -> list[Event]:
    """Return the embedded provider's own stream, which no translation has touched."""
    call = agent.ask(Question([UserTurn(words)], thinks=agent.name != "openai-chat"), stream=True)
    body = {**call.body, "model": model}
    if agent.name == "gemini":
        del body["model"]
    async with EmbeddedProvider() as provider:
        path = call.url.split(".com", 1)[1]
        keys = {"x-goog-api-key": "key"} if agent.name == "gemini" else {}
        return read_events((await post(provider, body, path, keys)).content)


@pytest.mark.parametrize(("agent", "model"), ALL, ids=MODELS)
async def test_a_good_stream_is_understood(agent: Any, model: str) -> None:
    reply = agent.read_stream(await stream_of(agent, model, CALLING))
    assert (reply.text, reply.stop, reply.error) == ("one two", "tool_calls", None)
    assert [(call.name, call.arguments) for call in reply.calls] == [("f", {"a": "é"})]
    assert reply.output_tokens > 0


@pytest.mark.parametrize(("agent", "model"), ALL, ids=MODELS)
async def test_a_stream_has_one_end(agent: Any, model: str) -> None:
    events = await stream_of(agent, model, CALLING)
    for broken in (events[:-1], [*events, events[-1]]):
        with pytest.raises(Misshapen):
            agent.read_stream(broken)


@pytest.mark.parametrize(
    ("agent", "at", "change"),
    [
        (ResponsesAgent(), 3, {"sequence_number": 9}),
        (ResponsesAgent(), 4, {"output_index": 7}),
        (ResponsesAgent(), 4, {"item_id": "other"}),
        (AnthropicAgent(), 3, {"index": 5}),
        (AnthropicAgent(), 3, {"type": "strange"}),
        (ChatAgent(), 2, {"id": "other"}),
        (GeminiAgent(), 1, {"candidates": [{}, {}]}),
    ],
)
async def test_a_changed_event_is_noticed(agent: Any, at: int, change: dict[str, Any]) -> None:
    model = dict(zip((one.name for one in AGENTS), MODELS, strict=True))[agent.name]
    events = await stream_of(agent, model, "[[say one two three]]")
    events[at] = Event(events[at].name, {**events[at].data, **change})
    with pytest.raises(Misshapen):
        agent.read_stream(events)


def test_text_that_does_not_add_up_is_noticed() -> None:
    part = {"type": "output_text", "text": "ab", "annotations": []}
    item = {"type": "message", "id": "msg_1", "content": [part]}
    place = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place},
        {"type": "response.output_text.delta", **place, "delta": "a"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    events = [Event(one["type"], {**one, "sequence_number": at}) for at, one in enumerate(told)]
    with pytest.raises(Misshapen, match="the deltas are not the item's text"):
        ResponsesAgent().read_stream(events)


@pytest.mark.parametrize(
    "body", [b"data: 1", b"what\n\n", b"data: \xff\n\n"], ids=["unended", "unknown", "no UTF-8"]
)
def test_events_are_read_strictly(body: bytes) -> None:
    with pytest.raises(Misshapen):
        read_events(body)


def test_comments_and_line_ends_do_not_matter() -> None:
    value = json.dumps({"a": "\u2028"}, ensure_ascii=False)
    body = f": hi\r\nevent: x\rdata: {value}\r\n\r\n".encode()
    assert read_events(body) == [Event("x", {"a": "\u2028"})]
