"""From items to the hub's events: what plain answers and streams have in common.

An item of an answer becomes one part, or one for each piece of a message's content. Nothing is
taken twice: words that came as deltas are not read again from the finished item, and words that
came in no delta are read from whatever holds them first.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from addon.formats.openai_responses.content_parsing import NAME, parse_annotations
from addon.formats.openai_responses.errors import parse_failure
from addon.formats.openai_responses.hosted_calls import ITEMS, read_item
from addon.formats.openai_responses.tool_names import flat_name
from addon.formats.openai_responses.usage import parse_usage
from addon.neutral import (
    Citation,
    Event,
    FinishReason,
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
from addon.wire.codec import encode_text
from addon.wire.reading import mapping, sequence, text

type Wire = dict[str, Any]
type Source = Literal["summary", "content"]

_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_SEPARATOR = "\n\n"
_FAILED = ("failed", "cancelled")


class _Words(msgspec.Struct):
    """A part that is open."""

    part: int
    length: int = 0
    """Characters delivered so far."""
    citations: list[Citation] = []


class _Item(msgspec.Struct):
    """An item that has begun."""

    kind: str
    words: dict[int, _Words] = {}
    """The open parts, by content index; a call or thought has just one."""
    finished: set[int] = set()
    source: Source | None = None
    """For a thought: which of its two renditions is passed on."""
    section: int = 0
    """For a thought: the piece of it that came last."""


class AnswerReader:
    """Turns one answer into events."""

    def __init__(self) -> None:
        self.losses = LossList()
        self._started = False
        self._parts = 0
        self._called = False
        self._items: dict[int, _Item | None] = {}
        """None stands for an item that is complete, or of no use to others."""

    def start(self, response: Wire) -> list[Event]:
        """Begin the answer, also when the wire left its beginning out."""
        if self._started:
            return []
        self._started = True
        identifier, model = text(response.get("id")), text(response.get("model"))
        return [ResponseStart(identifier, model, parse_usage(response.get("usage")))]

    def begin_item(self, index: int, item: Wire) -> list[Event]:
        """Take an item that begins."""
        events = self.start({})
        if index in self._items:
            return events
        kind = text(item.get("type"))
        if kind in _CALLS:
            self._begin_call(index, item, kind, events)
        elif kind in ("message", "reasoning"):
            self._items[index] = _Item(kind)
        elif kind in ITEMS:
            begun = self._items[index] = _Item(kind)
            begun.words[0] = _Words(self._parts)
            call_id = text(item.get("id")) or f"{kind}_{self._parts}"
            events.append(PartStart(self._parts, "hosted_call", call_id, ITEMS[kind]))
            self._parts += 1
        else:
            self._items[index] = None
            self.losses.dropped(f"output.{kind}", "exists at its own provider only")
        return events

    def say(
        self, index: int, piece: int, words: str, kind: Literal["text", "refusal"]
    ) -> list[Event]:
        """Take more words of a message."""
        item = self._items.get(index)
        if item is not None and words:
            open_words = item.words.get(piece)
            if open_words is not None:
                open_words.length += len(words)
                return [TextDelta(open_words.part, words)]
        return self._say_first(index, piece, words, kind)

    def cite(self, index: int, piece: int, annotation: object) -> list[Event]:
        """Take a source of a message's words."""
        item = self._items.get(index)
        words = item.words.get(piece) if item is not None else None
        if words is not None:
            words.citations += self._cited([annotation])
        return []

    def _cited(self, annotations: object) -> tuple[Citation, ...]:
        cited = parse_annotations(annotations)
        if len(cited) < len(sequence(annotations)):
            self.losses.dropped("annotations", "sources that are no pages of the web")
        return cited

    def end_piece(self, index: int, piece: int, part: Wire) -> list[Event]:
        """Take a finished piece of a message's content."""
        item = self._items.get(index)
        if item is None or item.kind != "message" or piece in item.finished:
            return []
        kind = "refusal" if part.get("type") == "refusal" else "text"
        whole = text(part.get("refusal" if kind == "refusal" else "text"))
        words = item.words.get(piece)
        delivered = words.length if words is not None else 0
        events = self.say(index, piece, whole[delivered:], kind)
        words = item.words.pop(piece, None)
        item.finished.add(piece)
        if words is not None:
            cited = self._cited(part.get("annotations"))
            events.append(PartEnd(words.part, cited or tuple(words.citations)))
        return events

    def think(self, index: int, source: Source, section: int, words: str) -> list[Event]:
        """Take more of a thought."""
        events: list[Event] = [] if index in self._items else self._begin_plain(index, "reasoning")
        item = self._items.get(index)
        if item is None or item.kind != "reasoning" or not words:
            return events
        if item.source is None:
            item.source, item.section = source, section
        if source != item.source:
            return events
        open_words = item.words.get(0) or self._open(item, 0, "reasoning", events)
        if section != item.section:
            item.section = section
            words = _SEPARATOR + words
        open_words.length += len(words)
        events.append(ReasoningDelta(open_words.part, words))
        return events

    def argue(self, index: int, words: str) -> list[Event]:
        """Take more arguments of a call."""
        item = self._items.get(index)
        open_words = item.words.get(0) if item is not None and item.kind in _CALLS else None
        if open_words is None or not words:
            return []
        open_words.length += len(words)
        return [ToolCallDelta(open_words.part, words)]

    def end_arguments(self, index: int, whole: str) -> list[Event]:
        """Take the whole arguments of a call, of which some or all may have come."""
        item = self._items.get(index)
        open_words = item.words.get(0) if item is not None else None
        return [] if open_words is None else self.argue(index, whole[open_words.length :])

    def end_item(self, index: int, wire: Wire) -> list[Event]:
        """Take a finished item, begun or not."""
        events = self.begin_item(index, wire)
        item = self._items[index]
        if item is None:
            return events
        if item.kind == "message":
            for piece, part in enumerate(sequence(wire.get("content"))):
                events += self.end_piece(index, piece, mapping(part))
        elif item.kind in ITEMS:
            events.append(PartEnd(item.words.pop(0).part, hosted=read_item(wire)))
        elif item.kind == "reasoning":
            events += self._end_thought(index, item, wire)
        else:
            events += self.end_arguments(index, _arguments(wire.get(_CALLS[item.kind])))
        self._items[index] = None
        return events + _close(item)

    def end(self, response: Wire, status: str = "completed") -> list[Event]:
        """Take the finished answer.

        Args:
            response: The whole of it, as far as the provider tells.
            status: How it ended, unless `response` says so.
        """
        events = self.start(response)
        status = text(response.get("status")) or status
        if status in _FAILED:
            return [*events, StreamError(parse_failure(response))]
        for index, item in enumerate(sequence(response.get("output"))):
            if self._items.get(index, item) is not None:
                events += self.end_item(index, mapping(item))
        for item in self._items.values():
            if item is not None:
                events += _close(item)
        raw = text(mapping(response.get("incomplete_details")).get("reason")) or None
        reason: FinishReason = "tool_calls" if self._called else "stop"
        if status == "incomplete":
            reason = _INCOMPLETE.get(raw or "", "other")
        elif status not in ("completed", "complete"):
            reason, raw = "other", status
        usage = parse_usage(response.get("usage"), response.get("service_tier"))
        events.append(ResponseEnd(reason, raw, usage=usage))
        return events

    def _begin_call(self, index: int, wire: Wire, kind: str, events: list[Event]) -> None:
        item = _Item(kind)
        self._items[index] = item
        self._called = True
        fallback = text(wire.get("id")) or f"call_{self._parts}"
        name = flat_name(text(wire.get("name")), text(wire.get("namespace")))
        call_kind = "custom" if kind == "custom_tool_call" else "function"
        call_id = text(wire.get("call_id")) or fallback
        events.append(PartStart(self._parts, "tool_call", call_id, name, call_kind))
        item.words[0] = _Words(self._parts)
        self._parts += 1
        if given := text(wire.get(_CALLS[kind])):
            events += self.argue(index, given)

    def _begin_plain(self, index: int, kind: Literal["message", "reasoning"]) -> list[Event]:
        """Begin an item whose own beginning was lost."""
        self._items[index] = _Item(kind)
        return self.start({})

    def _say_first(
        self, index: int, piece: int, words: str, kind: Literal["text", "refusal"]
    ) -> list[Event]:
        events: list[Event] = [] if index in self._items else self._begin_plain(index, "message")
        item = self._items.get(index)
        if item is None or item.kind != "message" or not words or piece in item.finished:
            return events
        opened = self._open(item, piece, kind, events)
        opened.length = len(words)
        events.append(TextDelta(opened.part, words))
        return events

    def _open(
        self,
        item: _Item,
        piece: int,
        kind: Literal["text", "refusal", "reasoning"],
        events: list[Event],
    ) -> _Words:
        words = _Words(self._parts)
        item.words[piece] = words
        events.append(PartStart(self._parts, kind))
        self._parts += 1
        return words

    def _end_thought(self, index: int, item: _Item, wire: Wire) -> list[Event]:
        sources: tuple[Source, ...] = ("summary", "content")
        events: list[Event] = []
        for source in sources:
            if item.source not in (None, source):
                continue
            whole = _thoughts(wire.get(source))
            opened = item.words.get(0)
            rest = whole[opened.length :] if opened is not None else whole
            events += self.think(index, source, item.section, rest)
        if envelope := text(wire.get("encrypted_content")):
            words = item.words.get(0) or self._open(item, 0, "reasoning", events)
            events.append(SignatureDelta(words.part, OpaqueState(NAME, envelope)))
        return events


def _close(item: _Item) -> list[Event]:
    events: list[Event] = [
        PartEnd(words.part, tuple(words.citations)) for words in item.words.values()
    ]
    item.words = {}
    return events


def _thoughts(wire: object) -> str:
    pieces = [text(mapping(piece).get("text")) for piece in sequence(wire)]
    return _SEPARATOR.join(piece for piece in pieces if piece)


def _arguments(value: object) -> str:
    """Read arguments, which some providers send as an object."""
    if isinstance(value, str):
        return value
    return encode_text(value) if mapping(value) else ""
