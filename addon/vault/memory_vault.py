"""A vault that lasts as long as its process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from addon.vault.store import Limits

_OVERHEAD = 200
"""Bytes that an entry costs beside its key and value, about."""


class MemoryVault:
    """Keeps everything in memory, in the order of its last use."""

    def __init__(
        self,
        limits: Limits = Limits(size=64 << 20),  # noqa: B008 - immutable
        now: Callable[[], float] = time.time,
    ) -> None:
        self._limits = limits
        self._now = now
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, str], tuple[bytes, float]] = OrderedDict()
        self._size = 0

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep values, in place of older ones of the same key."""
        with self._lock:
            now = self._now()
            for key, value in values.items():
                self._remove((kind, key))
                self._entries[kind, key] = (bytes(value), now)
                self._size += _size(key, value)
            self._prune(now)

    def get(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys, and count it as used."""
        found: dict[str, bytes] = {}
        with self._lock:
            now = self._now()
            self._prune(now)
            for key in keys:
                entry = self._entries.get((kind, key))
                if entry is not None:
                    found[key] = entry[0]
                    self._entries[kind, key] = (entry[0], now)
                    self._entries.move_to_end((kind, key))
        return found

    def delete(self, kind: str, keys: Iterable[str]) -> None:
        """Forget these keys."""
        with self._lock:
            for key in keys:
                self._remove((kind, key))

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._size = 0

    def _remove(self, place: tuple[str, str]) -> None:
        entry = self._entries.pop(place, None)
        if entry is not None:
            self._size -= _size(place[1], entry[0])

    def _prune(self, now: float) -> None:
        oldest = now - self._limits.age
        while self._entries:
            place, (_, used) = next(iter(self._entries.items()))
            if self._size <= self._limits.size and used >= oldest:
                break
            self._remove(place)


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + _OVERHEAD
