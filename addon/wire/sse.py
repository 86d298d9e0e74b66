"""Server-sent events, in and out.

The decoder follows the WHATWG rules (https://html.spec.whatwg.org/multipage/server-sent-events.html):
lines end in LF, CR or CRLF, fields may lack the space after the colon, comments are skipped, an
event may have several `data:` lines. Beyond them, an event that the stream's end cuts off before
its blank line is still delivered by `flush` when it is complete by other signs: providers do leave
the last blank line out. And an error that a server of local models writes between events is one:
Ollama writes the bare JSON object, and older llama.cpp have a field `error:` for it.

Complexity: linear in the bytes fed, whatever the chunk sizes; a long line is joined once.
"""

from __future__ import annotations

import msgspec

LIMIT = 64 * 1024 * 1024
"""Most bytes that one event may hold; a provider that sends more is broken or hostile."""


class SseEvent(msgspec.Struct, frozen=True, gc=False):
    """One dispatched event."""

    name: bytes
    """The `event:` field, empty when there was none."""
    data: bytes
    """The `data:` lines joined by LF."""


class SseOverflowError(ValueError):
    """One event exceeds `LIMIT`."""


class SseDecoder:
    """Splits a byte stream into events, however the bytes are cut."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._data: list[bytes] = []
        self._name = b""
        self._size = 0
        self._after_carriage_return = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Take the next bytes and return the events that they complete.

        Raises:
            SseOverflowError: One event exceeds `LIMIT` bytes.
        """
        if self._at_start:
            chunk = self._strip_byte_order_mark(chunk)
        if self._after_carriage_return and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_carriage_return = False
        if not chunk:
            return []
        self._size += len(chunk)
        last = chunk[-1]
        self._after_carriage_return = last == 13
        complete = last in (10, 13)
        lines = chunk.splitlines()
        if self._pieces:
            self._pieces.append(lines[0])
            if len(lines) == 1 and not complete:
                self._check_size()
                return []
            lines[0] = b"".join(self._pieces)
            self._pieces = []
        if not complete:
            self._pieces.append(lines.pop())
        events = self._take_lines(lines)
        if events:
            self._size = len(self._pieces[0]) if self._pieces else 0
        else:
            self._check_size()
        return events

    def flush(self) -> list[SseEvent]:
        """Return the event that the end of the stream left without its blank line, if any."""
        lines = [b"".join(self._pieces), b""] if self._pieces else [b""]
        self._pieces = []
        return self._take_lines(lines)

    def _take_lines(self, lines: list[bytes]) -> list[SseEvent]:
        events: list[SseEvent] = []
        for line in lines:
            if line[:5] == b"data:":
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line:
                if self._data:
                    data = self._data
                    joined = data[0] if len(data) == 1 else b"\n".join(data)
                    events.append(SseEvent(self._name, joined))
                    self._data = []
                self._name = b""
            elif line[:6] == b"event:":
                self._name = line[7:] if line[6:7] == b" " else line[6:]
            elif line == b"data":
                self._data.append(b"")
            elif line[:6] == b"error:":
                events.append(SseEvent(b"error", line[6:].lstrip()))
            elif line[:1] == b"{" and line[-1:] == b"}" and not self._data:
                events.append(SseEvent(b"", line))
        return events

    def _strip_byte_order_mark(self, chunk: bytes) -> bytes:
        chunk = b"".join((*self._pieces, chunk))
        self._pieces = []
        if len(chunk) < 3 and b"\xef\xbb\xbf".startswith(chunk):
            if chunk:
                self._pieces = [chunk]
            return b""
        self._at_start = False
        return chunk.removeprefix(b"\xef\xbb\xbf")

    def _check_size(self) -> None:
        if self._size > LIMIT:
            raise SseOverflowError(f"one event exceeds {LIMIT} bytes")


def frame(data: bytes, name: bytes = b"") -> bytes:
    """Write one event; `data` must hold no line break, as compact JSON never does."""
    if name:
        return b"event: " + name + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"


COMMENT = b": keep-alive\n\n"
"""Legal between any two events and ignored by every client but google-genai."""
