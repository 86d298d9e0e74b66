"""Writing a rules file anew: checked before, whole or not at all, nobody else's edit overwritten.

The file as it was is kept beside it. Line ends and a byte order mark stay as the author has them;
texts here have neither.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from addon.neutral import DetourError
from addon.rules.rules_file import BYTE_ORDER_MARK, plain_text, read_rules

BACKUP_SUFFIX = ".before"
"""What the name of the file as it was ends in."""

NEW_FILE = "version: 1\n"


class EditError(DetourError):
    """An edit cannot be made; the file is as it was."""


class EditConflict(EditError):
    """The file is not the one that was looked at."""


def digest(text: str) -> str:
    """Return a short name for a state of the file, to be given to `rewrite_rules` later."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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


def _replace(path: Path, before: str, after: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        if not path.exists():
            draft.write_bytes(after.encode())
        else:
            data, mode = path.read_bytes(), path.stat().st_mode & 0o777
            _write(draft, _in_the_way_of(data, after), mode)
            if plain_text(data) != before:
                raise EditConflict(f"{path} has changed meanwhile; look at it again")
            _write(path.with_name(path.name + BACKUP_SUFFIX), data, mode)
        draft.replace(path)
    except OSError as error:
        raise EditError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file that nobody may read, not even at first, who could not before."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file:
        os.fchmod(number, mode)
        file.write(data)
        file.flush()
        os.fsync(number)


def _in_the_way_of(data: bytes, text: str) -> bytes:
    """Encode a new text of a file with the byte order mark and the line ends of the old one."""
    mark = BYTE_ORDER_MARK if data.startswith(BYTE_ORDER_MARK) else b""
    old = data.removeprefix(mark).decode().split("\n")
    ended = [line.endswith("\r") for line in old[:-1]]
    if not any(ended):
        return mark + text.encode()
    usual = 2 * sum(ended) > len(ended)
    new = text.split("\n")
    ends = [usual] * (len(new) - 1)
    plain = [line.removesuffix("\r") for line in old]
    matcher = difflib.SequenceMatcher(None, plain[:-1], new[:-1], autojunk=False)
    for start, place, size in matcher.get_matching_blocks():
        ends[place : place + size] = ended[start : start + size]
    *whole, last = new
    lines = [line + ("\r\n" if end else "\n") for line, end in zip(whole, ends, strict=True)]
    return mark + "".join([*lines, last]).encode()


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
