"""What providers sent in answer to a call, as it came, and when: for people who look into it.

Only a beginning and an end are kept, so that memory has a bound; to add a piece takes a fraction of
a microsecond. Keys are not taken out here: whoever shows a tape does that, see `Take.secrets`.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import NamedTuple

PIECE = 64
"""Bytes that a piece is counted to take beside its content."""


class Take(NamedTuple):
    """One answer on a tape: of one attempt, or of one request of several."""

    time: float
    """When its status and headers were there, by the monotonic clock."""
    provider: str
    model: str
    format: str
    status: int
    secrets: tuple[str, ...]
    """Headers' values that a provider may quote, and nobody may see."""


type Piece = tuple[float, bytes]


class Tape:
    """Keeps the first and the last bytes of all answers to a call."""

    def __init__(self, limit: int) -> None:
        """Begin an empty tape.

        Args:
            limit: Most bytes to keep, at least 2; half of them are for the beginning.
        """
        self.takes: list[Take] = []
        self.first: list[Piece] = []
        """The beginning, with the times at which its pieces came."""
        self.last: deque[Piece] = deque()
        """What came last."""
        self.left_out = 0
        """Bytes between the two that are not kept."""
        self._half = limit // 2
        self._room = self._half
        self._tail = 0

    def begin(self, take: Take) -> None:
        """An answer begins."""
        self.takes.append(take)

    def add(self, data: bytes) -> None:
        """Keep a piece of the answer that has begun last."""
        if self._room > 0:
            room, self._room = self._room, self._room - len(data) - PIECE
            self.first.append((monotonic(), data[:room]))
            if len(data) <= room:
                return
            data = data[room:]
        end = data[-self._half :]
        self.last.append((monotonic(), end))
        self.left_out += len(data) - len(end)
        self._tail += len(end) + PIECE
        while self._tail > self._half and len(self.last) > 1:
            gone = self.last.popleft()[1]
            self.left_out += len(gone)
            self._tail -= len(gone) + PIECE
