"""Write a stream of `POST /chat/completions`: from the hub's events to server-sent events.

    role delta* finish [usage] [DONE]

Clients concatenate the strings and add up the numbers of all chunks, so role, id, name and usage
are written exactly once, lists never twice, and calls are numbered 0, 1, 2, ... in the order in
which they begin. What stays the same in every chunk is encoded once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from addon.formats.base import Reply
from addon.formats.openai_chat.citations import render_annotations
from addon.formats.openai_chat.finish_reasons import render_finish_reason
from addon.formats.openai_chat.response import HOSTED, THOUGHT_SEPARATOR, completion_id
from addon.formats.openai_chat.speaking_order import SpeakingOrder
from addon.formats.openai_chat.usage import render_usage
from addon.neutral import (
    Citation,
    ErrorInfo,
    Event,
    Loss,
    LossList,
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
from addon.wire.codec import encode
from addon.wire.custom_tools import InputExtractor
from addon.wire.openai_errors import error_object
from addon.wire.sse import frame

DONE = b"data: [DONE]\n\n"


class _OpenCall(msgspec.Struct):
    """A tool call that is being written."""

    head: bytes
    """Everything before a piece of its arguments."""
    tail: bytes
    extractor: InputExtractor | None = None
    """Unwraps the input of a custom tool that the provider knows as a function."""
    function: bool = True
    written: bool = False


class ChatEncoder:
    """Writes one stream."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._losses = LossList()
        self._ended = False
        self._head = b""
        self._tail = b""
        self._text_head = b""
        self._text_tail = b""
        self._calls = 0
        self._open_calls: dict[int, _OpenCall] = {}
        self._texts = SpeakingOrder()
        self._refusals = SpeakingOrder()
        self._thoughts = SpeakingOrder()
        self._orders: dict[int, SpeakingOrder] = {}
        self._thought = False
        self._separator_due = False
        self._length = 0
        self._spans: dict[int, tuple[int, int]] = {}
        self._citations: list[tuple[Citation, int]] = []
        self._handlers: dict[type[Event], Callable[[Any], bytes]] = {
            TextDelta: self._text,
            ToolCallDelta: self._arguments,
            ReasoningDelta: self._reasoning,
            SignatureDelta: self._nothing,
            PartStart: self._part_start,
            PartEnd: self._part_end,
            ResponseStart: self._start,
            ResponseEnd: self._end,
            StreamError: self._error,
        }

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What Chat had no place for."""
        return self._losses.to_tuple()

    def encode(self, event: Event) -> bytes:
        """Return whole server-sent events; nothing once the stream has ended."""
        return b"" if self._ended else self._handlers[type(event)](event)

    def _start(self, event: ResponseStart) -> bytes:
        head: dict[str, Any] = {
            "id": completion_id(event.id, self._reply.created),
            "object": "chat.completion.chunk",
            "created": self._reply.created,
            "model": self._reply.model or event.model,
        }
        usage = b',"usage":null' if self._reply.include_usage else b""
        self._head = b"data: " + encode(head)[:-1] + b',"choices":'
        self._tail = usage + b"}\n\n"
        self._text_head = self._head + b'[{"index":0,"delta":{"content":'
        self._text_tail = b'},"logprobs":null,"finish_reason":null}]' + self._tail
        return self._delta(b'{"role":"assistant","content":""}')

    def _delta(self, delta: bytes, finish_reason: bytes = b"null") -> bytes:
        pieces = (b'[{"index":0,"delta":', delta, b',"logprobs":null,"finish_reason":')
        return b"".join((self._head, *pieces, finish_reason, b"}]", self._tail))

    def _text(self, event: TextDelta) -> bytes:
        if event.index == self._texts.speaking:
            return self._write_text(event.text)
        return self._say(event.index, event.text)

    def _write_text(self, text: str) -> bytes:
        self._length += len(text)
        return self._text_head + encode(text) + self._text_tail

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        return self._say(event.index, event.text)

    def _write_thought(self, text: str) -> bytes:
        if not text:
            return b""
        if self._separator_due:
            self._separator_due = False
            text = THOUGHT_SEPARATOR + text
        self._thought = True
        return self._delta(encode({"reasoning_content": text}))

    def _say(self, index: int, text: str) -> bytes:
        """Write words of any part, or keep them until it is its turn."""
        order = self._orders[index]
        if index != order.speaking:
            order.wait(index, text)
            return b""
        return self._write(order, text)

    def _write(self, order: SpeakingOrder, text: str) -> bytes:
        if order is self._texts:
            return self._write_text(text)
        if order is self._thoughts:
            return self._write_thought(text)
        return self._delta(encode({"refusal": text}))

    def _nothing(self, event: SignatureDelta) -> bytes:
        """Chat has no carrier for opaque state; it is kept elsewhere, by tool-call id."""
        return b""

    def _part_start(self, event: PartStart) -> bytes:
        match event.kind:
            case "text":
                order = self._texts
            case "refusal":
                order = self._refusals
            case "reasoning":
                order = self._thoughts
            case "tool_call":
                return self._call_start(event)
            case "hosted_call":
                self._losses.dropped(f"output.{event.name}", HOSTED)
                return b""
        self._orders[event.index] = order
        if order.begin(event.index):
            self._begin_speaking(order, event.index)
        return b""

    def _begin_speaking(self, order: SpeakingOrder, index: int) -> None:
        if order is self._texts:
            self._spans[index] = (self._length, self._length)
        elif order is self._thoughts:
            self._separator_due = self._thought

    def _end_speaking(self, order: SpeakingOrder, index: int) -> None:
        if order is self._texts:
            self._spans[index] = (self._spans[index][0], self._length)

    def _call_start(self, event: PartStart) -> bytes:
        index = self._calls
        self._calls += 1
        if self._reply.legacy_functions:
            return self._legacy_start(event, index)
        custom = event.call_kind == "custom" or event.name in self._reply.custom_tools
        field, value = (b"custom", b"input") if custom else (b"function", b"arguments")
        call = _OpenCall(b'{"tool_calls":[{"index":%d,"%b":{"%b":' % (index, field, value), b"}}]}")
        call.function = not custom
        if custom and event.call_kind == "function":
            call.extractor = InputExtractor()
        self._open_calls[event.index] = call
        kind = "custom" if custom else "function"
        body = {"name": event.name, value.decode(): ""}
        entry = {"index": index, "id": event.call_id, "type": kind, kind: body}
        return self._delta(encode({"tool_calls": [entry]}))

    def _legacy_start(self, event: PartStart, index: int) -> bytes:
        if index:
            self._losses.dropped("tool_calls", "`functions` allow one call an answer")
            return b""
        self._open_calls[event.index] = _OpenCall(b'{"function_call":{"arguments":', b"}}")
        return self._delta(encode({"function_call": {"name": event.name, "arguments": ""}}))

    def _arguments(self, event: ToolCallDelta) -> bytes:
        call = self._open_calls.get(event.index)
        if call is None:
            return b""
        text = event.arguments
        if call.extractor is not None:
            text = call.extractor.feed(text)
        return self._write_arguments(call, text)

    def _write_arguments(self, call: _OpenCall, text: str) -> bytes:
        if not text:
            return b""
        call.written = True
        return self._delta(call.head + encode(text) + call.tail)

    def _part_end(self, event: PartEnd) -> bytes:
        call = self._open_calls.pop(event.index, None)
        if call is not None:
            if call.extractor is not None:
                return self._write_arguments(call, call.extractor.finish())
            # Agents parse the arguments of a function, so they are never left empty.
            return self._write_arguments(call, "" if call.written or not call.function else "{}")
        self._citations += [(citation, event.index) for citation in event.citations]
        order = self._orders.get(event.index)
        return b"" if order is None else self._next_speakers(order, event.index)

    def _next_speakers(self, order: SpeakingOrder, index: int) -> bytes:
        if index == order.speaking:
            self._end_speaking(order, index)
        pieces: list[bytes] = []
        for turn in order.end(index):
            self._begin_speaking(order, turn.part)
            pieces += [self._write(order, text) for text in turn.pieces]
            if turn.complete:
                self._end_speaking(order, turn.part)
        return b"".join(pieces)

    def _end(self, event: ResponseEnd) -> bytes:
        reason = event.finish_reason
        if reason == "error":
            words = event.raw_finish_reason or "no reason given"
            message = f"the provider gave up on its answer ({words})"
            return self._error(StreamError(ErrorInfo("server_error", message)))
        self._ended = True
        if reason == "other":
            word = event.raw_finish_reason or reason
            self._losses.approximated("finish_reason", f"`{word}` as `stop`")
        pieces: list[bytes] = []
        if self._citations:
            cited = [
                (citation, *self._spans.get(index, (0, 0))) for citation, index in self._citations
            ]
            pieces.append(self._delta(encode({"annotations": render_annotations(cited)})))
        finish = render_finish_reason(reason, legacy=self._reply.legacy_functions)
        pieces.append(self._delta(b"{}", encode(finish)))
        if self._reply.include_usage and event.usage is not None:
            pieces += (self._head, b'[],"usage":', encode(render_usage(event.usage)), b"}\n\n")
        pieces.append(DONE)
        return b"".join(pieces)

    def _error(self, event: StreamError) -> bytes:
        self._ended = True
        return frame(encode(error_object(event.error)))
