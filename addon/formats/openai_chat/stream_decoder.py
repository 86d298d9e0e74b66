"""Read a stream of `POST /chat/completions`: from server-sent events to the hub's events.

    chunk* [DONE], with comments anywhere and an error in the place of any chunk

Follows https://platform.openai.com/docs/api-reference/chat-streaming and, because the wire is not
trusted, nothing too closely: bytes may end anywhere, chunks may be of any shape, `[DONE]` may be
missing, and a provider may answer in plain JSON instead.
"""

from __future__ import annotations

from typing import override

import msgspec

from addon.formats.openai_chat.answer_reader import AnswerReader
from addon.formats.openai_chat.chunk import Chunk, decode_chunk, read_chunk
from addon.formats.openai_chat.errors import find_error_object
from addon.neutral import ErrorInfo, Event, Loss
from addon.wire.answer_decoder import AnswerDecoder
from addon.wire.codec import decode_object
from addon.wire.openai_errors import parse_error_object
from addon.wire.sse import LIMIT, SseEvent

_BLANKS = b" \t\r\n\xef\xbb\xbf"


class ChatDecoder(AnswerDecoder):
    """Reads one stream."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = AnswerReader()
        self._plain: list[bytes] | None = None
        self._plain_size = 0
        self._sniffed = False

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What has no counterpart in the hub."""
        return self._answer.losses.to_tuple()

    @override
    def _read(self, data: bytes) -> list[Event]:
        if not self._sniffed:
            self._sniff(data)
        return super()._read(data) if self._plain is None else self._collect(self._plain, data)

    @override
    def _end(self) -> list[Event]:
        if self._plain is not None:
            return self._read_plain(b"".join(self._plain))
        return self._finish() if self._answer.finish_reason else self._cut()

    def _sniff(self, data: bytes) -> None:
        """Recognise a provider that answers in JSON though a stream was asked for."""
        start = data.lstrip(_BLANKS)[:1]
        if start:
            self._sniffed = True
            self._plain = [] if start in b"{[" else None

    def _collect(self, pieces: list[bytes], data: bytes) -> list[Event]:
        pieces.append(data)
        self._plain_size += len(data)
        if self._plain_size > LIMIT:
            return self._fail(ErrorInfo("server_error", f"the answer exceeds {LIMIT} bytes"))
        return []

    @override
    def _take(self, incoming: list[SseEvent]) -> list[Event]:
        events: list[Event] = []
        for event in incoming:
            data = event.data
            if data.startswith(b"[DONE]"):
                events += self._finish() if self._answer.started else self._cut()
                break
            try:
                chunk = decode_chunk(data)
            except (msgspec.DecodeError, RecursionError):
                chunk = None
            if chunk is None or chunk.error or event.name == b"error":
                chunk, error = self._read_odd(event.name, data)
                if error is not None:
                    events += self._fail(error)
                    break
            if chunk is not None:
                events += self._answer.read(chunk)
        return events

    def _read_odd(self, name: bytes, data: bytes) -> tuple[Chunk | None, ErrorInfo | None]:
        """Read an event that is no chunk at first sight: an error, another shape, or nothing."""
        wire = decode_object(data)
        if wire is None:
            if self._closed or not data.strip():
                return None, None  # the caller sees the cut
            if data.lstrip().startswith(b"{"):
                message = "the provider sent an event that is not JSON"
                return None, ErrorInfo("server_error", message, code="unreadable_response")
            self._answer.losses.dropped("stream", "an event that is not JSON")
            return None, None
        error = parse_error_object(wire) if name == b"error" else find_error_object(wire)
        return read_chunk(wire), error

    def _read_plain(self, body: bytes) -> list[Event]:
        """Read an answer that came whole."""
        wire = decode_object(body.strip(_BLANKS))
        error = find_error_object(wire) if wire is not None else None
        if error is not None:
            return self._fail(error)
        chunk = read_chunk(wire or {})
        if not chunk.choices:
            return self._cut()
        self._ended = True
        return self._answer.read(chunk, whole=True) + self._answer.end()

    def _finish(self) -> list[Event]:
        self._ended = True
        return self._answer.end()
