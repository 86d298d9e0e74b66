"""What conditions compare names and numbers with.

* A glob: `*` stands for any text, `?` for one character, everything else for itself. Globs cover
  the whole name and ignore case: nobody means two different models by `Qwen3` and `qwen3`.
* A regular expression between slashes, searched for anywhere in the name, with case (`(?i)` at its
  beginning ignores case).
* A comparison such as `> 60000`.
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable
from typing import NamedTuple

_COMPARISON = re.compile(r"\s*(<=|>=|<|>)\s*([0-9][0-9_]*)\s*")
COMPARISON_PATTERN = r"^\s*(<=|>=|<|>)\s*[0-9][0-9_]*\s*$"
_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Pattern(NamedTuple):
    """A glob or a regular expression."""

    text: str
    """As its author wrote it."""
    search: Callable[[str], object]
    """Returns something true for a name that matches."""
    glob: str | None = None
    """The regular expression that a glob stands for; None for a regular expression."""
    is_list: bool = False

    def mismatch(self) -> str:
        """Say that a name does not match."""
        return f"matches none of {self.text}" if self.is_list else f"does not match {self.text}"


def compile_pattern(text: str) -> Pattern:
    """Make a pattern of a glob or a `/regular expression/`.

    Raises:
        ValueError: The regular expression is wrong.
    """
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        try:
            return Pattern(text, re.compile(text[1:-1]).search)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"`{text}` is not a regular expression: {error}") from None
    glob = fnmatch.translate(text.replace("[", "[[]"))
    return Pattern(text, re.compile(glob, re.IGNORECASE).match, glob)


def any_of(patterns: tuple[Pattern, ...]) -> Pattern:
    """Join patterns into one that matches where any of them does."""
    if len(patterns) == 1:
        return patterns[0]
    text = ", ".join(pattern.text for pattern in patterns)
    globs = [pattern.glob for pattern in patterns if pattern.glob is not None]
    if len(globs) == len(patterns):
        return Pattern(text, re.compile("|".join(globs), re.IGNORECASE).match, is_list=True)

    def search_any(name: str) -> bool:
        return any(pattern.search(name) for pattern in patterns)

    return Pattern(text, search_any, is_list=True)


class Comparison(NamedTuple):
    """A number to be over or under."""

    text: str
    operator: Callable[[int, int], bool]
    number: int

    def holds(self, value: int) -> bool:
        """Compare a value with the number."""
        return self.operator(value, self.number)


def parse_comparison(text: str) -> Comparison:
    """Read a comparison such as `> 60000`.

    Raises:
        ValueError: It is none.
    """
    match = _COMPARISON.fullmatch(text)
    if match is None or len(text) > 100:
        raise ValueError(f"expected a comparison such as `> 60000`, found `{text}`")
    return Comparison(text.strip(), _OPERATORS[match[1]], int(match[2]))
