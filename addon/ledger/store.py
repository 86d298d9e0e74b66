"""The database of the ledger, as it is written. For one thread at a time."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from addon.ledger.journal import Left, journals, left_behind
from addon.ledger.record import Record, timestamp
from addon.ledger.schema import (
    DELETE_OLD,
    DELETE_OLDEST,
    FILE_NAME,
    INSERT,
    INSERT_ONCE,
    PROBE,
    SCHEMA,
)
from addon.vault.sqlite_file import Opened, SqliteFile, is_damage

logger = logging.getLogger(__name__)

INTERRUPTED = "interrupted: Detour was ended before the answer was."

_PATIENCE = 10.0
"""Seconds to wait for another process that writes."""
_PRUNE_EVERY = 600
_LOW_WATER = 0.9
"""Share of the size limit that pruning goes down to."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept; the oldest goes first."""

    size: int = 512 << 20
    """Most bytes of the file."""
    age: float = 365 * 86400.0
    """Seconds after which a record is removed."""


class Store:
    """Writes `detour.db` under the home folder, which any number of processes share."""

    def __init__(
        self,
        home: Path,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        now: Callable[[], float] = time.time,
    ) -> None:
        """Name the file; it is opened at the first write.

        Args:
            home: The folder, which exists already.
            limits: How much is kept.
            now: Tells the time, in seconds since 1970.
        """
        self._home = home
        self._file = SqliteFile(home / FILE_NAME, SCHEMA, PROBE)
        self._limits = limits
        self._now = now
        self._opened: Opened | None = None
        self._pruned = 0.0

    @property
    def path(self) -> Path:
        """The database."""
        return self._file.path

    def write(
        self,
        records: Sequence[Record],
        begun: Sequence[Record] = (),
        ended: Iterable[str] = (),
        owner: str = "",
    ) -> None:
        """Store records, and which exchanges are under way.

        Args:
            records: Exchanges that have ended.
            begun: Exchanges that are under way.
            ended: The ids of those that are no more.
            owner: The process that they are of.

        Raises:
            sqlite3.Error: They are not stored.
            OSError: Likewise.
        """

        def store(connection: sqlite3.Connection) -> None:
            connection.executemany(INSERT, [record.row() for record in records])
            rows = [(owner, entry.id, msgspec.json.encode(entry).decode()) for entry in begun]
            connection.executemany("INSERT INTO running VALUES (?, ?, ?)", rows)
            connection.executemany(
                "DELETE FROM running WHERE owner = ? AND id = ?", [(owner, name) for name in ended]
            )
            self._prune(connection)

        self._change(store)

    def recover(self) -> None:
        """Store what processes have left that were killed, their running exchanges included.

        Raises:
            sqlite3.Error: It cannot be stored, and stays where it is.
            OSError: Likewise.
        """
        for path in journals(self._home):
            with left_behind(path) as left:
                if left is not None:
                    self._take_over(left)

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.connection.close()
            self._opened = None

    def _take_over(self, left: Left) -> None:
        stored: list[Record] = []

        def store(connection: sqlite3.Connection) -> None:
            running = connection.execute(
                "SELECT record FROM running WHERE owner = ?", (left.owner,)
            ).fetchall()
            begun = [msgspec.json.decode(text, type=Record) for (text,) in running]
            for record in begun:
                record.error = INTERRUPTED
            stored[:] = [
                record
                for record in (*left.records, *begun)
                if connection.execute(INSERT_ONCE, (*record.row(), record.id, record.time)).rowcount
            ]
            connection.execute("DELETE FROM running WHERE owner = ?", (left.owner,))

        self._change(store)
        if stored:
            logger.info("%d exchanges of a process that was killed are recorded", len(stored))
            write_lines(left.lines, stored)

    def _change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """Change the file, at the second attempt a new one where the first was damaged."""
        try:
            self._attempt(change)
        except sqlite3.Error as error:
            if not is_damage(error) or self._opened is None:
                raise
            damaged = self._opened.identity
            self.close()
            self._file.set_aside(damaged, error)
            self._attempt(change)

    def _attempt(self, change: Callable[[sqlite3.Connection], None]) -> None:
        if self._opened is not None and not self._file.is_current(self._opened):
            self.close()
        self._opened = self._opened or self._file.connect(_PATIENCE)
        connection = self._opened.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            change(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _prune(self, connection: sqlite3.Connection) -> None:
        now = self._now()
        if abs(now - self._pruned) >= _PRUNE_EVERY:
            self._pruned = now
            connection.execute(DELETE_OLD, (timestamp(max(now - self._limits.age, 0)),))
        if (size := _size(connection)) <= self._limits.size:
            return
        (count,) = connection.execute("SELECT count(*) FROM exchanges").fetchone()
        excess = 1 - self._limits.size * _LOW_WATER / size
        connection.execute(DELETE_OLDEST, (int(count * excess) + 1,))


def write_lines(path: Path | None, records: Sequence[Record]) -> None:
    """Append records to a file as lines of JSON, in one piece.

    Raises:
        OSError: It cannot be written.
    """
    if path is None or not records:
        return
    lines = b"".join(map(_line, records))
    with path.open("ab", buffering=0) as file:
        file.write(lines)


def _line(record: Record) -> bytes:
    try:
        return msgspec.json.encode(record) + b"\n"
    except (ValueError, OverflowError):  # half a character, or a number beyond all measure
        return b""


def _size(connection: sqlite3.Connection) -> int:
    """Count the bytes of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    return (pages - free) * page_size
