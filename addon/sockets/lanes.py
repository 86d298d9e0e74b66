"""Which response may be made when: one at a time in each lane, some lanes beside one another."""

from __future__ import annotations

from collections import deque

from addon.neutral import ErrorInfo
from addon.sockets.messages import Create

MOST_LANES = 32
"""Different `stream_id`s that one socket may use, as at OpenAI."""
MOST_RUNNING = 16
"""Responses of one socket that are made at the same time."""
MOST_WAITING = 64


class Lanes:
    """The responses that one socket has been asked for and that have not ended."""

    def __init__(self) -> None:
        self._known: set[str | None] = {None}
        self._busy: set[str | None] = set()
        self._waiting: deque[Create] = deque()

    @property
    def running(self) -> int:
        """How many are being made."""
        return len(self._busy)

    def add(self, create: Create) -> ErrorInfo | None:
        """Let a response wait for its turn, or say why it may not."""
        if create.stream_id not in self._known and len(self._known) > MOST_LANES:
            message = f"A socket may use {MOST_LANES} different values of `stream_id`."
            return ErrorInfo("invalid_request", message, param="stream_id")
        if len(self._waiting) >= MOST_WAITING:
            return ErrorInfo("rate_limit", f"{MOST_WAITING} responses wait on this socket already.")
        self._known.add(create.stream_id)
        self._waiting.append(create)
        return None

    def begin_next(self) -> Create | None:
        """Return the next response that may be made now, if any."""
        if len(self._busy) >= MOST_RUNNING:
            return None
        for create in self._waiting:
            if create.stream_id not in self._busy:
                self._waiting.remove(create)
                self._busy.add(create.stream_id)
                return create
        return None

    def end(self, create: Create) -> None:
        """A response has ended, and its lane is free."""
        self._busy.discard(create.stream_id)

    def take_waiting(self) -> list[Create]:
        """Give up all that have not begun, and return them."""
        waiting = [*self._waiting]
        self._waiting.clear()
        return waiting
