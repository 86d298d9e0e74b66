"""Vectors of texts: the same for the same text, and of length 1."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence


def vector_of(words: str | Sequence[int], size: int) -> list[float]:
    """Return the vector of a text, or of tokens."""
    digest = hashlib.shake_256(repr(words).encode()).digest(size)
    length = math.hypot(*(byte - 127.5 for byte in digest))
    return [(byte - 127.5) / length for byte in digest]
