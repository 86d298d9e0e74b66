"""The parts of one answer: from the wire's increments to the hub's parts.

Words and thoughts arrive in pieces that continue one another; calls arrive whole, or in pieces that
are put together here. A signature belongs to the part that it stands on, and a signed part is never
continued: Gemini refuses signatures on parts that were put together by others
(https://ai.google.dev/gemini-api/docs/thought-signatures).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from addon.formats.gemini.grounding import concerns_words_before, parse_grounding
from addon.formats.gemini.names import NAME
from addon.formats.gemini.streamed_arguments import StreamedArguments
from addon.neutral import (
    Event,
    LossList,
    OpaqueState,
    PartEnd,
    PartStart,
    ReasoningDelta,
    SignatureDelta,
    TextDelta,
    ToolCallDelta,
)
from addon.wire.codec import encode_text
from addon.wire.reading import mapping, text


class AnswerParts:
    """The parts of one answer, as far as they have arrived."""

    def __init__(self, losses: LossList) -> None:
        self.response_id = ""
        """The provider's name for the answer, from which missing call ids are made."""
        self.called = False
        """Whether the answer holds a call."""
        self.grounding: dict[str, Any] = {}
        """The sources, as last reported."""
        self._cited = False
        self._uncited_bytes = 0
        """How much text had passed before its sources were known."""
        self._losses = losses
        self._count = 0
        self._open: str | None = None
        self._sealed = False
        self._words: list[str] = []
        self._bytes_before = 0
        self._call: PartStart | None = None
        self._call_state: OpaqueState | None = None
        self._arguments = StreamedArguments()
        self._call_ids: set[str] = set()
        self._handlers: dict[str, Callable[[dict[str, Any], list[Event]], None]] = {
            "functionCall": self._take_call,
            "executableCode": self._take_code,
            "codeExecutionResult": self._take_code_result,
        }

    def take(self, part: dict[str, Any], events: list[Event]) -> None:
        """Take one part of a chunk; append the events that it amounts to."""
        words = part.get("text")
        if type(words) is str:
            signature = part.get("thoughtSignature")
            thought = part.get("thought") is True
            if signature:
                kind = "reasoning" if thought else "text"
                self._take_words(kind, words, signature, events)
            else:
                self.take_words(words, events, thought=thought)
            return
        for kind, handler in self._handlers.items():
            if kind in part:
                handler(part, events)
                return
        self._take_other(part, events)

    def take_words(self, words: str, events: list[Event], *, thought: bool) -> None:
        """Take words without a signature."""
        kind = "reasoning" if thought else "text"
        if kind == self._open and not self._sealed and words:
            self._more_words(kind, words, events)
        elif words:
            self._take_words(kind, words, None, events)

    def finish(self, events: list[Event], refusal: str) -> None:
        """Complete what is open; then say why the provider refused, if it did and said so."""
        self._end_call(events)
        self._close(events)
        if self.grounding.get("groundingChunks") and (
            not self._cited or concerns_words_before(self.grounding, self._uncited_bytes)
        ):
            self._losses.dropped("groundingMetadata", "sources of words that had passed already")
        if refusal:
            index = self._count
            events += (PartStart(index, "refusal"), TextDelta(index, refusal), PartEnd(index))

    def _take_words(self, kind: str, words: str, signature: object, events: list[Event]) -> None:
        self._end_call(events)
        joins = self._open == kind and not self._sealed
        if joins and signature and words and self._words:
            joins = False  # a signed piece stays what it was
        if not joins:
            # The signature of an empty piece vouches for what stands before it.
            if not words and self._open is not None and not self._sealed:
                self._sign(signature, events)
                return
            self._close(events)
            start = PartStart(self._count, "reasoning" if kind == "reasoning" else "text")
            events.append(start)
            self._count += 1
            self._open = kind
        if words:
            self._more_words(kind, words, events)
        if signature:
            self._sign(signature, events)

    def _more_words(self, kind: str, words: str, events: list[Event]) -> None:
        index = self._count - 1
        self._words.append(words)
        events.append(TextDelta(index, words) if kind == "text" else ReasoningDelta(index, words))

    def _sign(self, signature: object, events: list[Event]) -> None:
        if type(signature) is str and signature:
            self._sealed = True
            events.append(SignatureDelta(self._count - 1, OpaqueState(NAME, signature)))

    def _close(self, events: list[Event]) -> None:
        if self._open is None:
            return
        citations = ()
        if self._open == "text":
            words = "".join(self._words)
            before = self._bytes_before
            self._bytes_before += len(words.encode("utf-8", "replace"))
            if not self.grounding.get("groundingChunks"):
                self._uncited_bytes = self._bytes_before
            elif self.grounding.get("groundingSupports") or not self._cited:
                citations = parse_grounding(self.grounding, before, words)
                self._cited = True
        events.append(PartEnd(self._count - 1, citations))
        self._open = None
        self._sealed = False
        self._words = []

    def _take_call(self, part: dict[str, Any], events: list[Event]) -> None:
        wire = mapping(part["functionCall"])
        name = text(wire.get("name"))
        continues = wire.get("willContinue") is True
        if name:
            self._end_call(events)
            self._close(events)
            self._begin_call(name, wire, events)
        if self._call is None:
            return  # an end marker after a call that was whole already
        signature = text(part.get("thoughtSignature"))
        if signature:
            self._call_state = OpaqueState(NAME, signature)
        self._arguments.value.update(mapping(wire.get("args")))
        self._arguments.add(wire.get("partialArgs"))
        if not continues:
            self._end_call(events)

    def _begin_call(self, name: str, wire: dict[str, Any], events: list[Event]) -> None:
        call_id = text(wire.get("id"))
        if not call_id or call_id in self._call_ids:
            call_id = self._mint(name, wire)
        self._call_ids.add(call_id)
        self._call = PartStart(self._count, "tool_call", call_id, name)
        self._call_state = None
        self._arguments = StreamedArguments()
        self._count += 1
        self.called = True
        events.append(self._call)

    def _end_call(self, events: list[Event]) -> None:
        if self._call is None:
            return
        index = self._call.index
        events.append(ToolCallDelta(index, encode_text(self._arguments.finish())))
        if self._call_state is not None:
            events.append(SignatureDelta(index, self._call_state))
        events.append(PartEnd(index))
        self._call = None

    def _mint(self, name: str, wire: dict[str, Any]) -> str:
        """Make an id where the provider gave none: the same one for the same answer."""
        source = self.response_id or encode_text([name, wire.get("args")])
        digest = hashlib.sha256(f"{source}\n{self._count}".encode("utf-8", "replace")).hexdigest()
        return f"call_{digest[:24]}"

    def _take_code(self, part: dict[str, Any], events: list[Event]) -> None:
        code = mapping(part["executableCode"])
        language = text(code.get("language")).lower()
        self._take_fenced(language, text(code.get("code")), events)

    def _take_code_result(self, part: dict[str, Any], events: list[Event]) -> None:
        result = mapping(part["codeExecutionResult"])
        self._take_fenced("", text(result.get("output")), events)

    def _take_fenced(self, language: str, words: str, events: list[Event]) -> None:
        """Show code that the provider ran, or what it printed, as a text part of its own."""
        self._losses.approximated("codeExecution", "code and its output became text")
        self._end_call(events)
        self._close(events)
        before = self._bytes_before
        ending = "" if words.endswith("\n") else "\n"
        self._take_words("text", f"\n```{language}\n{words}{ending}```\n", None, events)
        self._close(events)
        self._bytes_before = before  # the provider does not count it among its words

    def _take_other(self, part: dict[str, Any], events: list[Event]) -> None:
        signature = text(part.get("thoughtSignature"))
        kinds = [kind for kind in part if kind not in ("thought", "thoughtSignature")]
        for kind in kinds:
            self._losses.dropped(f"parts.{kind}", "has no place in an answer")
        if signature and not kinds:
            self._take_words("text", "", signature, events)
