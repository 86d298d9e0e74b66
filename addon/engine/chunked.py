"""Reads the body of an answer that comes in chunks (RFC 9112, section 7.1).

The client's own reader is general and makes several objects of every chunk. This one does the one
thing that streams need, and leaves the last chunk to the client, which so learns that the answer
has ended and that the connection may serve the next call.
"""

from __future__ import annotations

import re

_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")
_LONGEST_LINE = 8192


class ChunkedReader:
    """Takes the bytes of one body, cut anywhere."""

    def __init__(self) -> None:
        self._pending = b""
        self._left = 0
        self._line_end_left = 0
        self.rest: bytes | None = None
        """The last chunk and all that follows it, once it has come."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return what they hold of the body.

        Raises:
            ValueError: They are not chunks.
        """
        if self._pending:
            data, self._pending = self._pending + data, b""
        pieces: list[bytes] = []
        position, end = 0, len(data)
        while position < end:
            if self._left:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                self._line_end_left = 0 if self._left else 2
            elif self._line_end_left:
                position = self._skip_line_end(data, position)
            else:
                line_end = data.find(b"\r\n", position)
                if line_end < 0:
                    self._keep(data[position:])
                    break
                size = _size(data[position:line_end])
                if size == 0:
                    self.rest = data[position:]
                    break
                self._left = size
                position = line_end + 2
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _skip_line_end(self, data: bytes, position: int) -> int:
        due = b"\r\n"[-self._line_end_left :]
        found = data[position : position + len(due)]
        if not due.startswith(found):
            raise ValueError("a chunk is longer than it said")
        self._line_end_left -= len(found)
        return position + len(found)

    def _keep(self, beginning: bytes) -> None:
        if len(beginning) > _LONGEST_LINE:
            raise ValueError("the line before a chunk has no end")
        self._pending = beginning


def _size(line: bytes) -> int:
    match = _SIZE.fullmatch(line)
    if match is None:
        raise ValueError("the size of a chunk cannot be read")
    return int(match[1], 16)
