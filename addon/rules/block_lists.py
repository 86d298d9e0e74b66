"""Lists without brackets: items are put in, taken out and moved as lines.

The comment above an item belongs to it, as far as no blank line is between them, and so does the
one behind it; other comments and blank lines stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from addon.rules.places import Path, Place

_LONE_DASH = re.compile(r"[ ]*-\s*(?:#|$)")


class BlockList(NamedTuple):
    """The lines of a list, taken apart."""

    first: int
    """Number of the first line, counted from 0."""
    end: int
    """Number of the line behind the last item."""
    items: list[list[str]]
    """Of each item, the comment above it included."""
    gaps: list[list[str]]
    """What stands between them; nothing before the first and after the last."""
    column: int
    """Of the dashes, counted from 0."""

    @classmethod
    def find(
        cls, text: str, path: Path, values: Mapping[Path, Place], count: int
    ) -> BlockList | None:
        """Take a list apart; None where it is written too unusually.

        Args:
            text: The file.
            path: Where the list is.
            values: All values of the file.
            count: How many items it has.
        """
        whole = values[path]
        found = [values.get((*path, number)) for number in range(count)]
        items = [item for item in found if item is not None]
        lines = text.splitlines(keepends=True)
        if len(items) < count:
            return None
        column = whole.mark.column - 1
        starts = [_dash_above(lines, item.mark.line - 1, column) for item in items]
        within = text[: whole.end].splitlines(keepends=True)
        end = len(within) - (not within[-1].strip())  # what follows may be indented
        if any(lines[start][:column].strip() or lines[start][column] != "-" for start in starts):
            return None
        if len(set(starts)) < count:
            return None  # several on one line
        blocks: list[list[str]] = []
        gaps: list[list[str]] = []
        first = done = starts[0] - _comments_above(lines, starts[0], 0)
        for start, following in zip(starts, [*starts[1:], end], strict=True):
            head = start - _comments_above(lines, start, done)
            stop = start + 1
            for number in range(start + 1, following):
                line = lines[number].lstrip()
                deeper = len(lines[number]) - len(line) > column
                if line and (deeper or not line.startswith("#")):
                    stop = number + 1
            gaps.append(lines[done:head])
            blocks.append(_ended(lines[head:stop]))
            done = stop
        return cls(first, done, blocks, [*gaps, []], column)

    def arranged(self, wanted: Sequence[int | list[str]]) -> str:
        """Write the list with other items.

        Args:
            wanted: Each is the number of one that is there, or the lines of a new one, unindented
                and without their ends.
        """
        kept = {number for number in wanted if isinstance(number, int)}
        arranged = self
        for number in reversed(range(len(self.items))):
            if number not in kept:
                arranged = arranged._without(number)
        order = [number for number in wanted if isinstance(number, int)]
        arranged = arranged._replace(items=[self.items[number] for number in order])
        for position, lines in enumerate(wanted):
            if not isinstance(lines, int):
                indented = [f"{' ' * self.column}{line}\n" for line in lines]
                arranged = arranged._with_new(position, indented)
        pairs = zip(arranged.gaps, [*arranged.items, []], strict=True)
        return "".join(line for gap, item in pairs for line in (*gap, *item))

    def _with_new(self, position: int, lines: list[str]) -> BlockList:
        blank = any(gap and _is_blank(gap) for gap in self.gaps[1:-1])
        gaps, items = list(self.gaps), list(self.items)
        gaps.insert(min(position + 1, len(items)), ["\n"] * blank)
        items.insert(position, lines)
        return self._replace(items=items, gaps=gaps)

    def _without(self, index: int) -> BlockList:
        gaps, items = list(self.gaps), list(self.items)
        del items[index]
        above, below = gaps[index : index + 2]
        if index and _is_blank(above):
            left = below
        elif items[index:] and _is_blank(below):
            left = above
        else:
            left = above + below
        gaps[index : index + 2] = [left]
        return self._replace(items=items, gaps=gaps)


def _dash_above(lines: list[str], start: int, column: int) -> int:
    """Find the line of an item's dash, which may stand alone above its first key."""
    first = start
    while first and lines[first][column : column + 1] in ("", " ", "#", "\n"):
        first -= 1
    return first if _LONE_DASH.match(lines[first]) else start


def _comments_above(lines: list[str], start: int, lowest: int) -> int:
    first = start
    while first > lowest and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return start - first


def _is_blank(lines: list[str]) -> bool:
    return all(not line.strip() for line in lines)


def _ended(lines: list[str]) -> list[str]:
    """End the last line, which the last one of a file may lack."""
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]
