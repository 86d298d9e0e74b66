"""Split a JSON array that arrives in pieces into its objects.

`streamGenerateContent` without `alt=sse` answers with one array, written object by object. The
reader finds where objects end; commas, brackets and blanks between them do not
matter, so objects one after the other are understood too.

Complexity: linear in the bytes fed, whatever the chunk sizes.
"""

from __future__ import annotations

import re
from typing import Any

from addon.wire.codec import decode_object
from addon.wire.sse import LIMIT, SseOverflowError

_BETWEEN = b"[], \t\r\n"
_OUTSIDE = re.compile(rb'["{}]')
_INSIDE = re.compile(rb'["\\]')


class JsonArrayReader:
    """Reads the objects of one stream, however the bytes are cut."""

    def __init__(self) -> None:
        self.end = 0
        """Where in the bytes last fed the last whole object ends; 0: none ended there."""
        self._pieces: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take the next bytes and return the objects that they complete.

        Raises:
            SseOverflowError: One object exceeds the limit that server-sent events have too.
        """
        self.end = 0
        if not self._depth:
            # Mostly a chunk is one object; the decoder then finds its end much faster.
            stripped = data.strip(_BETWEEN)
            single = stripped.startswith(b"{") and stripped.endswith(b"}")
            whole = decode_object(stripped) if single else None
            if whole is not None:
                self.end = data.rindex(b"}") + 1
                return [whole]
        return [wire for wire in map(decode_object, self._split(data)) if wire is not None]

    def _split(self, data: bytes) -> list[bytes]:
        objects: list[bytes] = []
        start = position = 0
        if self._escaped and data:
            self._escaped = False
            position = 1
        while (
            found := (_INSIDE if self._in_string else _OUTSIDE).search(data, position)
        ) is not None:
            position = found.end()
            match found[0]:
                case b'"':
                    # Outside of objects there is nothing that a string could belong to.
                    self._in_string = self._depth > 0 and not self._in_string
                case b"\\":
                    self._escaped = position == len(data)
                    position += 1
                case b"{":
                    if self._depth == 0:
                        start = position - 1
                    self._depth += 1
                case _:
                    if self._depth == 1:
                        objects.append(b"".join((*self._pieces, data[start:position])))
                        self._pieces, self._size = [], 0
                        self.end = position
                    self._depth = max(self._depth - 1, 0)
        if self._depth:
            self._keep(data[start:])
        return objects

    def _keep(self, rest: bytes) -> None:
        self._pieces.append(rest)
        self._size += len(rest)
        if self._size > LIMIT:
            raise SseOverflowError(f"one object exceeds {LIMIT} bytes")
