"""What is wrong with a rules file, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple, override

from addon.neutral import DetourError, ErrorInfo


class Mark(NamedTuple):
    """A place in a file, counted from 1."""

    line: int
    column: int


START = Mark(1, 1)


class Problem(NamedTuple):
    """One mistake."""

    file: str
    line: int
    column: int
    message: str

    @override
    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class Mistake(Exception):
    """A value is wrong; whatever contains it records that and reads on."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark = mark


class RulesError(DetourError):
    """A rules file cannot be used."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        """Every mistake in the file, in the order of the file."""
        super().__init__("\n".join(map(str, self.problems)))

    @override
    def to_error_info(self) -> ErrorInfo:
        """Tell the agent what to have mended, as an error that no client tries again."""
        message = f"Detour has no valid rules: {self}"
        return ErrorInfo("invalid_request", message, code="bad_rules")


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest known word, or a list of all known ones."""
    names = list(known)
    by_lower_case = {name.lower(): name for name in names}
    nearest = difflib.get_close_matches(word.lower(), by_lower_case, n=1)
    if nearest:
        return f"; did you mean `{by_lower_case[nearest[0]]}`?"
    return f"; known: {', '.join(names)}" if names else ""
