"""What is kept of a record until the database has it, so that no killed process loses any.

A process has two files of its own and writes each record into one of them at once, which takes
microseconds: from then on the operating system has it. While the writer stores what stands in one,
the other is written; a file is emptied when all of it is stored. Whoever holds the lock of the
first file is alive; what a process has left that is not is stored by the next one that looks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Generator
from pathlib import Path

import msgspec

from addon.ledger.record import Record, read_record

FOLDER = "unwritten"

_SUFFIXES = (".0", ".1")


class Heading(msgspec.Struct, frozen=True):
    """The first line of a journal's first file."""

    lines: str | None
    """The file that gets every record as a line of JSON."""


_read_heading = msgspec.json.Decoder(Heading).decode


class Journal:
    """The records of this process that the database may not have yet. Not for several threads."""

    def __init__(self, home: Path, lines: Path | None) -> None:
        """Begin a journal.

        Args:
            home: The folder of the ledger, which exists already.
            lines: The file that gets every record as a line of JSON.

        Raises:
            OSError: It cannot be written.
        """
        folder = home / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        heading = msgspec.json.encode(Heading(str(lines.absolute()) if lines else None)) + b"\n"
        self.owner, file = _make(folder)
        """Names this process among those that share the home folder."""
        os.write(file, heading)
        self._paths = [folder / (self.owner + suffix) for suffix in _SUFFIXES]
        other = os.open(self._paths[1], os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        self._files = [file, other]
        self._empty = [len(heading), 0]
        self._turn = 0

    def write(self, record: Record) -> None:
        """Keep a record.

        Raises:
            OSError: The disk is full, or worse.
        """
        os.write(self._files[self._turn], msgspec.json.encode(record) + b"\n")

    def turn(self) -> None:
        """Write what follows into the other file."""
        self._turn ^= 1

    def settle(self) -> None:
        """Forget what was written before the last turn: the database has it."""
        settled = self._turn ^ 1
        os.ftruncate(self._files[settled], self._empty[settled])

    def close(self, *, settled: bool) -> None:
        """End the journal; the files stay where not everything is stored."""
        if settled:
            for path in reversed(self._paths):
                path.unlink(missing_ok=True)
        for file in self._files:
            os.close(file)


class Left(msgspec.Struct, frozen=True):
    """What a process has left that ended before its time."""

    owner: str
    lines: Path | None
    records: list[Record]


@contextlib.contextmanager
def _locked(path: Path) -> Generator[bool]:
    """Lock the first file of a journal; tells whether its process has ended."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield _is_at(file, path)
    except BlockingIOError:
        yield False
    finally:
        os.close(file)


@contextlib.contextmanager
def left_behind(path: Path) -> Generator[Left | None]:
    """Read the journal of a process that has ended; afterwards the journal is removed.

    None where its process is alive. Nothing is removed where the body of the `with` raises.
    """
    with _locked(path) as ended:
        if not ended:
            yield None
            return
        other = path.with_suffix(_SUFFIXES[1])
        heading, *kept = _lines(path) or [b""]
        lines: Path | None = None
        with contextlib.suppress(msgspec.DecodeError):
            named = _read_heading(heading).lines
            lines = Path(named) if named else None
        records: list[Record] = []
        for line in (*kept, *_lines(other)):
            with contextlib.suppress(msgspec.DecodeError):  # cut, as the last one may be
                records.append(read_record(line))
        yield Left(path.stem, lines, records)
        other.unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def left_records(home: Path) -> bool:
    """Tell whether there may be something that a process has left; or else it is alive."""
    return bool(journals(home))


def journals(home: Path) -> list[Path]:
    """Name the first file of every journal in a home folder."""
    return sorted((home / FOLDER).glob(f"*{_SUFFIXES[0]}"))


def _make(folder: Path) -> tuple[str, int]:
    """Make the first file of a journal and lock it; return the journal's name and the open file."""
    while True:
        owner = uuid.uuid4().hex
        path = folder / (owner + _SUFFIXES[0])
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file, path):
            return owner, file
        os.close(file)  # somebody took it for one that was left


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []


def _is_at(file: int, path: Path) -> bool:
    """Tell whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
