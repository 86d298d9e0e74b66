"""Tells pages what happens: to each as much as it takes in, and never more than fits in its queue.

What is said of one thing later replaces what was said of it before, so a page that is slow loses
steps and never the outcome. A page that comes back names the last event it has seen; it gets what
it has missed, or is told to read everything anew.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

MOST_PENDING = 500
"""Events that wait for one page; where more do, it has to read everything anew."""
MOST_RECENT = 1000
"""Events that are kept for pages that come back."""
MEMORY = 60.0
"""Seconds for which events are kept after the last page has gone."""
MOST_LISTENERS = 100


class Event(NamedTuple):
    """One thing to tell."""

    id: str
    kind: str
    key: str
    """What it is about; a later event of the same kind and key replaces it."""
    data: bytes
    """JSON."""

    def encode(self) -> bytes:
        """Write it as a page reads it."""
        head = f"id: {self.id}\nevent: {self.kind}\ndata: ".encode()
        return b"%b%b\n\n" % (head, self.data)


class Listener:
    """What one page has not been told yet."""

    def __init__(self) -> None:
        self._pending: OrderedDict[tuple[str, str], Event] = OrderedDict()
        self._changed = asyncio.Event()
        self.closed = False

    def offer(self, event: Event) -> None:
        """Let it know of an event, in place of what it has not taken of the same thing."""
        place = event.kind, event.key
        self._pending.pop(place, None)
        self._pending[place] = event
        if len(self._pending) > MOST_PENDING:
            self._pending.clear()
            self._pending["reset", ""] = Event(event.id, "reset", "", b"{}")
        self._changed.set()

    def close(self) -> None:
        """Let it know that nothing more will come."""
        self.closed = True
        self._changed.set()

    async def take(self, patience: float) -> list[Event]:
        """Wait for events and return them; none where none came in time."""
        if not self._pending and not self.closed:
            try:
                async with asyncio.timeout(patience):
                    await self._changed.wait()
            except TimeoutError:
                return []
        events = list(self._pending.values())
        self._pending.clear()
        self._changed.clear()
        return events


class Hub:
    """Passes events to all listeners; for the thread of the event loop."""

    def __init__(self) -> None:
        """Begin; an event loop must be running."""
        self._loop = asyncio.get_running_loop()
        self._listeners: set[Listener] = set()
        self._recent: deque[Event] = deque(maxlen=MOST_RECENT)
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._gone = float("-inf")
        """When the last listener went."""

    @property
    def listens(self) -> bool:
        """Whether anybody listens, or did a moment ago and may come back."""
        return bool(self._listeners) or self._loop.time() < self._gone + MEMORY

    @property
    def count(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def publish(self, kind: str, document: object, key: str = "") -> None:
        """Tell all who listen; costs nothing where nobody does."""
        self._number += 1
        if not self.listens:
            self._recent.clear()
            return
        data = msgspec.json.encode(document)
        event = Event(f"{self._epoch}-{self._number}", kind, key, data)
        self._recent.append(event)
        for listener in self._listeners:
            listener.offer(event)

    @contextmanager
    def listening(self, last: str = "") -> Generator[Listener]:
        """Listen for the length of a block.

        Args:
            last: The id of the last event that the page has seen.
        """
        listener = Listener()
        for event in self._missed(last) if last else ():
            listener.offer(event)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._gone = self._loop.time()

    def close(self) -> None:
        """Send all listeners home."""
        for listener in self._listeners:
            listener.close()

    def _missed(self, last: str) -> list[Event]:
        epoch, _, number = last.rpartition("-")
        seen = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else -1
        oldest = self._number - len(self._recent)
        if epoch != self._epoch or not oldest <= seen <= self._number:
            return [Event(f"{self._epoch}-{self._number}", "reset", "", b"{}")]
        return list(self._recent)[seen - oldest :]
