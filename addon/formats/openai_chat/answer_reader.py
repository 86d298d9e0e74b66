"""From chunks to the hub's events: what plain answers and streams have in common.

Thoughts, words and refusal take turns: when one of them arrives, the one before it ends. Tool calls
may overlap one another (see `tool_call_tracker`). Finish reason and usage are held for the end,
because providers send them anywhere, and more than once.
"""

from __future__ import annotations

from addon.formats.openai_chat.chunk import CallPiece, Choice, Chunk, Delta
from addon.formats.openai_chat.citations import parse_annotations, parse_sources
from addon.formats.openai_chat.finish_reasons import broken_answer, parse_finish_reason
from addon.formats.openai_chat.reasoning_details import ReasoningDetails
from addon.formats.openai_chat.think_tags import ThinkTagSplitter
from addon.formats.openai_chat.tool_call_tracker import ToolCallTracker
from addon.formats.openai_chat.usage import merge_usage, parse_usage
from addon.neutral import (
    Citation,
    Event,
    LossList,
    PartEnd,
    PartKind,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    Usage,
)
from addon.wire.reading import mapping, sequence

_MOST_CITATIONS = 10_000


class AnswerReader:
    """Turns the chunks of one answer into events."""

    def __init__(self) -> None:
        self.losses = LossList()
        self.started = False
        self.finish_reason = ""
        """The provider's last word on why it stopped; empty as long as it gave none."""
        self._id = ""
        self._model = ""
        self._created: object = None
        self._choice: int | None = None
        self._next_part = 0
        self._kind: PartKind | None = None
        """What is being said at the moment, tool calls aside."""
        self._part = 0
        self._spoke = False
        self._thought_apart = False
        self._splitter: ThinkTagSplitter | None = ThinkTagSplitter()
        self._stop_sequence: str | None = None
        self._usage: Usage | None = None
        self._citations: dict[Citation, None] = {}
        self._details = ReasoningDetails()
        self._calls = ToolCallTracker(self._begin_call, self._seed, self.losses)

    def read(self, chunk: Chunk, *, whole: bool = False) -> list[Event]:
        """Take the next chunk.

        Args:
            chunk: A piece of the answer.
            whole: Whether this is a plain answer, whose choices hold messages, not deltas.
        """
        events: list[Event] = []
        if not self.started:
            self._begin(chunk, events)
        if chunk.citations is not None or chunk.search_results is not None:
            self._cite(parse_sources(chunk.citations, chunk.search_results))
        for choice in chunk.choices:
            if choice.index != self._choice and not self._is_chosen(choice.index):
                continue
            delta = choice.delta
            if whole:
                delta = choice.message or delta
            elif delta is None and not self._spoke:
                delta = choice.message
            if delta is not None:
                self._read_delta(delta, events)
            if choice.finish_reason:
                self.finish_reason = choice.finish_reason
                self._read_end(choice)
            if choice.usage is not None:
                self._count(choice.usage)
        if chunk.usage is not None:
            self._count(chunk.usage, chunk.service_tier)
        elif chunk.x_groq is not None:
            self._count(mapping(chunk.x_groq).get("usage"))
        return events

    def end(self) -> list[Event]:
        """Return what completes the answer."""
        events: list[Event] = []
        self._start(events)
        self._flush_splitter(events)
        self._close(events)
        self._calls.end_all(events)
        self._end_details(events)
        error = broken_answer(self.finish_reason)
        if error is not None:
            events.append(StreamError(error))
            return events
        if self._citations:
            self.losses.dropped("annotations", "sources that belong to no text")
        called = self._calls.called
        reason = parse_finish_reason(self.finish_reason, called=called)
        raw = self.finish_reason or None
        events.append(ResponseEnd(reason, raw, self._stop_sequence, self._usage))
        return events

    def _end_details(self, events: list[Event]) -> None:
        """Put opaque thoughts that came with no readable ones into a thought without words."""
        state = self._details.take()
        if state is not None:
            index = self._next_part
            self._next_part += 1
            events += (PartStart(index, "reasoning"), SignatureDelta(index, state), PartEnd(index))

    def _begin(self, chunk: Chunk, events: list[Event]) -> None:
        """Note who answers; Azure sends a chunk without name and choices before the first one."""
        self._id = chunk.id or self._id
        self._model = chunk.model or self._model
        self._created = chunk.created
        if chunk.choices:
            self._start(events)

    def _start(self, events: list[Event]) -> None:
        if not self.started:
            self.started = True
            events.append(ResponseStart(self._id, self._model))

    def _is_chosen(self, index: int) -> bool:
        """Follow the first choice that says anything, and list the others as lost."""
        if self._choice is None:
            self._choice = index
            return True
        self.losses.dropped("choices", "only one of several answers is passed on")
        return False

    def _read_delta(self, delta: Delta, events: list[Event]) -> None:
        if delta.annotations:  # before a call ends the text that they belong to
            found = parse_annotations(delta.annotations)
            self._cite(found)
            if len(found) < len(sequence(delta.annotations)):
                self.losses.dropped("annotations", "sources that are no pages of the web")
        thoughts = delta.reasoning_content or delta.reasoning
        if delta.reasoning_details is not None:
            details = self._details.read(delta.reasoning_details)
            thoughts = thoughts or details
        if thoughts:
            self._thought_apart = True
            self._say("reasoning", thoughts, events)
        if delta.content:
            if self._splitter is None:
                self._say("text", delta.content, events)
            else:
                self._split(self._splitter, delta.content, events)
        if delta.refusal:
            self._say("refusal", delta.refusal, events)
        if delta.tool_calls:
            for piece in delta.tool_calls:
                self._calls.read(piece, events)
        function = delta.function_call
        if function is not None and (function.name or function.arguments):
            self._calls.read(CallPiece(index=0, function=function), events)
        if delta.audio or delta.images or delta.executed_tools:
            self._lose_unspoken(delta)

    def _say(self, kind: PartKind, words: str, events: list[Event]) -> None:
        if self._kind != kind:
            self._close(events)
            self._calls.end_complete(events)
            self._kind = kind
            self._part = self._next_part
            self._next_part += 1
            self._spoke = True
            events.append(PartStart(self._part, kind))
        if kind == "reasoning":
            events.append(ReasoningDelta(self._part, words))
        else:
            events.append(TextDelta(self._part, words))

    def _split(self, splitter: ThinkTagSplitter, content: str, events: list[Event]) -> None:
        """Look for thoughts in the content, unless the provider sends them apart."""
        if self._thought_apart:
            self._flush_splitter(events)
            self._say("text", content, events)
            return
        for kind, words in splitter.feed(content):
            self._say(kind, words, events)
        if splitter.done:
            self._splitter = None

    def _flush_splitter(self, events: list[Event]) -> None:
        if self._splitter is not None:
            for kind, words in self._splitter.finish():
                self._say(kind, words, events)
            self._splitter = None

    def _close(self, events: list[Event]) -> None:
        if self._kind is None:
            return
        citations: tuple[Citation, ...] = ()
        if self._kind == "text":
            citations = tuple(self._citations)
            self._citations = {}
        elif self._kind == "reasoning" and (state := self._details.take()) is not None:
            events.append(SignatureDelta(self._part, state))
        events.append(PartEnd(self._part, citations))
        self._kind = None

    def _begin_call(self, events: list[Event]) -> int:
        self._flush_splitter(events)
        self._close(events)
        self._spoke = True
        index = self._next_part
        self._next_part += 1
        return index

    def _seed(self) -> str:
        return f"{self._id}|{self._created}"

    def _read_end(self, choice: Choice) -> None:
        if isinstance(choice.stop_reason, str):
            self._stop_sequence = choice.stop_reason

    def _count(self, wire: object, tier: object = None) -> None:
        usage = parse_usage(wire, tier)
        if usage is not None:
            self._usage = merge_usage(self._usage, usage)

    def _cite(self, citations: list[Citation]) -> None:
        if len(self._citations) < _MOST_CITATIONS:
            self._citations.update(dict.fromkeys(citations))
        else:
            self.losses.dropped("annotations", f"more than {_MOST_CITATIONS} sources")

    def _lose_unspoken(self, delta: Delta) -> None:
        for field in ("audio", "images", "executed_tools"):
            if getattr(delta, field):
                self.losses.dropped(field, "has no counterpart in other formats")
