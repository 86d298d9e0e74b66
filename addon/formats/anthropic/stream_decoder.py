"""Read a stream of `POST /v1/messages`: from server-sent events to the hub's events.

    message_start (content_block_start content_block_delta* content_block_stop)*
    message_delta+ message_stop, with `ping` anywhere and `error` anywhere

Follows https://docs.anthropic.com/en/api/messages-streaming. The wire is not trusted: events may
be missing, repeated, out of order or of the wrong type, and the bytes may end anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, override

import msgspec

from addon.formats.anthropic.citations import parse_citation
from addon.formats.anthropic.content import NAME
from addon.formats.anthropic.errors import parse_error_object
from addon.formats.anthropic.hosted_calls import RESULTS, begin_call, read_input, read_result
from addon.formats.anthropic.stop_reasons import finish_reason, parse_usage
from addon.formats.anthropic.structured_output import STRUCTURED_OUTPUT_TOOL
from addon.neutral import (
    Citation,
    Event,
    HostedCallPart,
    Loss,
    LossList,
    OpaqueState,
    PartEnd,
    PartKind,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    TextDelta,
    ToolCallDelta,
)
from addon.wire.answer_decoder import TypedEventDecoder
from addon.wire.codec import decode_object, encode_text
from addon.wire.reading import integer, mapping, text


class _Block(msgspec.Struct):
    """A content block that is open on the wire and has become a part."""

    index: int
    kind: PartKind
    structured: bool = False
    """Its arguments are the answer's text (see `structured_output`)."""
    initial_input: dict[str, Any] = {}
    """Arguments given with the block's start, used when no delta follows."""
    delivered: bool = False
    """Whether any delta came."""
    citations: list[Citation] = []
    call_id: str = ""
    pieces: list[str] = []
    """The input of a tool that the provider runs."""


class _HostedCall(msgspec.Struct):
    """A tool that the provider runs, until its result comes."""

    index: int
    call: HostedCallPart
    asked: str = ""


class AnthropicDecoder(TypedEventDecoder):
    """Reads one stream."""

    def __init__(self) -> None:
        super().__init__(LossList())
        self._blocks: dict[int | None, _Block | None] = {}
        self._parts = 0
        self._started = False
        self._stop_reason: str | None = None
        self._stop_sequence: str | None = None
        self._explanation = ""
        self._structured = False
        self._hosted: dict[str, _HostedCall] = {}
        self._usage: dict[str, Any] = {}
        self._handlers = {
            "content_block_delta": self._on_block_delta,
            "content_block_start": self._on_block_start,
            "content_block_stop": self._on_block_stop,
            "message_start": self._on_message_start,
            "message_delta": self._on_message_delta,
            "message_stop": self._on_message_stop,
            "error": self._on_error,
            "ping": _ignore,
        }
        self._deltas: dict[str, Callable[[_Block, dict[str, Any]], Event | None]] = {
            "text_delta": self._text_delta,
            "input_json_delta": self._input_json_delta,
            "thinking_delta": self._thinking_delta,
            "signature_delta": self._signature_delta,
            "citations_delta": self._citations_delta,
        }

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Blocks, deltas and events that have no counterpart in the hub."""
        return self._losses.to_tuple()

    @override
    def _end(self) -> list[Event]:
        return self._cut() if self._stop_reason is None else self._on_message_stop({})

    def _on_message_start(self, wire: dict[str, Any]) -> list[Event]:
        message = mapping(wire.get("message"))
        if self._started:
            self._losses.dropped("stream.message_start", "a second start of the same answer")
            return []
        self._merge_usage(message)
        return self._start(text(message.get("id")), text(message.get("model")))

    def _start(self, identifier: str = "", model: str = "") -> list[Event]:
        """Begin the answer, also when the wire left its beginning out."""
        if self._started:
            return []
        self._started = True
        return [ResponseStart(identifier, model, parse_usage(self._usage))]

    def _on_block_start(self, wire: dict[str, Any]) -> list[Event]:
        position = integer(wire.get("index"))
        block = mapping(wire.get("content_block"))
        events = self._start() + self._close(position)
        match block.get("type"):
            case "text":
                events += self._open(position, PartStart(self._parts, "text"))
                if words := text(block.get("text")):
                    events.append(TextDelta(self._parts - 1, words))
            case "thinking":
                events += self._open(position, PartStart(self._parts, "reasoning"))
                if words := text(block.get("thinking")):
                    events.append(ReasoningDelta(self._parts - 1, words))
                if signature := text(block.get("signature")):
                    events.append(_signature(self._parts - 1, signature))
            case "redacted_thinking":
                state = OpaqueState(NAME, text(block.get("data")), "redacted")
                events += self._open(position, PartStart(self._parts, "reasoning"))
                events.append(SignatureDelta(self._parts - 1, state))
            case "tool_use":
                events += self._open_tool_call(position, block)
            case "server_tool_use" if (call := self._new_hosted(block)) is not None:
                start = PartStart(self._parts, "hosted_call", call.call_id, call.tool)
                events += self._open(position, start, block)
                self._hosted[call.call_id] = _HostedCall(start.index, call)
            case kind if text(kind) in RESULTS and text(block.get("tool_use_id")) in self._hosted:
                self._blocks[position] = None
                events.append(self._end_hosted(text(block.get("tool_use_id")), block))
            case other:
                self._blocks[position] = None
                self._losses.dropped(f"content.{other}", "exists at Anthropic only")
        return events

    def _open_tool_call(self, position: int | None, block: dict[str, Any]) -> list[Event]:
        name = text(block.get("name"))
        if name == STRUCTURED_OUTPUT_TOOL:
            self._structured = True
            start = PartStart(self._parts, "text")
        else:
            call_id = text(block.get("id")) or f"toolu_{self._parts}"
            start = PartStart(self._parts, "tool_call", call_id, name)
        events = self._open(position, start)
        opened = self._blocks[position]
        if opened is not None:
            opened.structured = name == STRUCTURED_OUTPUT_TOOL
            opened.initial_input = mapping(block.get("input"))
        return events

    def _new_hosted(self, block: dict[str, Any]) -> HostedCallPart | None:
        call = begin_call(block)
        return None if call is None or call.call_id in self._hosted else call

    def _end_hosted(self, call_id: str, result: dict[str, Any]) -> Event:
        """Tell what a tool that the provider ran has come to."""
        hosted = self._hosted.pop(call_id)
        return PartEnd(hosted.index, hosted=read_result(hosted.call, hosted.asked, result))

    def _open(
        self, position: int | None, start: PartStart, block: dict[str, Any] | None = None
    ) -> list[Event]:
        opened = self._blocks[position] = _Block(start.index, start.kind, call_id=start.call_id)
        opened.initial_input = mapping(mapping(block).get("input"))
        self._parts += 1
        return [start]

    def _on_block_delta(self, wire: dict[str, Any]) -> list[Event]:
        delta = mapping(wire.get("delta"))
        kind = text(delta.get("type"))
        position = integer(wire.get("index"))
        events: list[Event] = []
        if position not in self._blocks:
            events = self._start() + self._open_unannounced(position, kind)
        block = self._blocks.get(position)
        if block is None:
            return events
        handler = self._deltas.get(kind)
        if handler is None:
            self._losses.dropped(f"delta.{kind}", "a delta that Detour does not know")
            return events
        event = handler(block, delta)
        if event is not None:
            events.append(event)
        return events

    def _open_unannounced(self, position: int | None, kind: str) -> list[Event]:
        """Begin the part of a delta whose block start was lost."""
        if kind == "text_delta":
            return self._open(position, PartStart(self._parts, "text"))
        if kind == "thinking_delta":
            return self._open(position, PartStart(self._parts, "reasoning"))
        self._losses.dropped(f"delta.{kind}", "a delta of a block that never began")
        return []

    def _text_delta(self, block: _Block, delta: dict[str, Any]) -> Event | None:
        words = text(delta.get("text"))
        return TextDelta(block.index, words) if words and block.kind == "text" else None

    def _thinking_delta(self, block: _Block, delta: dict[str, Any]) -> Event | None:
        words = text(delta.get("thinking"))
        return ReasoningDelta(block.index, words) if words and block.kind == "reasoning" else None

    def _signature_delta(self, block: _Block, delta: dict[str, Any]) -> Event | None:
        signature = text(delta.get("signature"))
        return _signature(block.index, signature) if block.kind == "reasoning" else None

    def _input_json_delta(self, block: _Block, delta: dict[str, Any]) -> Event | None:
        arguments = text(delta.get("partial_json"))
        if not arguments:
            return None
        block.delivered = True
        if block.kind == "hosted_call":
            block.pieces = [*block.pieces, arguments]
        if block.structured:
            return TextDelta(block.index, arguments)
        return ToolCallDelta(block.index, arguments) if block.kind == "tool_call" else None

    def _citations_delta(self, block: _Block, delta: dict[str, Any]) -> Event | None:
        block.citations = [*block.citations, parse_citation(delta.get("citation"))]
        return None

    def _on_block_stop(self, wire: dict[str, Any]) -> list[Event]:
        return self._close(integer(wire.get("index")))

    def _close(self, position: int | None) -> list[Event]:
        block = self._blocks.pop(position, None)
        if block is None:
            return []
        if block.kind == "hosted_call":
            if (hosted := self._hosted.get(block.call_id)) is not None:
                given = decode_object("".join(block.pieces)) or block.initial_input
                hosted.asked = read_input(given)
            return []  # it ends with its result
        events: list[Event] = []
        if not block.delivered:
            arguments = encode_text(block.initial_input)
            if block.structured:
                events.append(TextDelta(block.index, arguments))
            elif block.kind == "tool_call":
                events.append(ToolCallDelta(block.index, arguments))
        events.append(PartEnd(block.index, tuple(block.citations)))
        return events

    def _on_message_delta(self, wire: dict[str, Any]) -> list[Event]:
        delta = mapping(wire.get("delta"))
        self._merge_usage(wire)
        self._stop_reason = text(delta.get("stop_reason")) or self._stop_reason
        self._stop_sequence = text(delta.get("stop_sequence")) or self._stop_sequence
        details = mapping(delta.get("stop_details"))
        self._explanation = text(details.get("explanation")) or self._explanation
        return []

    def _on_message_stop(self, _wire: dict[str, Any]) -> list[Event]:
        events = self._start()
        for position in list(self._blocks):
            events += self._close(position)
        events += [self._end_hosted(call_id, {}) for call_id in list(self._hosted)]
        if self._stop_reason == "refusal" and self._explanation:
            events += (
                PartStart(self._parts, "refusal"),
                TextDelta(self._parts, self._explanation),
                PartEnd(self._parts),
            )
        self._ended = True
        reason = finish_reason(self._stop_reason)
        if self._structured and reason == "tool_calls":
            reason = "stop"
        usage = parse_usage(self._usage) if self._usage else None
        events.append(ResponseEnd(reason, self._stop_reason, self._stop_sequence, usage))
        return events

    def _on_error(self, wire: dict[str, Any]) -> list[Event]:
        return self._fail(parse_error_object(wire, None))

    def _merge_usage(self, wire: dict[str, Any]) -> None:
        """Counts are cumulative: the last number of each field holds, null says nothing."""
        usage = mapping(wire.get("usage"))
        self._usage.update({key: value for key, value in usage.items() if value is not None})


def _signature(index: int, signature: str) -> SignatureDelta:
    return SignatureDelta(index, OpaqueState(NAME, signature))


def _ignore(_wire: dict[str, Any]) -> list[Event]:
    return []
