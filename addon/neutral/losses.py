"""The loss list: whatever a translation could not keep, named."""

from __future__ import annotations

from typing import Literal

import msgspec

type LossAction = Literal["dropped", "approximated", "emulated"]


class Loss(msgspec.Struct, frozen=True):
    """One thing that does not reach the other side as it was meant."""

    field: str
    """Where it stood, in the words of the format it came from: `logit_bias`, `messages[3].name`."""
    reason: str
    action: LossAction = "dropped"


class LossList:
    """Collects losses in order, each field and reason once.

    A stream may lose the same thing a thousand times; people want to read it once.
    """

    def __init__(self) -> None:
        self._losses: dict[Loss, None] = {}

    def dropped(self, field: str, reason: str) -> None:
        """Record that `field` was left out."""
        self._losses[Loss(field, reason, "dropped")] = None

    def approximated(self, field: str, reason: str) -> None:
        """Record that `field` was replaced by the nearest thing the target has."""
        self._losses[Loss(field, reason, "approximated")] = None

    def emulated(self, field: str, reason: str) -> None:
        """Record that `field` has its effect by other means."""
        self._losses[Loss(field, reason, "emulated")] = None

    def extend(self, losses: tuple[Loss, ...]) -> None:
        """Record several at once."""
        self._losses.update(dict.fromkeys(losses))

    def to_tuple(self) -> tuple[Loss, ...]:
        """Return what was recorded so far."""
        return tuple(self._losses)
