"""What runs of recurring messages were written as."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import msgspec

from addon.neutral import Loss, LossList, Message
from addon.wire.codec import encode
from addon.wire.memo import Memo

_CAPACITY = 16 << 20
"""Bytes that each format may remember of what it wrote."""
_OVERHEAD = 500
"""Bytes that a run takes beside its text, about."""


class _Written[T](msgspec.Struct, frozen=True):
    result: T
    losses: tuple[Loss, ...]
    run: tuple[Message, ...]
    """Kept, so that no other message gets the identity of one of these."""


class WrittenRuns[T]:
    """Writes runs of recurring messages, each of them once.

    A run is what one side says before the other side speaks again. What it is written as must
    depend on nothing but the run and the context given with it, and nobody may change it.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Memo[tuple[Hashable, ...], _Written[T]] = Memo(_CAPACITY)

    def write(
        self,
        run: Sequence[Message],
        context: tuple[Hashable, ...],
        losses: LossList,
        write: Callable[[LossList], T],
    ) -> T:
        """Return what a run is written as.

        Args:
            run: Its messages, out of `Recurring` ones.
            context: What else the result depends on.
            losses: Takes what had to be repaired or left out.
            write: Writes the run as JSON values, and tells the losses of doing so. What it raises
                is not remembered.
        """
        key = (*context, *map(id, run))
        known = self._known.get(key)
        if known is None:
            own = LossList()
            result: Any = write(own)
            known = _Written[T](result, own.to_tuple(), tuple(run))
            self._known.put(key, known, _OVERHEAD + len(encode(result)))
        if known.losses:
            losses.extend(known.losses)
        return known.result
