"""State that has been looked up or kept lately.

Agents send the whole conversation with every call, so that each call asks for the state of the same
turns again; a look into the vault costs as much as half the translation of such a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Protocol

import msgspec

from addon.translation.remembering import STATE

KEPT_FOR = 300.0
"""Seconds for which state that was found is known; then the vault learns that it is in use."""
ABSENT_FOR = 10.0
"""Seconds for which nothing is known to be kept: another process may be about to keep it."""
MOST_BYTES = 8 << 20
_OVERHEAD = 200
"""Bytes that an entry takes beside its value, about."""


class Store(Protocol):
    """Where state is kept: a vault."""

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep values, in place of older ones of the same key."""
        ...

    def get(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys."""
        ...


class _Entry(msgspec.Struct, gc=False):
    value: bytes | None
    until: float

    @property
    def size(self) -> int:
        """Bytes that the entry takes."""
        return _OVERHEAD + len(self.value or b"")


class KnownState:
    """Stands before a store and asks it for what it does not know itself."""

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._size = 0

    def put(self, values: Mapping[str, bytes]) -> None:
        """Keep state, in place of older state of the same key."""
        self._store.put(STATE, values)
        until = self._clock() + KEPT_FOR
        for key, value in values.items():
            self._learn(key, _Entry(value, until))

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys."""
        now = self._clock()
        found: dict[str, bytes] = {}
        unknown: list[str] = []
        for key in keys:
            entry = self._entries.get(key)
            if entry is None or entry.until <= now:
                unknown.append(key)
            elif entry.value is not None:
                found[key] = entry.value
        if unknown:
            kept = self._store.get(STATE, unknown)
            found |= kept
            for key in unknown:
                value = kept.get(key)
                lasts = ABSENT_FOR if value is None else KEPT_FOR
                self._learn(key, _Entry(value, now + lasts))
        return found

    def _learn(self, key: str, entry: _Entry) -> None:
        """Know an entry, and forget the oldest ones for it."""
        if (old := self._entries.pop(key, None)) is not None:
            self._size -= old.size
        if entry.size > MOST_BYTES:
            return
        self._entries[key] = entry
        self._size += entry.size
        while self._size > MOST_BYTES:
            self._size -= self._entries.pop(next(iter(self._entries))).size
