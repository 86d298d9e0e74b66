"""A vault in one SQLite file, shared by any number of processes.

Writes wait in memory until one thread has stored them, so that nobody who puts waits for a disk.
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

from addon.vault.memory_vault import MemoryVault
from addon.vault.sqlite_file import Opened, SqliteFile, is_damage
from addon.vault.store import Limits

logger = logging.getLogger(__name__)

type Place = tuple[str, str]

_READ_PATIENCE = 0.25
"""Seconds that a reader waits for the file; log files hardly ever make it wait."""
_WRITE_PATIENCE = 10.0
_MOST_PENDING = 64 << 20
"""Bytes that may wait to be written; one who puts more waits for the disk."""
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
        self._unsaved = MemoryVault(now=now)
        """What could not be stored."""
        self._complained = False
        self._changed = threading.Condition()
        self._pending: dict[Place, bytes | None] = {}
        """What waits to be stored; None: to be deleted."""
        self._in_hand: dict[Place, bytes | None] = {}
        """What is being stored at this moment."""
        self._pending_size = 0
        self._touched: set[Place] = set()
        self._closing = False
        self._pruned = 0.0
        self._thread: threading.Thread | None = None

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep values, in place of older ones of the same key."""
        self._change({(kind, key): bytes(value) for key, value in values.items()})

    def get(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys, and count it as used."""
        found: dict[str, bytes] = {}
        missing: list[str] = []
        with self._changed:
            for key in keys:
                place = (kind, key)
                waiting = self._pending if place in self._pending else self._in_hand
                if place not in waiting:
                    missing.append(key)
                elif (value := waiting[place]) is not None:
                    found[key] = value
        if missing:
            found |= self._read(kind, missing)
        return found

    def delete(self, kind: str, keys: Iterable[str]) -> None:
        """Forget these keys."""
        self._change({(kind, key): None for key in keys})

    def close(self) -> None:
        """Store what is pending and close the file."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        with self._reading:
            self._let_go(self._reader)
            self._reader = None

    def flush(self) -> None:
        """Wait until everything put so far has been stored."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._pending or self._in_hand))

    def _change(self, changes: dict[Place, bytes | None]) -> None:
        if not changes:
            return
        size = sum(len(value) for value in changes.values() if value is not None)
        with self._changed:
            if self._closing:
                return
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._write_all, name="Detour vault", daemon=True
                )
                self._thread.start()
            self._changed.wait_for(lambda: self._pending_size <= _MOST_PENDING)
            self._pending |= changes
            self._pending_size += size
            self._changed.notify_all()

    # Reading

    def _read(self, kind: str, keys: list[str]) -> dict[str, bytes]:
        found = self._unsaved.get(kind, keys)
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
            found.setdefault(key, value)
            if used < now - _TOUCH_AFTER:
                stale.add((kind, key))
        if stale:
            with self._changed:
                self._touched |= stale
        return found

    # Writing, in a thread of its own

    def _write_all(self) -> None:
        opened: Opened | None = None
        while True:
            with self._changed:
                self._in_hand = {}
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._pending or self._closing)
                self._in_hand, self._pending = self._pending, {}
                self._pending_size = 0
                touched, self._touched = self._touched, set()
                self._changed.notify_all()
                if self._closing and not (self._in_hand or touched):
                    break
            opened = self._store(opened, self._in_hand, touched)
        self._let_go(opened)

    def _store(
        self, opened: Opened | None, changes: dict[Place, bytes | None], touched: set[Place]
    ) -> Opened | None:
        """Store changes, at the second attempt in a new file where the first was damaged."""
        for _ in range(2):
            try:
                opened = self._connect(opened, _WRITE_PATIENCE)
                self._write(opened.connection, changes, touched)
            except (sqlite3.Error, OSError) as error:
                opened = self._recover(opened, error)
                if not is_damage(error):
                    break
            else:
                for kind, key in changes:
                    self._unsaved.delete(kind, [key])
                return opened
        for (kind, key), value in changes.items():
            if value is None:
                self._unsaved.delete(kind, [key])
            else:
                self._unsaved.put(kind, {key: value})
        return opened

    def _write(
        self,
        connection: sqlite3.Connection,
        changes: dict[Place, bytes | None],
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
                "%s cannot be used (%s): what does not fit into memory is forgotten.",
                self._file.path,
                error,
            )


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
