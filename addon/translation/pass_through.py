"""Pass a stream on whose format the agent speaks already: byte for byte (decision D3).

Only whole events are passed on, so that a comment may be put between any two of them and a stream
that was cut within an event can still be ended properly. A decoder reads along where there may be
something to learn: usage, and whether the end was orderly.
"""

from __future__ import annotations

from addon.formats.base import Format, StreamDecoder
from addon.neutral import Event
from addon.wire.json_stream import JsonArrayReader

_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r", b"\r\n\r\n")
_LONGEST_BLANK_LINE = 4


class WholeEvents:
    """Cuts a byte stream after whole events only, losing nothing.

    Events end in a blank line; those of a stream that is one JSON array (Gemini's, without
    `alt=sse`) are its objects.
    """

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._overlap = b""
        self._begun = False
        self._array: JsonArrayReader | None = None

    @property
    def is_array(self) -> bool:
        """Whether the stream is one JSON array, as far as its first byte has come."""
        return self._array is not None

    def feed(self, data: bytes) -> bytes:
        """Return all bytes up to the end of the last event that has been seen."""
        if not self._begun and (start := data.lstrip()[:1]):
            self._begun = True
            self._array = JsonArrayReader() if start == b"[" else None
        if self._array is not None:
            self._array.feed(data)
            return self._cut(data, self._array.end)
        if data.endswith(_BLANK_LINES):  # as nearly all do
            self._overlap = b""
            return self._cut(data, len(data))
        window = self._overlap + data
        end = max(
            (start + len(blank) for blank in _BLANK_LINES if (start := window.rfind(blank)) >= 0),
            default=0,
        )
        cut = end - len(self._overlap)
        if cut <= 0:
            self._tail.append(data)
            self._overlap = window[-(_LONGEST_BLANK_LINE - 1) :]
            return b""
        self._overlap = data[cut:][-(_LONGEST_BLANK_LINE - 1) :]
        return self._cut(data, cut)

    def _cut(self, data: bytes, cut: int) -> bytes:
        if cut == 0:
            self._tail.append(data)
            return b""
        whole = b"".join((*self._tail, data[:cut]))
        self._tail = [data[cut:]]
        return whole

    def rest(self) -> bytes:
        """Return what follows the last blank line."""
        rest = b"".join(self._tail)
        self._tail = []
        return rest


class PassThrough:
    """One stream on its way through."""

    def __init__(self, format: Format, decoder: StreamDecoder) -> None:
        self._format = format
        self._decoder = decoder
        self._bytes = WholeEvents()
        self._passed = b""
        """The events that were passed on last."""
        self._begun = False
        """Whether the decoder has seen the answer begin, which must not be taken for a delta."""

    @property
    def is_array(self) -> bool:
        """Whether the stream is one JSON array rather than server-sent events."""
        return self._bytes.is_array

    def splice(self, frame: bytes) -> bytes:
        """Return a last event, written as if it were the only one, as it must stand here."""
        if not self._passed:
            return frame
        if self.is_array:
            return b",\r\n" + frame.lstrip(b"[")
        return self._format.follow(self._passed, frame)

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        """Return the bytes to pass on, and the noteworthy events among them."""
        whole = self._bytes.feed(data)
        self._passed = whole or self._passed
        if not whole or (self._begun and self._format.only_deltas(whole)):
            return whole, []
        events = self._decoder.feed(whole)
        self._begun = self._begun or bool(events)
        return whole, events

    def close(self) -> tuple[bytes, list[Event]]:
        """Return the last bytes, and the events that only the end reveals."""
        rest = self._bytes.rest()
        return rest, self._decoder.feed(rest) + self._decoder.feed_eof()
