"""A vault in one SQLite file, shared by any number of processes.

SQLite's write-ahead log lets readers read meanwhile, and makes a killed process harmless: what it
had stored stays stored.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from addon.vault.sqlite_file import Opened, SqliteFile, is_damage
from addon.vault.store import Limits
from addon.vault.write_behind import Changes, Place, WriteBehind

logger = logging.getLogger(__name__)

_READ_PATIENCE = 0.25
"""Seconds that a reader waits for the file; log files hardly ever make it wait."""
_WRITE_PATIENCE = 10.0
_TOUCH_AFTER = 3600
"""Seconds for which an entry counts as just used, so that reading seldom writes."""
_PRUNE_AGE_EVERY = 600
_MOST_VARIABLES = 500
"""Keys in one SQL statement."""
_LOW_WATER = 0.9
"""Share of the size limit that pruning goes down to."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    used INTEGER NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (kind, key)
);
CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used);
"""
_PROBE = "SELECT id, kind, key, used, value FROM entries LIMIT 1"

_PUT = """
INSERT INTO entries (kind, key, used, value) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET used = excluded.used, value = excluded.value
"""
_DELETE = "DELETE FROM entries WHERE kind = ? AND key = ?"
_TOUCH = "UPDATE entries SET used = ? WHERE kind = ? AND key = ?"


class SqliteVault:
    """Keeps entries in a file."""

    def __init__(
        self,
        path: Path,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open the file, and set a damaged one aside.

        Raises:
            sqlite3.Error: It cannot be opened.
            OSError: It cannot be made.
        """
        self._file = SqliteFile(path, _SCHEMA, _PROBE)
        self._limits = limits
        self._now = now
        self._reading = threading.Lock()
        self._reader: Opened | None = self._file.connect(_WRITE_PATIENCE)
        self._reader.connection.execute(f"PRAGMA busy_timeout={int(_READ_PATIENCE * 1000)}")
        self._writer: Opened | None = None
        self._writes = WriteBehind(self._store, self._end)
        self._complained = False
        self._closing = False
        self._pruned = 0.0

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep values, in place of older ones of the same key."""
        self._writes.change({(kind, _name(key)): bytes(value) for key, value in values.items()})

    def get(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys, and count it as used."""
        names = {_name(key): key for key in keys}
        found, missing = self._writes.read(kind, names)
        if missing:
            found |= self._read(kind, missing)
        return {names[name]: value for name, value in found.items()}

    def delete(self, kind: str, keys: Iterable[str]) -> None:
        """Forget these keys."""
        self._writes.change({(kind, _name(key)): None for key in keys})

    def close(self) -> None:
        """Store what is pending and close the file."""
        self._writes.close()
        with self._reading:
            self._closing = True
            self._let_go(self._reader)
            self._reader = None

    def flush(self) -> None:
        """Wait until everything put so far has been stored, or could not be."""
        self._writes.flush()

    # Reading

    def _read(self, kind: str, keys: list[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with self._reading:
            if self._closing:
                return found
            try:
                self._reader = self._connect(self._reader, _READ_PATIENCE)
                rows = [
                    row
                    for start in range(0, len(keys), _MOST_VARIABLES)
                    for row in _select(
                        self._reader.connection, kind, keys[start : start + _MOST_VARIABLES]
                    )
                ]
            except (sqlite3.Error, OSError) as error:
                self._reader = self._recover(self._reader, error)
                return found
        now = self._now()
        stale: set[Place] = set()
        for key, value, used in rows:
            if used < now - self._limits.age:
                continue
            found[key] = value
            if used < now - _TOUCH_AFTER:
                stale.add((kind, key))
        self._writes.touch(stale)
        return found

    # Writing, in a thread of its own

    def _store(self, changes: Changes, touched: set[Place]) -> bool:
        """Store changes, at the second attempt in a new file where the first was damaged."""
        for _ in range(2):
            try:
                self._writer = self._connect(self._writer, _WRITE_PATIENCE)
                self._write(self._writer.connection, changes, touched)
            except (sqlite3.Error, OSError) as error:
                self._writer = self._recover(self._writer, error)
                if not is_damage(error):
                    break
            else:
                return True
        return False

    def _end(self) -> None:
        self._let_go(self._writer)

    def _write(
        self,
        connection: sqlite3.Connection,
        changes: Changes,
        touched: set[Place],
    ) -> None:
        now = int(self._now())
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_TOUCH, [(now, *place) for place in sorted(touched)])
            for place, value in changes.items():
                if value is None:
                    connection.execute(_DELETE, place)
                else:
                    connection.execute(_PUT, (*place, now, value))
            self._prune(connection, now)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _prune(self, connection: sqlite3.Connection, now: int) -> None:
        if abs(now - self._pruned) >= _PRUNE_AGE_EVERY:
            self._pruned = now
            connection.execute("DELETE FROM entries WHERE used < ?", (now - self._limits.age,))
        while (size := _size(connection)) > self._limits.size:
            excess = size - self._limits.size * _LOW_WATER
            oldest = connection.execute(
                "SELECT id, length(value) FROM entries ORDER BY used, id LIMIT 1000"
            ).fetchall()
            if not oldest:
                break
            for identifier, length in oldest:
                connection.execute("DELETE FROM entries WHERE id = ?", (identifier,))
                excess -= length
                if excess <= 0:
                    break

    # Connections

    def _connect(self, opened: Opened | None, patience: float) -> Opened:
        """Return a connection to the file that has the name now."""
        if opened is not None:
            if self._file.is_current(opened):
                return opened
            opened.connection.close()
        return self._file.connect(patience)

    def _recover(self, opened: Opened | None, error: Exception) -> Opened | None:
        """Go on after a failure: without the file, where it is damaged."""
        if not is_damage(error):
            self._complain(error)
            return opened
        self._let_go(opened)
        if opened is not None:
            try:
                self._file.set_aside(opened.identity, error)
            except OSError as problem:
                self._complain(problem)
        return None

    def _let_go(self, opened: Opened | None) -> None:
        if opened is not None:
            opened.connection.close()

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            logger.warning(
                "%s cannot be used (%s): what is to be kept waits in memory until it can.",
                self._file.path,
                error,
            )


def _name(key: str) -> str:
    """Return a key as SQLite can keep it: in an address that an agent calls any bytes may stand."""
    return key if key.isascii() else key.encode("utf-8", "backslashreplace").decode()


def _select(
    connection: sqlite3.Connection, kind: str, keys: list[str]
) -> list[tuple[str, bytes, int]]:
    marks = ", ".join("?" * len(keys))
    return connection.execute(
        f"SELECT key, value, used FROM entries WHERE kind = ? AND key IN ({marks})",  # noqa: S608 - only question marks are put in
        (kind, *keys),
    ).fetchall()


def _size(connection: sqlite3.Connection) -> int:
    """Count the bytes of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    return (pages - free) * page_size
