"""The script in Anthropic's words: one message, or its events.

Page followed: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from addon.embedded.anthropic.conversation import REDACTED_PREFIX
from addon.embedded.anthropic.models import Claude
from addon.embedded.identifiers import unique_name
from addon.embedded.prefix import InputUsage, blocks_of, chain, sign
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import EVENT_STREAM, Frame, Prompt, Script, Tool, pieces
from addon.wire.codec import encode
from addon.wire.sse import frame

type Event = dict[str, Any]

_FRAGMENT = 11
"""Characters in one piece of a tool's arguments."""


_CONTENT = ("text_delta", "input_json_delta")
_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
"""Chat's words, should a prompt use them."""


@dataclass(frozen=True)
class AnthropicAnswer:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    script: Script
    usage: InputUsage
    content: list[dict[str, Any]]
    """The finished content blocks."""
    identifier: str

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM

    def plain(self) -> dict[str, Any]:
        """Return the plain answer."""
        return {
            **self._head(),
            "content": self.content,
            "stop_reason": self._stop_reason(),
            "stop_sequence": self.script.stop_sequence,
            "stop_details": self._stop_details(),
            "usage": {**self._start_usage(), **self._final_usage()},
        }

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        for event in self._events():
            kind: str = event["type"]
            delta = event.get("delta", {}).get("type")
            yield Frame(frame(encode(event), kind.encode()), delta in _CONTENT)

    def broken_off(self, kind: str) -> bytes:
        """Write the event that ends a stream with an error."""
        message = kind.removesuffix("_error").replace("_", " ").capitalize()
        event = {"type": "error", "error": {"type": kind, "message": message}}
        return frame(encode(event), b"error")

    def _events(self) -> Iterator[Event]:
        start: dict[str, Any] = {
            **self._head(),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": {**self._start_usage(), "output_tokens": 1},
        }
        yield {"type": "message_start", "message": start}
        for index, block in enumerate(self.content):
            yield {
                "type": "content_block_start",
                "index": index,
                "content_block": _opening(block),
            }
            if index == 0:
                yield {"type": "ping"}
            for delta in self._deltas(block):
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        yield {
            "type": "message_delta",
            "delta": {
                "stop_reason": self._stop_reason(),
                "stop_sequence": self.script.stop_sequence,
                "stop_details": self._stop_details(),
            },
            "usage": self._final_usage(),
        }
        yield {"type": "message_stop"}

    def _head(self) -> dict[str, Any]:
        return {
            "model": self.request["model"],
            "id": self.identifier,
            "type": "message",
            "role": "assistant",
        }

    def _stop_reason(self) -> str:
        return _STOP_REASONS.get(self.script.stop, self.script.stop)

    def _stop_details(self) -> dict[str, Any] | None:
        if self._stop_reason() != "refusal":
            return None
        explanation = "This request was declined by the safety classifier."
        return {"type": "refusal", "category": "general_harms", "explanation": explanation}

    def _start_usage(self) -> dict[str, Any]:
        written = self.usage.written
        return {
            **self.usage.as_fields(),
            "cache_creation": {
                "ephemeral_5m_input_tokens": written,
                "ephemeral_1h_input_tokens": 0,
            },
            "service_tier": "standard",
        }

    def _final_usage(self) -> dict[str, Any]:
        return {
            **self.usage.as_fields(),
            "output_tokens": self.script.output_tokens,
            "output_tokens_details": {"thinking_tokens": self.script.thinking_tokens},
        }

    def _deltas(self, block: dict[str, Any]) -> Iterator[Event]:
        match block["type"]:
            case "text":
                for piece in pieces(block["text"], self.script.directives.events):
                    yield {"type": "text_delta", "text": piece}
            case "thinking":
                for piece in pieces(block["thinking"], None):
                    yield {"type": "thinking_delta", "thinking": piece}
                yield {"type": "signature_delta", "signature": block["signature"]}
            case "tool_use":
                arguments = json.dumps(block["input"], ensure_ascii=False)
                yield {"type": "input_json_delta", "partial_json": ""}
                if block["input"]:
                    for at in range(0, len(arguments), _FRAGMENT):
                        piece = arguments[at : at + _FRAGMENT]
                        yield {"type": "input_json_delta", "partial_json": piece}
            case _:
                pass


def _opening(block: dict[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""}
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case "tool_use":
            return {**block, "input": {}}
        case _:
            return block


def error_body(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Return the body of an error answer."""
    error: dict[str, Any] = {"type": refusal.kind, "message": str(refusal)}
    if refusal.code:
        error["details"] = {"error_code": refusal.code}
    return {"type": "error", "error": error, "request_id": request_id}


def read_prompt(request: dict[str, Any], model: Claude) -> Prompt:
    """Take out of a checked request what decides the answer."""
    messages = [message for message in request["messages"] if message["role"] != "system"]
    turns_since = 0
    text = ""
    last_is_result = False
    for position, message in enumerate(reversed(messages)):
        blocks = blocks_of(message["content"])
        if message["role"] == "assistant":
            turns_since += 1
            continue
        if position == 0:
            last_is_result = any(block["type"] == "tool_result" for block in blocks)
        texts = [block["text"] for block in blocks if block["type"] == "text"]
        if texts:
            text = "\n".join(texts)
            break
    choice = request.get("tool_choice", {"type": "auto"})
    kind = request.get("thinking", {}).get("type")
    on_by_default = kind is None and model.thinks_by_default
    form = request.get("output_config", {}).get("format")
    return Prompt(
        text=text,
        turns_since=turns_since,
        answers_tool=last_is_result,
        tools=[
            Tool(tool["name"], tool["input_schema"])
            for tool in request.get("tools", [])
            if "input_schema" in tool
        ],
        choice=choice["name"] if choice["type"] == "tool" else choice["type"],
        parallel=not choice.get("disable_parallel_tool_use", False),
        schema=form["schema"] if form else None,
        json_object=False,
        thinks=on_by_default or kind in ("adaptive", "enabled"),
        max_tokens=request.get("max_tokens"),
        stop_sequences=request.get("stop_sequences", []),
    )


def compose(
    request: dict[str, Any],
    model: Claude,
    script: Script,
    usage: InputUsage,
    secret: bytes,
    turn: int,
) -> AnthropicAnswer:
    """Write the content blocks of the answer; `turn` makes its ids unique."""
    content: list[dict[str, Any]] = []
    if script.thinking is not None:
        display = request.get("thinking", {}).get("display")
        shown = display in ("summarized", "updates") or (display is None and model.shows_thinking)
        thinking = script.thinking if shown else ""
        links = chain(request)
        prefix = links[-1].digest if links else b""
        signature = sign(secret, thinking, prefix)
        content.append({"type": "thinking", "thinking": thinking, "signature": signature})
    if script.redacted:
        content.append(
            {"type": "redacted_thinking", "data": f"{REDACTED_PREFIX}{script.output_tokens}"}
        )
    if script.text:
        content.append({"type": "text", "text": script.text})
    for index, call in enumerate(script.calls):
        name = unique_name("toolu_01", turn, index)
        content.append({"type": "tool_use", "id": name, "name": call.name, "input": call.arguments})
    return AnthropicAnswer(request, script, usage, content, unique_name("msg_01", turn))
