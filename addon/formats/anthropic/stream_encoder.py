"""Write a stream of `POST /v1/messages`: from the hub's events to server-sent events.

Only one content block may be open at a time, while the hub's parts may overlap (parallel tool
calls of Chat providers interleave). So the events of a later part wait until the open one ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addon.formats.anthropic.carrying import carried_signature, signed_call
from addon.formats.anthropic.citations import render_citations
from addon.formats.anthropic.content import NAME
from addon.formats.anthropic.errors import error_object
from addon.formats.anthropic.hosted_calls import hosted_blocks
from addon.formats.anthropic.stop_reasons import render_usage, stop_reason
from addon.formats.base import Reply
from addon.neutral import (
    Event,
    HostedCallPart,
    Loss,
    LossList,
    OpaqueState,
    PartEnd,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
)
from addon.wire.codec import encode, encode_text
from addon.wire.custom_tools import ARGUMENT
from addon.wire.sse import frame

type PartEvent = PartStart | TextDelta | ReasoningDelta | SignatureDelta | ToolCallDelta | PartEnd

_WRAPPING = (f'{{"{ARGUMENT}":"', '"}')
"""What stands around the input of a custom tool, which is no JSON by itself."""


class AnthropicEncoder:
    """Writes one stream."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._losses = LossList()
        self._open: int | None = None
        self._waiting: dict[int, list[PartEvent]] = {}
        self._blocks = 0
        self._reasoning_is_open = False
        self._undecided = False
        self._call: PartStart | None = None
        """A call that has not been written yet: what signs it comes first."""
        self._custom = False
        self._hosted = False
        self._parts: dict[type[Event], Callable[[Any], bytes]] = {
            TextDelta: self._text,
            ToolCallDelta: self._arguments,
            ReasoningDelta: self._thinking,
            SignatureDelta: self._signature,
            PartStart: self._block_start,
            PartEnd: self._block_stop,
        }
        self._lifecycle: dict[type[Event], Callable[[Any], bytes]] = {
            ResponseStart: self._start,
            ResponseEnd: self._end,
            StreamError: self._error,
        }

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the format had no place for."""
        return self._losses.to_tuple()

    def encode(self, event: Event) -> bytes:
        """Return whole server-sent events, or nothing while a part has to wait."""
        lifecycle = self._lifecycle.get(type(event))
        if lifecycle is not None:
            return lifecycle(event)
        return self._part_event(event)  # pyright: ignore[reportArgumentType] - all others

    def _part_event(self, event: PartEvent) -> bytes:
        if self._open is None:
            self._open = event.index
        if event.index != self._open:
            self._waiting.setdefault(event.index, []).append(event)
            return b""
        output = self._parts[type(event)](event)
        if type(event) is PartEnd:
            output += self._release()
        return output

    def _release(self) -> bytes:
        """Write the parts that waited, up to the first one that is still open."""
        pieces: list[bytes] = []
        self._open = None
        while self._open is None and self._waiting:
            index = next(iter(self._waiting))
            self._open = index
            for event in self._waiting.pop(index):
                pieces.append(self._parts[type(event)](event))
                if type(event) is PartEnd:
                    self._open = None
        return b"".join(pieces)

    def _start(self, event: ResponseStart) -> bytes:
        message: dict[str, Any] = {
            "id": event.id if event.id.startswith("msg_") else f"msg_{event.id}",
            "type": "message",
            "role": "assistant",
            "model": self._reply.model or event.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": render_usage(event.usage),
        }
        return _frame("message_start", {"message": message})

    def _block_start(self, event: PartStart) -> bytes:
        block: dict[str, Any]
        self._reasoning_is_open = False
        self._hosted = event.kind == "hosted_call"
        self._custom = event.kind == "tool_call" and event.call_kind == "custom"
        match event.kind:
            case "text" | "refusal":
                block = {"type": "text", "text": ""}
            case "reasoning":
                self._reasoning_is_open = True
                # Its first delta decides whether the block is readable or redacted.
                self._undecided = True
                return b""
            case "hosted_call":
                return b""  # what it does is known at its end
            case "tool_call":
                self._call = event
                return b""
        return self._begin(block)

    def _begin_call(self) -> bytes:
        """Begin the call that waits for its signature, if one does."""
        call, self._call = self._call, None
        if call is None:
            return b""
        block: dict[str, Any] = {
            "type": "tool_use",
            "id": call.call_id,
            "name": call.name,
            "input": {},
        }
        return self._begin(block) + (self._wrapping(_WRAPPING[0]) if self._custom else b"")

    def _begin(self, block: dict[str, Any]) -> bytes:
        index = self._blocks
        self._blocks += 1
        return _frame("content_block_start", {"index": index, "content_block": block})

    def _decide(self, redacted: str | None = None) -> bytes:
        """Begin the reasoning block that waits for its kind, if one does."""
        if not self._undecided:
            return b""
        self._undecided = False
        if redacted is not None:
            return self._begin({"type": "redacted_thinking", "data": redacted})
        return self._begin({"type": "thinking", "thinking": "", "signature": ""})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _frame("content_block_delta", {"index": self._blocks - 1, "delta": delta})

    def _text(self, event: TextDelta) -> bytes:
        return self._delta({"type": "text_delta", "text": event.text})

    def _arguments(self, event: ToolCallDelta) -> bytes:
        beginning = self._begin_call() if self._call is not None else b""
        if self._custom:
            return beginning + self._wrapping(encode_text(event.arguments)[1:-1])
        delta = {"type": "input_json_delta", "partial_json": event.arguments}
        return beginning + self._delta(delta)

    def _wrapping(self, json_text: str) -> bytes:
        """Write free text as the one argument that stands for it, a piece at a time."""
        return self._delta({"type": "input_json_delta", "partial_json": json_text})

    def _thinking(self, event: ReasoningDelta) -> bytes:
        return self._decide() + self._delta({"type": "thinking_delta", "thinking": event.text})

    def _signature(self, event: SignatureDelta) -> bytes:
        state = event.state
        if not self._reasoning_is_open:
            return self._call_signature(state)
        if state.format == NAME and state.kind == "redacted":
            return self._decide(redacted=state.data)
        signature = carried_signature(state)
        return self._decide() + self._delta({"type": "signature_delta", "signature": signature})

    def _call_signature(self, state: OpaqueState) -> bytes:
        """Send a call's state along in a secret thought before it, which agents return.

        Signed words are the end of an answer: nothing may stand behind those.
        """
        call = self._call
        if call is None:
            return b""
        begin = self._begin({"type": "redacted_thinking", "data": signed_call(call.call_id, state)})
        return begin + _frame("content_block_stop", {"index": self._blocks - 1})

    def _block_stop(self, event: PartEnd) -> bytes:
        if self._hosted:
            self._hosted = False
            return b"" if event.hosted is None else self._whole_blocks(event.hosted)
        closing = self._decide() + self._begin_call()
        for citation in render_citations(event.citations, self._losses):
            closing += self._delta({"type": "citations_delta", "citation": citation})
        if self._custom:
            closing += self._wrapping(_WRAPPING[1])
        self._custom = False
        return closing + _frame("content_block_stop", {"index": self._blocks - 1})

    def _whole_blocks(self, call: HostedCallPart) -> bytes:
        """Write a tool that the provider ran: its call, and its result."""
        use, result = hosted_blocks(call)
        given = use["input"]
        delta = {"type": "input_json_delta", "partial_json": encode_text(given)}
        output = self._begin({**use, "input": {}}) + self._delta(delta)
        output += _frame("content_block_stop", {"index": self._blocks - 1}) + self._begin(result)
        return output + _frame("content_block_stop", {"index": self._blocks - 1})

    def _end(self, event: ResponseEnd) -> bytes:
        delta = {
            "stop_reason": stop_reason(event.finish_reason, event.stop_sequence),
            "stop_sequence": event.stop_sequence,
        }
        usage = render_usage(event.usage)
        return _frame("message_delta", {"delta": delta, "usage": usage}) + _frame(
            "message_stop", {}
        )

    def _error(self, event: StreamError) -> bytes:
        return frame(encode(error_object(event.error)), b"error")


def _frame(kind: str, fields: dict[str, Any]) -> bytes:
    return frame(encode({"type": kind, **fields}), kind.encode())
