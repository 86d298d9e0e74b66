"""Changes on their way to a vault's storage, and the thread that takes them there.

Nobody who puts waits for a disk or a network: changes wait in memory, where readers find them,
until the thread has stored them. What could not be stored goes on waiting, and is tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping

logger = logging.getLogger(__name__)

type Place = tuple[str, str]
"""Kind and key."""
type Changes = Mapping[Place, bytes | None]
"""New values; None: to be deleted."""

_MOST_PENDING = 64 << 20
"""Bytes that may wait; one who puts more waits as well, or, while nothing can be stored, costs the
oldest their place."""
RETRY_AFTER = 2.0
"""Seconds between two attempts to store while it fails."""


class WriteBehind:
    """Takes changes at once and stores them in a thread of its own."""

    def __init__(
        self, store: Callable[[Changes, set[Place]], bool], end: Callable[[], None]
    ) -> None:
        """Begin without a thread; the first change starts it.

        Args:
            store: Stores changes, marks places as used, and tells whether it could. Called in the
                thread; also without a change, to see whether it can again. What it
                raises for costs the changes in hand.
            end: Called in the thread after the last change.
        """
        self._store = store
        self._end = end
        self._changed = threading.Condition()
        self._pending: dict[Place, bytes | None] = {}
        self._in_hand: dict[Place, bytes | None] = {}
        """What is being stored at this moment."""
        self._pending_size = 0
        self._touched: set[Place] = set()
        self._failing = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def change(self, changes: Changes) -> None:
        """Take changes; readers see them from now on."""
        if not changes:
            return
        with self._changed:
            if self._closing:
                return
            self._start()
            self._changed.wait_for(lambda: self._failing or self._pending_size <= _MOST_PENDING)
            self._pending |= changes
            self._pending_size += _size(changes)
            if self._failing:
                self._forget_oldest()
            self._changed.notify_all()

    def read(self, kind: str, keys: Iterable[str]) -> tuple[dict[str, bytes], list[str]]:
        """Return what waits to be stored under these keys, and the keys of which nothing waits."""
        found: dict[str, bytes] = {}
        missing: list[str] = []
        with self._changed:
            for key in keys:
                place = (kind, key)
                waiting = self._pending if place in self._pending else self._in_hand
                if place not in waiting:
                    missing.append(key)
                elif (value := waiting[place]) is not None:
                    found[key] = value
        return found, missing

    def touch(self, places: set[Place]) -> None:
        """Mark places as used, together with the next change."""
        if places:
            with self._changed:
                self._touched |= places

    def retry(self) -> None:
        """Go on asking the storage whether it can be used, until it can."""
        with self._changed:
            if not self._closing:
                self._failing = True
                self._start()
                self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything taken so far has been stored, or could not be."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._in_hand and (self._failing or not self._pending)
            )

    def close(self) -> None:
        """Store what waits, if it can be stored, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="Detour vault", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._failing:
                    self._changed.wait_for(lambda: self._closing, RETRY_AFTER)
                else:
                    self._changed.wait_for(lambda: self._pending or self._closing or self._failing)
                    if self._failing and not self._closing:
                        continue
                closing = self._closing
                self._in_hand, self._pending = self._pending, {}
                self._pending_size = 0
                touched, self._touched = self._touched, set()
                self._changed.notify_all()
                if closing and not (self._in_hand or touched):
                    break
            try:
                stored = self._store(self._in_hand, touched)
            except Exception:  # entries that no store takes must not end the thread for all others
                logger.exception("what was to be kept cannot be; it is given up")
                stored = True
            with self._changed:
                self._failing = not stored
                if not stored:
                    self._pending = self._in_hand | self._pending
                    self._pending_size = _size(self._pending)
                    self._forget_oldest()
                self._in_hand = {}
                self._changed.notify_all()
                if closing:
                    break
        self._end()

    def _forget_oldest(self) -> None:
        while self._pending_size > _MOST_PENDING:
            place = next(iter(self._pending))
            self._pending_size -= len(self._pending.pop(place) or b"")


def _size(changes: Changes) -> int:
    return sum(len(value) for value in changes.values() if value is not None)
