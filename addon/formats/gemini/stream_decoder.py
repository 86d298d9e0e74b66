"""Read an answer of `generateContent` or `streamGenerateContent`: from chunks to the hub's events.

Follows https://ai.google.dev/api/generate-content. Each chunk is a whole response object whose
parts continue those before; there is no last event, the stream just ends. Three framings are read:
server-sent events, a JSON array in pieces, and a bare JSON object (an error, or a provider that did
not stream). The wire is not trusted: fields may be missing, null, repeated or of the wrong type,
and the bytes may end anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, override

import msgspec

from addon.formats.gemini.answer_parts import AnswerParts
from addon.formats.gemini.errors import parse_error_object
from addon.formats.gemini.finish_reasons import (
    broken_answer,
    finish_reason,
    read_block_reason,
    read_reason,
)
from addon.formats.gemini.plain_chunk import PlainChunk, read_plain_chunk
from addon.formats.gemini.usage import parse_usage
from addon.neutral import (
    ErrorInfo,
    Event,
    Loss,
    LossList,
    ResponseEnd,
    ResponseStart,
)
from addon.wire.answer_decoder import AnswerDecoder
from addon.wire.codec import decode_object
from addon.wire.json_stream import JsonArrayReader
from addon.wire.reading import mapping, sequence, text
from addon.wire.sse import SseEvent

_BLANKS = b" \t\r\n\xef\xbb\xbf"
_LONGEST_TAIL = 64 * 1024
_MOST_TRIES = 16


class GeminiDecoder(AnswerDecoder):
    """Reads one stream."""

    def __init__(self) -> None:
        super().__init__()
        self._sniffed = False
        self._json: JsonArrayReader | None = None
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._started = False
        self._finish = ""
        self._finish_message = ""
        self._block_reason = ""
        self._usage: dict[str, Any] = {}
        self._latest_usage = msgspec.Raw()
        self._losses = LossList()
        self._parts = AnswerParts(self._losses)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Parts and candidates that have no counterpart in the hub."""
        return self._losses.to_tuple()

    @override
    def _end(self) -> list[Event]:
        if self._finish or self._block_reason:
            return self._finish_answer()
        error = self._find_bare_error()
        return self._cut() if error is None else self._fail(error)

    def read_whole(self, chunks: Iterable[dict[str, Any]]) -> list[Event]:
        """Read an answer that was not streamed and is complete by its nature."""
        events = self._take_chunks(chunks)
        return events if self._ended else events + self._finish_answer()

    @override
    def _read(self, data: bytes) -> list[Event]:
        """Read the next bytes in the stream's framing, once its first byte has told it."""
        if self._json is not None:
            return self._take_chunks(self._json.feed(data))
        if self._sniffed:
            incoming = self._sse.feed(data)
            if incoming:
                self._tail, self._tail_size = [data], len(data)
            elif self._tail_size < _LONGEST_TAIL:
                self._tail.append(data)
                self._tail_size += len(data)
            return self._take(incoming)
        data = b"".join((*self._tail, data)).lstrip(_BLANKS)
        self._tail = []
        if not data:
            return []
        if data[:1] in (b"[", b"{"):
            self._json = JsonArrayReader()
        self._sniffed = True
        return self._read(data)

    def _find_bare_error(self) -> ErrorInfo | None:
        """Find an error that stands as bare JSON behind the last event."""
        lines = b"".join(self._tail).splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith((b"{", b"[{"))]
        for start in starts[-_MOST_TRIES:]:
            wire = decode_object(b"\n".join(lines[start:]).strip(b"[]," + _BLANKS))
            if wire is not None and wire.get("error"):
                return parse_error_object(wire, None)
        return None

    @override
    def _take(self, incoming: list[SseEvent]) -> list[Event]:
        return self._take_documents([event.data for event in incoming])

    def _take_documents(self, documents: Iterable[bytes]) -> list[Event]:
        events: list[Event] = []
        for data in documents:
            plain = read_plain_chunk(data) if self._started else None
            if plain is not None:
                self._take_plain_chunk(plain, events)
                continue
            wire = decode_object(data)
            events += self._take_unreadable(data) if wire is None else self._take_chunk(wire)
            if self._ended:
                break
        return events

    def _take_plain_chunk(self, chunk: PlainChunk, events: list[Event]) -> None:
        if chunk.usage_metadata:
            self._latest_usage = chunk.usage_metadata
        for candidate in chunk.candidates:
            for part in candidate.content.parts:
                self._parts.take_words(part.text, events, thought=part.thought)

    def _take_chunks(self, chunks: Iterable[dict[str, Any]]) -> list[Event]:
        events: list[Event] = []
        for wire in chunks:
            events += self._take_chunk(wire)
            if self._ended:
                break
        return events

    def _take_unreadable(self, data: bytes) -> list[Event]:
        """Take what is no JSON object: perhaps several, where blank lines were left out."""
        lines = data.splitlines()
        if len(lines) > 1:
            return self._take_documents(lines)
        if data.strip() not in (b"", b"[DONE]"):
            self._losses.dropped("stream", "an event that is not a JSON object")
        return []

    def _take_chunk(self, wire: dict[str, Any]) -> list[Event]:
        if wire.get("error"):
            return self._fail(parse_error_object(wire, None))
        if "usageMetadata" in wire:
            self._count()
            self._usage.update(mapping(wire["usageMetadata"]))
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(self._start(wire))
        if "promptFeedback" in wire:
            self._take_feedback(mapping(wire["promptFeedback"]))
        for value in sequence(wire.get("candidates")):
            candidate = mapping(value)
            if candidate.get("index"):
                self._losses.dropped("candidates", "answers beyond the first")
            else:
                self._take_candidate(candidate, events)
        return events

    def _count(self) -> None:
        """Take the counts of the last plain chunk; they are cumulative, so the last holds."""
        if self._latest_usage:
            self._usage.update(decode_object(bytes(self._latest_usage)) or {})
            self._latest_usage = msgspec.Raw()

    def _start(self, wire: dict[str, Any]) -> ResponseStart:
        identifier = text(wire.get("responseId"))
        self._parts.response_id = identifier
        return ResponseStart(identifier, text(wire.get("modelVersion")), parse_usage(self._usage))

    def _take_feedback(self, feedback: dict[str, Any]) -> None:
        reason = read_block_reason(feedback.get("blockReason"))
        if reason:
            self._block_reason = reason
            self._finish_message = text(feedback.get("blockReasonMessage"))

    def _take_candidate(self, candidate: dict[str, Any], events: list[Event]) -> None:
        if candidate.get("groundingMetadata"):  # before a call ends the text that it belongs to
            self._parts.grounding = mapping(candidate["groundingMetadata"])
        for part in sequence(mapping(candidate.get("content")).get("parts")):
            self._parts.take(mapping(part), events)
        if "finishReason" in candidate:
            reason = read_reason(candidate["finishReason"])
            if reason and reason != "FINISH_REASON_UNSPECIFIED":
                self._finish = reason
                self._finish_message = text(candidate.get("finishMessage")) or self._finish_message
        if "citationMetadata" in candidate:
            self._losses.dropped("citationMetadata", "sources that the model may have recited")

    def _finish_answer(self) -> list[Event]:
        """End the answer in good order."""
        events: list[Event] = []
        if not self._started:
            events.append(self._start({}))
        broken = broken_answer(self._finish, self._finish_message)
        if broken is not None:
            return events + self._fail(broken)
        self._ended = True
        if self._block_reason and not self._finish:
            raw, reason = self._block_reason, "content_filter"
        else:
            raw, reason = self._finish, finish_reason(self._finish, called=self._parts.called)
        if raw == "CONTINUATION":
            self._losses.approximated("finishReason", "the rest would have to be asked for")
        self._count()
        self._parts.finish(events, self._finish_message if reason == "content_filter" else "")
        events.append(ResponseEnd(reason, raw or None, None, parse_usage(self._usage)))
        return events
