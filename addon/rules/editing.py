"""Changing a rules file the way a careful person would: one edit, everything else as it was.

Comments, order, quotes and blank lines stay.
"""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from addon.rules.rewriting import EditError

type Document = dict[str, Any]
"""A rules file, or a map in it, as the library keeps it: with the comments."""

type Change = Callable[[Document], None]
"""Changes the document in place."""

_DASH = re.compile(r"^( *)- ", re.MULTILINE)
_ENTRY = re.compile(r"^providers:[^\n]*\n(?:\s*#[^\n]*\n|\s*\n)*( +)\w", re.MULTILINE)
"""How far the author indents."""


def apply_change(text: str, change: Change) -> str:
    """Return the text of a rules file with a change made to it.

    The document is written anew twice, without the change and with it, and only the lines in which
    the two differ are carried over to the text.
    """
    document = _Document(text)
    plain = document.write()
    change(document.root)
    changed = document.write()
    merged = _carry_over(text, plain, changed)
    return merged if merged is not None and _same(merged, changed) else changed


def insert(document: Document, position: int, key: str, value: object) -> None:
    """Put a key that is new into a map, at a place."""
    cast("Any", document).insert(min(position, len(document)), key, value)


def on_one_line(values: Iterable[object]) -> list[Any]:
    """Return a list that will be written as `[a, b]`."""
    items: Any = CommentedSeq(values)
    items.fa.set_flow_style()
    return items


def update(
    old: Document, before: dict[str, Any], wanted: dict[str, Any], order: tuple[str, ...] = ()
) -> None:
    """Change a map of a document into another one, key by key, so that comments stay.

    Args:
        old: The map, in the document.
        before: The same as JSON knows it.
        wanted: What it is to be.
        order: Where keys that are new have their place.
    """
    for key in [key for key in before if key not in wanted]:
        if key in old:
            del old[key]
    for key, value in wanted.items():
        if key in before and before[key] == value:
            continue
        inner = before.get(key)
        if isinstance(inner, dict) and isinstance(value, dict) and isinstance(old[key], dict):
            update(old[key], cast("dict[str, Any]", inner), cast("dict[str, Any]", value))
        elif key in old or key not in order:
            old[key] = written(value)
        else:
            earlier = [name for name in old if name in order[: order.index(key)]]
            position = list(old).index(earlier[-1]) + 1 if earlier else 0
            insert(old, position, key, written(value))


def written(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value as it will be written: lists and maps in brackets, on one line."""
    match value:
        case list():
            return on_one_line([written(item) for item in cast("list[Any]", value)])
        case dict():
            entries: Any = CommentedMap()
            for key, inner in cast("dict[str, Any]", value).items():
                entries[key] = written(inner)
            entries.fa.set_flow_style()
            return entries
        case _:
            return value


class _Document:
    def __init__(self, text: str) -> None:
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 100_000  # never break a line that the author has not broken
        dash = _DASH.search(text)
        offset = len(dash[1]) if dash else 2
        entry = _ENTRY.search(text)
        mapping = len(entry[1]) if entry else 2
        self._yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
        loaded: Any = self._load(text)
        self.root: Final[Document] = CommentedMap() if loaded is None else loaded

    def _load(self, text: str) -> Any:  # noqa: ANN401 - whatever the text holds
        try:
            return self._yaml.load(text)  # pyright: ignore[reportUnknownMemberType] - untyped
        except YAMLError as error:
            raise EditError(f"the file is too unusual to be edited by a program: {error}") from None

    def write(self) -> str:
        stream = io.StringIO()
        self._yaml.dump(self.root, stream)  # pyright: ignore[reportUnknownMemberType] - as above
        return stream.getvalue()


def _carry_over(text: str, plain: str, changed: str) -> str | None:
    """Make the changes between two texts in a third that differs a little from the first.

    Returns:
        The result, or None where a change falls into lines that differ.
    """
    own, before, after = (part.splitlines(keepends=True) for part in (text, plain, changed))
    place = _places(own, before)
    result: list[str] = []
    done = 0
    for tag, start, end, from_line, to_line in _differences(before, after):
        if tag == "equal":
            continue
        first = place.get(start - 1, -1 if start == 0 else None)
        if first is None or any(place.get(i) != first + 1 + i - start for i in range(start, end)):
            return None
        first += 1
        last = first + end - start
        if tag == "insert":
            first = last = _above_comments(own, first, done)
        elif not _is_comment(after[max(from_line, to_line - 1) : to_line]):
            last = _above_comments(own, last, first)
        result += own[done:first]
        if result and not result[-1].endswith("\n"):
            result[-1] += "\n"
        result += after[from_line:to_line]
        done = last
    return "".join([*result, *own[done:]])


def _above_comments(lines: list[str], position: int, lowest: int) -> int:
    """Move up to the end of the entry before: what stands between is about the entry after.

    The library counts comments to the entry before: it would put a new one behind them, and remove
    them with the old one.
    """
    while position > lowest and _is_comment(lines[position - 1 : position]):
        position -= 1
    return position


def _is_comment(line: list[str]) -> bool:
    return bool(line) and line[0].lstrip()[:1] in ("", "#")


def _places(own: list[str], before: list[str]) -> dict[int, int]:
    """Map lines of the rewritten text to the same lines of the author's text."""
    places: dict[int, int] = {}
    for tag, start, end, from_line, _ in _differences(before, own):
        if tag == "equal":
            places |= {start + i: from_line + i for i in range(end - start)}
    return places


def _differences(old: list[str], new: list[str]) -> Iterable[tuple[str, int, int, int, int]]:
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _same(text: str, other: str) -> bool:
    """Tell whether two texts say the same."""
    try:
        return _Document(text).root == _Document(other).root
    except Exception:  # a text that was put together wrongly may be anything
        return False
