"""Changing a rules file the way a careful person would: one edit, everything else as it was.

Comments, order, quotes and blank lines stay. An edit is checked like any other before it is
written; the file as it was is kept beside it, and what somebody else has changed meanwhile is not
overwritten.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import io
import os
import re
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from addon.neutral import DetourError
from addon.rules.rules_file import read_rules

type Document = dict[str, Any]
"""A rules file, or a map in it, as the library keeps it: with the comments."""

type Change = Callable[[Document], None]
"""Changes the document in place."""

BACKUP_SUFFIX = ".before"
"""What the name of the file as it was ends in."""

NEW_FILE = "version: 1\n"
_DASH = re.compile(r"^( *)- ", re.MULTILINE)
_ENTRY = re.compile(r"^providers:[^\n]*\n(?:\s*#[^\n]*\n|\s*\n)*( +)\w", re.MULTILINE)
"""How far the author indents."""


class EditError(DetourError):
    """An edit cannot be made; the file is as it was."""


class EditConflict(EditError):
    """The file is not the one that was looked at."""


def digest(text: str) -> str:
    """Return a short name for a state of the file, to be given to `edit_rules` later."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def edit_rules(
    path: Path, change: Change, check: Callable[[str], object], *, seen: str | None = None
) -> str:
    """Change a rules file, or begin one.

    Args:
        path: The file; a link is followed.
        change: Makes the edit. It may raise `EditError`.
        check: Raises for a text that is no valid rules file, see `load_rules`.
        seen: The `digest` of the text that the edit was made for; any text when None.

    Returns:
        The digest of the new text.

    Raises:
        EditConflict: The file has changed since it was `seen`, or while it was being edited.
        EditError: It cannot be written, or the edit cannot be made.
        RulesError: The file cannot be read or is invalid, before the edit or after it.
    """
    return rewrite_rules(path, lambda text: apply_change(text, change), check, seen=seen)


def rewrite_rules(
    path: Path,
    rewrite: Callable[[str], str],
    check: Callable[[str], object],
    *,
    seen: str | None = None,
    whole: bool = False,
) -> str:
    """Change the text of a rules file, or begin one.

    Args:
        path: The file; a link is followed.
        rewrite: Makes the new text of the old one. It may raise `EditError`.
        check: Raises for a text that is no valid rules file, see `load_rules`.
        seen: The `digest` of the text that the edit was made for; any text when None.
        whole: Whether the new text owes nothing to the old one, which may then be invalid.

    Returns:
        The digest of the new text.

    Raises:
        EditConflict: The file has changed since it was `seen`, or while it was being edited.
        EditError: It cannot be written, or the edit cannot be made.
        RulesError: The file cannot be read or is invalid, before the edit or after it.
    """
    path = path.resolve()
    with _locked(path):
        before = read_rules(path) if path.exists() else NEW_FILE
        if seen is not None and digest(before) != seen:
            raise EditConflict(f"{path} has changed meanwhile; look at it again")
        if not whole:
            check(before)
        after = rewrite(before)
        check(after)
        if after != before or not path.exists():
            _replace(path, before, after)
        return digest(after)


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


def _replace(path: Path, before: str, after: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        existed = path.exists()
        draft.write_bytes(after.encode())
        if existed:
            draft.chmod(path.stat().st_mode & 0o777)
            backup = path.with_name(path.name + BACKUP_SUFFIX)
            backup.write_bytes(before.encode())
            backup.chmod(path.stat().st_mode & 0o777)
            if read_rules(path) != before:
                raise EditConflict(f"{path} has changed meanwhile; look at it again")
        draft.replace(path)
    except OSError as error:
        raise EditError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Let one program at a time edit the files of a folder."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise EditError(f"{path.parent} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
