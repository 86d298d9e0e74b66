"""Changing a rules file the way a careful person would: one edit, everything else as it was.

A change is made to what the file says; then the text is brought to say the same, by touching
nothing but the values that differ. So comments, order, quotes, brackets and blank lines stay.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from addon.rules.block_lists import BlockList
from addon.rules.nodes import parse, to_json
from addon.rules.places import Path, Place, find_places
from addon.rules.problems import Mistake
from addon.rules.rewriting import EditError
from addon.rules.writing import write_entries, write_inline, write_item, write_json

type Document = dict[str, Any]
"""What a rules file says, or a map in it."""

type Change = Callable[[Document], None]
"""Changes the document in place."""

_SPACIOUS = ("providers", "rules")
"""Sections whose entries are written without brackets, with each key on a line."""


def apply_change(text: str, change: Change) -> str:
    """Return the text of a rules file with a change made to it.

    Raises:
        EditError: It cannot be made, by its own word or because of how the file is written.
    """
    before = read_document(text)
    wanted = copy.deepcopy(before)
    change(wanted)
    if _same(before, wanted):
        return text
    try:
        edited = _Writer(text).rewrite(before, wanted)
        done = _same(read_document(edited), wanted)
    except (EditError, LookupError, ValueError):
        done, edited = False, ""
    if not done:
        raise EditError("the file is written too unusually for this edit; edit its text")
    return edited


def read_document(text: str) -> Document:
    """Return what a text says.

    Raises:
        EditError: It is no map.
    """
    try:
        root = parse(text, lambda _: None)
    except Mistake as mistake:
        raise EditError(str(mistake)) from None
    said = {} if root is None else to_json(root)
    if not isinstance(said, dict):
        raise EditError("the file holds no map of keys to values")
    return cast("Document", said)


def insert(document: Document, position: int, key: str, value: object) -> None:
    """Put a key that is new into a map, at a place."""
    entries = list(document.items())
    entries.insert(position, (key, value))
    document.clear()
    document.update(entries)


class _Edit(NamedTuple):
    """A part of the text that is replaced."""

    start: int
    end: int
    text: str


class _Writer:
    """Brings a text to say something else."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._keys: dict[Path, Place] = {}
        self._values: dict[Path, Place] = {}
        self._inner: dict[Path, list[Path]] = {}
        for place in find_places(text):
            if place.kind == "key":
                self._keys[place.path] = place
            else:
                self._values[place.path] = place
                self._inner.setdefault(place.path[:-1], []).append(place.path)
        self._edits: list[_Edit] = []
        self._inline = write_json if text.lstrip().startswith("{") else write_inline

    def rewrite(self, before: Document, wanted: Document) -> str:
        """Return the text changed; it is made for one call."""
        if self._keys:
            self._change_map((), before, wanted)
        else:
            self._put_in(len(self._text), write_entries(wanted, 2, 2), "")
        pieces: list[str] = []
        done = 0
        for edit in sorted(self._edits, key=lambda edit: edit[:2]):  # keeps the order of insertions
            if edit.start < done:
                raise EditError("two edits meet")
            pieces += [self._text[done : edit.start], edit.text]
            done = edit.end
        return "".join([*pieces, self._text[done:]])

    def _change(self, path: Path, old: Any, new: Any) -> None:  # noqa: ANN401 - any JSON
        if _same(old, new):
            return
        kind = self._values[path].kind
        if kind == "map" and new and isinstance(old, dict) and isinstance(new, dict):
            self._change_map(path, cast("Document", old), cast("Document", new))
        elif kind == "list" and old and new and isinstance(old, list) and isinstance(new, list):
            self._change_list(path, cast("list[Any]", old), cast("list[Any]", new))
        else:
            self._put(path, new)

    # Maps

    def _change_map(self, path: Path, old: Document, new: Document) -> None:
        inner = [each for each in self._inner.get(path, ()) if each in self._keys]
        merged = [key for key in old if (*path, key) not in inner]  # by `<<`
        stays = all(key in new for key in merged)
        kept = [each for each in inner if each[-1] in new or (each[-1] == "<<" and stays)]
        if not kept:
            self._put(path, new)
            return
        for number, each in enumerate(inner):
            if each not in kept:
                self._remove(inner, number, kept)
        anchor: Path | None = None
        waiting: Document = {}
        for key, value in new.items():
            here = (*path, key)
            if here not in kept:
                if not stays or key not in old or not _same(old[key], value):
                    waiting[key] = value
                continue
            self._insert(path, anchor, kept[0], waiting)
            anchor, waiting = here, {}
            self._change(here, old[key], value)
        self._insert(path, anchor, kept[0], waiting)

    def _insert(self, path: Path, anchor: Path | None, first: Path, entries: Document) -> None:
        """Put entries in behind an entry of a map, or before the first one that stays."""
        if not entries:
            return
        if not self._values[path].in_block:
            written = self._inline(entries)[1:-1]
            if anchor is not None:
                self._replace(self._end(anchor), self._end(anchor), f", {written}")
            else:
                start = self._keys[first].start
                self._replace(start, start, f"{written}, ")
            return
        column = self._keys[first].mark.column - 1
        lines = write_entries(entries, self._levels(path) - 1, column or 2, self._inline)
        indent = " " * column
        if anchor is not None:
            self._put_in(self._line_end(self._end(anchor)), lines, indent)
        else:
            start = self._keys[first].start
            self._replace(start, start, "".join(f"{line}\n{indent}" for line in lines))

    def _remove(self, inner: list[Path], number: int, kept: list[Path]) -> None:
        """Take an entry out of a map."""
        path = inner[number]
        start, end = self._keys[path].start, self._end(path)
        if not self._values[path[:-1]].in_block:
            if any(each in kept for each in inner[:number]):
                self._replace(self._end(inner[number - 1]), end, "")
            else:
                self._replace(start, self._keys[inner[number + 1]].start, "")
            return
        line_start = self._text.rfind("\n", 0, start) + 1
        line_end = self._line_end(end)
        if not self._text[line_start:start].strip():
            self._replace(line_start, min(line_end + 1, len(self._text)), "")
            return
        following = self._keys[inner[number + 1]]  # the line begins with a dash
        if inner[number + 1] in kept and not self._text[line_end : following.start].strip():
            self._replace(start, following.start, "")
        else:
            self._replace(start, line_end, "")

    # Lists

    def _change_list(self, path: Path, old: list[Any], new: list[Any]) -> None:
        left = list(range(len(old)))
        wanted: list[int | None] = []
        for value in new:
            found = next((number for number in left if _same(old[number], value)), None)
            wanted.append(found)
            if found is not None:
                left.remove(found)
        if len(self._inner.get(path, ())) != len(old):
            raise EditError("a list is not as it seems")
        if len(new) == len(old) and left:  # some have changed, where they are
            for number, value in enumerate(new):
                self._change((*path, number), old[number], value)
        elif self._values[path].in_block:
            self._arrange_lines(path, len(old), new, wanted)
        else:
            self._arrange_inline(path, len(old), new, wanted)

    def _arrange_lines(
        self, path: Path, count: int, new: list[Any], wanted: list[int | None]
    ) -> None:
        block = BlockList.find(self._text, path, self._values, count)
        if block is None:
            raise EditError("a list is written too unusually")
        arranged = block.arranged(
            [
                write_item(value, self._inline)
                if number is None and self._levels((*path, 0))
                else [f"- {self._inline(value)}"]
                if number is None
                else number
                for value, number in zip(new, wanted, strict=True)
            ]
        )
        lines = self._text.splitlines(keepends=True)
        start = sum(map(len, lines[: block.first]))
        end = start + sum(map(len, lines[block.first : block.end]))
        if not self._text[:end].endswith("\n"):
            arranged = arranged.removesuffix("\n")
        self._replace(start, end, arranged)

    def _arrange_inline(
        self, path: Path, count: int, new: list[Any], wanted: list[int | None]
    ) -> None:
        spans = [(self._values[p].start, self._end(p)) for p in self._inner[path]]
        between = [self._text[a:b] for (_, a), (b, _) in itertools.pairwise(spans)]
        usual = between[0] if between and "#" not in between[0] else ", "
        texts = [
            self._inline(value) if number is None else self._text[slice(*spans[number])]
            for value, number in zip(new, wanted, strict=True)
        ]
        links = between if len(new) == count else [usual] * (len(new) - 1)
        joined = texts[0] + "".join(a + b for a, b in zip(links, texts[1:], strict=True))
        self._replace(spans[0][0], spans[-1][1], joined)

    # Values

    def _put(self, path: Path, new: Any) -> None:  # noqa: ANN401 - any JSON
        """Write a value anew."""
        place = self._values[path]
        key = self._keys.get(path)
        if not place.in_block:
            self._put_inline(path, new)
            return
        if key is None:
            said = cast("Document", new) if isinstance(new, dict) else {}
            lines = write_entries(said, 0, 2, self._inline)
            text = f"\n{' ' * (place.mark.column - 1)}".join(lines) or self._inline(new)
            self._replace(place.start, self._end(path), text)
            return
        colon = self._text.index(":", key.end) + 1
        start = self._text.rfind("\n", 0, place.start) + 1
        above = self._text[:start].splitlines(keepends=True)
        while place.kind == "list" and above[-1].lstrip().startswith("#"):
            start -= len(above.pop())
        end = self._line_end(self._end(path))
        if lines := self._block_lines(path, new):
            self._replace(start, end, "\n".join(lines))
        else:
            self._replace(colon, colon, f" {self._inline(new)}")
            self._replace(start - 1, end, "")

    def _put_inline(self, path: Path, new: Any) -> None:  # noqa: ANN401 - any JSON
        """Write a value in the place of one on a line, or of nothing."""
        start, end = self._values[path].start, self._end(path)
        key = self._keys.get(path)
        says_nothing = self._text[start:end] in ("", "[]", "{}", "~", "null")
        if key is not None and says_nothing and self._values[path[:-1]].in_block:
            start = self._text.index(":", key.end) + 1
            if lines := self._block_lines(path, new):
                self._replace(start, end, "")
                start = end = self._line_end(end)
                self._replace(start, end, "".join(f"\n{line}" for line in lines))
                return
        space = " " if key is not None and self._text[start - 1] == ":" else ""
        self._replace(start, end, f"{space}{self._inline(new)}")

    def _block_lines(self, path: Path, new: Any) -> list[str]:  # noqa: ANN401 - any JSON
        """Write what is below a key without brackets, where that is usual and the value fits."""
        levels = self._levels(path)
        if not new or not levels or not isinstance(new, dict | list):
            return []
        column = self._keys[path].mark.column - 1
        written = write_entries({"": cast("Any", new)}, levels, column or 2, self._inline)
        return [" " * column + line for line in written[1:]]

    def _levels(self, path: Path) -> int:
        """Say how many levels, counted from a value, are without brackets when written anew."""
        if not path:
            return 3
        return 3 - len(path) if path[0] in _SPACIOUS and len(path) < 3 else 0

    def _end(self, path: Path) -> int:
        """Return where a value ends, without the comments and blank lines behind it."""
        place = self._values[path]
        if place.in_block:
            return max(self._end(each) for each in self._inner[path])
        return place.start + len(self._text[place.start : place.end].rstrip())

    def _line_end(self, position: int) -> int:
        end = self._text.find("\n", position)
        return len(self._text) if end < 0 else end

    def _put_in(self, position: int, lines: list[str], indent: str) -> None:
        """Put lines in behind the one that ends at a position."""
        written = "".join(f"{indent}{line}\n" for line in lines)
        if position < len(self._text):
            self._replace(position + 1, position + 1, written)
        elif not self._text or self._text.endswith("\n"):
            self._replace(position, position, written)
        else:
            self._replace(position, position, f"\n{written.removesuffix('\n')}")

    def _replace(self, start: int, end: int, text: str) -> None:
        self._edits.append(_Edit(start, end, text))


def _same(one: object, other: object) -> bool:
    """Tell whether two values are the same as JSON, where `true` is not 1."""
    return one == other and _exactly(one) == _exactly(other)


def _exactly(value: object) -> str:
    return json.dumps(value, sort_keys=True)
