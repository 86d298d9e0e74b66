"""Two columns of text, side by side."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

from addon.views.page import Page, wrap


def write_columns(
    page: Page,
    left: Sequence[str],
    right: Sequence[str],
    width: int,
    *,
    before: str = "",
    ends: str = " ",
) -> None:
    """Write lines side by side, each wrapped to the width of its column.

    Args:
        page: Where to.
        left: Lines of the left column.
        right: Lines of the right column.
        width: Characters of a column.
        before: What stands before the first line; the others are indented by as much.
        ends: Characters after which lines are best cut.
    """
    lines = zip_longest(_wrap(left, width, ends), _wrap(right, width, ends), fillvalue="")
    margin = before
    for one, other in lines:
        page.add(f"{margin}{_pad(one, width)} | {other}".rstrip())
        margin = " " * len(before)


def _wrap(lines: Sequence[str], width: int, ends: str) -> list[str]:
    wrapped: list[str] = []
    for line in lines:
        line = line.expandtabs(1)
        wrapped += wrap(line, width // 2 if _is_wide(line) else width, ends)
    return wrapped


def _is_wide(line: str) -> bool:
    return not line.isascii() and any(
        unicodedata.east_asian_width(letter) in "WF" for letter in line
    )


def _pad(line: str, width: int) -> str:
    if line.isascii():
        return line.ljust(width)
    taken = sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in line
    )
    return line + " " * max(width - taken, 0)
