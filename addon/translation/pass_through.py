"""Pass a stream on whose format the agent speaks already: byte for byte (decision D3).

Only whole events are passed on, so that a comment may be put between any two of them and a stream
that was cut within an event can still be ended properly. A decoder reads along where there may be
something to learn: usage, and whether the end was orderly.
"""

from __future__ import annotations

from addon.formats.base import Format, StreamDecoder
from addon.neutral import Event

_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r", b"\r\n\r\n")
_LONGEST_BLANK_LINE = 4


class WholeEvents:
    """Cuts a byte stream after blank lines only, losing nothing."""

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._overlap = b""

    def feed(self, data: bytes) -> bytes:
        """Return all bytes up to the last blank line that has been seen."""
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
        whole = b"".join((*self._tail, data[:cut]))
        self._tail = [data[cut:]]
        self._overlap = data[cut:][-(_LONGEST_BLANK_LINE - 1) :]
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

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        """Return the bytes to pass on, and the noteworthy events among them."""
        whole = self._bytes.feed(data)
        if not whole or self._format.only_deltas(whole):
            return whole, []
        return whole, self._decoder.feed(whole)

    def close(self) -> tuple[bytes, list[Event]]:
        """Return the last bytes, and the events that only the end reveals."""
        rest = self._bytes.rest()
        return rest, self._decoder.feed(rest) + self._decoder.feed_eof()
