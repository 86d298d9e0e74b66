"""Results that are asked for again and again, within a bound.

Agents send the whole conversation with every call: what was made of its earlier messages is made
again each time, unless it is remembered.
"""

from __future__ import annotations

from collections.abc import Hashable


class Memo[K: Hashable, V]:
    """Remembers results by what they were made of, and lets go of those not asked for lately.

    There are two generations. What is asked for moves to the younger one; once that weighs half of
    what is allowed, it becomes the older one, and what was left in that is forgotten. So neither a
    look nor an entry costs more than a dictionary does, and threads may share it.
    """

    __slots__ = ("_half", "_older", "_weight", "_younger")

    def __init__(self, capacity: int) -> None:
        """Prepare.

        Args:
            capacity: What all that is remembered may weigh together, in bytes.
        """
        self._half = capacity // 2
        self._weight = 0
        self._younger: dict[K, tuple[V, int]] = {}
        self._older: dict[K, tuple[V, int]] = {}

    def get(self, key: K) -> V | None:
        """Return what was made of `key`; None when that is not remembered."""
        entry = self._younger.get(key)
        if entry is None:
            entry = self._older.get(key)
            if entry is None:
                return None
            self._enter(key, entry)
        return entry[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Remember what was made of `key`, unless it outweighs a generation.

        Args:
            key: What it was made of.
            value: The result, which nobody may change.
            weight: Bytes that the two take, about.
        """
        if weight <= self._half:
            self._enter(key, (value, weight))

    def _enter(self, key: K, entry: tuple[V, int]) -> None:
        if self._weight + entry[1] > self._half:
            self._older, self._younger, self._weight = self._younger, {}, 0
        self._younger[key] = entry
        self._weight += entry[1]
