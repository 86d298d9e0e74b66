"""Read decoded JSON whose types nobody vouches for.

Providers send null for absent, 1.0 for 1 and text where an object was documented. These readers
return a harmless value of the type asked for, so that a decoder never raises and a strict checker
still accepts its code. They are called for nearly every value, so they do not call anything.
"""

from __future__ import annotations

from typing import Any


def text(value: object) -> str:
    """Return a string as it is, anything else as the empty string."""
    return value if type(value) is str else ""


def mapping(value: object) -> dict[str, Any]:
    """Return an object as it is, anything else as an empty one."""
    return value if type(value) is dict else {}  # pyright: ignore[reportUnknownVariableType] - any object of JSON


def sequence(value: object) -> list[Any]:
    """Return an array as it is, anything else as an empty one."""
    return value if type(value) is list else []  # pyright: ignore[reportUnknownVariableType] - any array of JSON


def integer(value: object) -> int | None:
    """Return a whole number, whether written 1 or 1.0; None for anything else."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    return None


def number(value: object) -> float | None:
    """Return a number (never a bool); None for anything else."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
