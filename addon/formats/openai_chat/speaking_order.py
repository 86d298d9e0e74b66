"""Lets the parts of an answer speak one after the other, where Chat has one field for them all."""

from __future__ import annotations

from typing import NamedTuple


class Turn(NamedTuple):
    """What a part that had to wait may say now."""

    part: int
    pieces: list[str]
    complete: bool
    """Whether it has nothing more to say."""


class SpeakingOrder:
    """The parts that share one field, in the order in which they began.

    Parts of other formats may overlap, which no field of text can. So the first one speaks as it
    comes, and the others wait until it has ended.
    """

    def __init__(self) -> None:
        self.speaking: int | None = None
        """The part whose words may be written at once."""
        self._waiting: dict[int, list[str]] = {}
        self._complete: set[int] = set()

    def begin(self, index: int) -> bool:
        """A part begins; return whether it may speak at once."""
        if self.speaking is None:
            self.speaking = index
            return True
        self._waiting[index] = []
        return False

    def wait(self, index: int, text: str) -> None:
        """Keep words of a part that may not speak yet."""
        self._waiting[index].append(text)

    def end(self, index: int) -> list[Turn]:
        """A part ends; return the turns of those that waited for it."""
        if index != self.speaking:
            self._complete.add(index)
            return []
        self.speaking = None
        turns: list[Turn] = []
        while self.speaking is None and self._waiting:
            following = next(iter(self._waiting))
            complete = following in self._complete
            if not complete:
                self.speaking = following
            turns.append(Turn(following, self._waiting.pop(following), complete))
        return turns
