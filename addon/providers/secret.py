"""A key that does not show itself."""

from __future__ import annotations

from typing import Final, override


def mask(key: str) -> str:
    """Return as much of a key as its owner needs to tell it from another."""
    return f"{key[:3]}...{key[-4:]}" if len(key) >= 20 else "***"


class Secret:
    """Text that logs, tracebacks and dumps must not hold.

    Printing or formatting it shows stars, and no encoder knows the type, so a key gets out only
    where the code says `reveal`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text: Final = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    @override
    def __repr__(self) -> str:
        return "Secret('***')"

    @override
    def __str__(self) -> str:
        return "***"

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._text

    @override
    def __hash__(self) -> int:
        return hash((Secret, self._text))
