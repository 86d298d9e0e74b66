"""A database of the ledger: how it is changed, and kept within its limits."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from addon.ledger.record import timestamp
from addon.vault.sqlite_file import Opened, SqliteFile, is_damage

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
    """Seconds after which something is removed."""


class Database:
    """One file with one table that grows, which has a column `time`."""

    def __init__(
        self,
        path: Path,
        schema: str,
        table: str,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        now: Callable[[], float] = time.time,
    ) -> None:
        """Name the file; it is opened at the first change.

        Args:
            path: The file.
            schema: Makes what is in it.
            table: The table that grows.
            limits: How much is kept.
            now: Tells the time, in seconds since 1970.
        """
        self._file = SqliteFile(path, schema, f"SELECT * FROM {table} LIMIT 1")  # noqa: S608 - a fixed name
        self._table = table
        self._limits = limits
        self._now = now
        self._opened: Opened | None = None
        self._pruned = 0.0

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """Change it as a whole or not at all, at the second attempt a new one if it was damaged.

        Raises:
            sqlite3.Error: It is as before.
            OSError: Likewise.
        """
        try:
            self._attempt(change)
        except sqlite3.Error as error:
            if not is_damage(error) or self._opened is None:
                raise
            damaged = self._opened.identity
            self.close()
            self._file.set_aside(damaged, error)
            self._attempt(change)

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.connection.close()
            self._opened = None

    def prune(self, connection: sqlite3.Connection) -> None:
        """Remove what is too old or too much, as a part of a change."""
        now = self._now()
        if abs(now - self._pruned) >= _PRUNE_EVERY:
            self._pruned = now
            oldest = timestamp(max(now - self._limits.age, 0))
            connection.execute(f"DELETE FROM {self._table} WHERE time < ?", (oldest,))  # noqa: S608 - a fixed name
        if (size := _size(connection)) <= self._limits.size:
            return
        (count,) = connection.execute(f"SELECT count(*) FROM {self._table}").fetchone()  # noqa: S608 - a fixed name
        excess = 1 - self._limits.size * _LOW_WATER / size
        connection.execute(
            f"DELETE FROM {self._table} WHERE rowid IN"  # noqa: S608 - a fixed name
            f" (SELECT rowid FROM {self._table} ORDER BY time LIMIT ?)",
            (int(count * excess) + 1,),
        )

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


def _size(connection: sqlite3.Connection) -> int:
    """Count the bytes of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    return (pages - free) * page_size
