"""An agent that speaks Messages.

Page followed: https://platform.claude.com/docs/en/api/messages.
"""

from __future__ import annotations

import json
from typing import Any

from addon.conformance.agent import AGENT_KEY, Call, Feature, demand, field
from addon.conformance.conversation import Misshapen, Question, Reply, ToolCall, Turn, UserTurn
from addon.conformance.events import Event

_URL = "https://api.anthropic.com/v1/messages"
_STOPS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
}
_DELTAS = {
    "text": {"text_delta": "text"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
}


class AnthropicAgent:
    """Sends all blocks back as they came."""

    name = "anthropic"
    features: frozenset[Feature] = frozenset({"stop", "image_result", "keep_alive", "count"})

    def ask(self, question: Question, *, stream: bool) -> Call:
        """Write a request."""
        body = {**_body(question), "max_tokens": question.max_tokens}
        if question.stop:
            body["stop_sequences"] = [question.stop]
        if stream:
            body["stream"] = True
        return Call(_URL, _HEADERS, body)

    def count(self, question: Question) -> Call:
        """Write a request that counts tokens."""
        return Call(f"{_URL}/count_tokens", _HEADERS, _body(question))

    def read_count(self, body: Any) -> int:  # noqa: ANN401 - a decoded answer
        """Read the answer to it."""
        return field(body, "input_tokens")

    def read(self, body: Any) -> Reply:  # noqa: ANN401 - a decoded answer
        """Read a plain answer."""
        demand(field(body, "type") == "message", "`type` is not message")
        demand(field(body, "role") == "assistant", "`role` is not assistant")
        return _reply(field(body, "content"), field(body, "stop_reason"), field(body, "usage"))

    def read_stream(self, events: list[Event]) -> Reply:
        """Read a whole stream."""
        demand(events, "the stream is empty")
        blocks: list[dict[str, Any]] = []
        open_index: int | None = None
        usage: dict[str, Any] = {}
        stop: str | None = None
        for number, event in enumerate(events):
            kind = field(event.data, "type")
            demand(event.name == kind, f"event {event.name!r} carries {kind!r}")
            last = number == len(events) - 1
            in_order = (number == 0) == (kind == "message_start")
            demand(in_order or kind in ("error", "ping"), f"{kind} is out of place")
            match kind:
                case "message_start":
                    usage = dict(field(event.data, "message", "usage"))
                    demand(event.data["message"]["content"] == [], "a message starts with content")
                case "content_block_start":
                    demand(open_index is None and not stop, "a block starts within another")
                    open_index = field(event.data, "index")
                    demand(open_index == len(blocks), "block indexes are not dense")
                    blocks.append(dict(field(event.data, "content_block")))
                case "content_block_delta":
                    demand(field(event.data, "index") == open_index, "a delta of a closed block")
                    _add(blocks[-1], field(event.data, "delta"))
                case "content_block_stop":
                    demand(field(event.data, "index") == open_index, "a closed block stops")
                    open_index = None
                    _close(blocks[-1])
                case "message_delta":
                    demand(open_index is None, "a message ends within a block")
                    stop = field(event.data, "delta", "stop_reason")
                    usage |= {k: v for k, v in field(event.data, "usage").items() if v is not None}
                case "message_stop":
                    demand(last, "something follows message_stop")
                    demand(stop, "message_stop without a stop_reason")
                    return _reply(blocks, stop or "", usage)
                case "error":
                    demand(last, "something follows an error")
                    return Reply(error=self.read_error(event.data))
                case "ping":
                    pass
                case _:
                    raise Misshapen(f"an event that nobody knows: {kind}")
        raise Misshapen("the stream ends without message_stop and without an error")

    def read_error(self, body: Any) -> str:  # noqa: ANN401 - a decoded answer
        """Read an error answer."""
        demand(field(body, "type") == "error", "`type` is not error")
        demand(field(body, "error", "type"), "`error.type` is blank")
        return field(body, "error", "message")


_HEADERS = {"x-api-key": AGENT_KEY, "anthropic-version": "2023-06-01"}


def _body(question: Question) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "claude-opus-5", "messages": []}
    for turn in question.turns:
        body["messages"] += _messages(turn)
    if question.system:
        body["system"] = question.system
    if question.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
            for tool in question.tools
        ]
    if question.must_call:
        body["tool_choice"] = {"type": "any"}
    if question.schema:
        form = {"type": "json_schema", "schema": question.schema}
        body["output_config"] = {"format": form}
    if question.thinks:
        body["thinking"] = {"type": "adaptive", "display": "summarized"}
    return body


def _messages(turn: Turn) -> list[dict[str, Any]]:
    if isinstance(turn, Reply):
        return turn.native
    if isinstance(turn, UserTurn):
        content: list[dict[str, Any]] = []
        if turn.image:
            content.append({"type": "image", "source": _source("image/png", turn.image)})
        if turn.document:
            source = _source("application/pdf", turn.document)
            content.append({"type": "document", "source": source})
        return [{"role": "user", "content": [*content, {"type": "text", "text": turn.text}]}]
    results: list[dict[str, Any]] = []
    for result in turn:
        told: list[dict[str, Any]] = [{"type": "text", "text": result.text}]
        if result.image:
            told.append({"type": "image", "source": _source("image/png", result.image)})
        results.append({"type": "tool_result", "tool_use_id": result.call.id, "content": told})
    return [{"role": "user", "content": results}]


def _source(media_type: str, data: str) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": data}


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    name = _DELTAS.get(block["type"], {}).get(field(delta, "type"))
    if delta["type"] == "citations_delta":
        return
    demand(name, f"a {delta['type']} in a {block['type']} block")
    assert name
    block[name] = block.get(name, "") + field(delta, name)


def _close(block: dict[str, Any]) -> None:
    if block["type"] == "tool_use":
        demand(block["input"] == {}, "a call starts with its input")
        try:
            block["input"] = json.loads(block.pop("partial_json", "") or "{}")
        except ValueError:
            raise Misshapen("a call's input is not JSON") from None


def _reply(blocks: list[dict[str, Any]], stop: str, usage: dict[str, Any]) -> Reply:
    reply = Reply(stop=_STOPS.get(stop, stop))
    for block in blocks:
        match field(block, "type"):
            case "text":
                demand(block["text"], "a text block is blank")
                reply.text += block["text"]
            case "thinking":
                reply.thinking += field(block, "thinking")
                field(block, "signature")
            case "tool_use":
                demand(isinstance(field(block, "input"), dict), "a call's input is no object")
                reply.calls.append(ToolCall(field(block, "id"), block["name"], block["input"]))
            case _:
                pass
    demand(bool(reply.calls) == (stop == "tool_use"), f"{stop} and {len(reply.calls)} calls")
    cached = sum(usage.get(f"cache_{what}_input_tokens") or 0 for what in ("read", "creation"))
    reply.input_tokens = field(usage, "input_tokens") + cached
    reply.output_tokens = field(usage, "output_tokens")
    reply.native = [{"role": "assistant", "content": blocks}]
    return reply
