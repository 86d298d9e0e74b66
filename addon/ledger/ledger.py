"""Writes records, in a thread of its own: nobody who adds one waits for a disk.

What is committed survives a killed process; a crash loses what was still in the queue.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from addon.ledger.record import Record, timestamp
from addon.ledger.schema import FILE_NAME, INSERT, PROBE, SCHEMA
from addon.vault.sqlite_file import Opened, SqliteFile, is_damage

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds that the writer waits for another process that writes."""
_MOST_QUEUED = 100_000
_BATCH = 1000
_GATHER = 0.1
"""Seconds that the writer lets records gather: its work competes with calls for the interpreter."""
_PRUNE_EVERY = 600
_LOW_WATER = 0.9
"""Share of the size limit that pruning goes down to."""
_FAREWELL = 15.0
"""Seconds that the end of the program waits for the writer."""

_DELETE_OLD = "DELETE FROM exchanges WHERE time < ?"
_DELETE_OLDEST = """
DELETE FROM exchanges WHERE rowid IN (SELECT rowid FROM exchanges ORDER BY time LIMIT ?)
"""

type Completion = Callable[[Record], None]
"""Adds to a record what takes a while to find; called by the writer."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept; the oldest goes first."""

    size: int = 512 << 20
    """Most bytes of the file."""
    age: float = 365 * 86400.0
    """Seconds after which a record is removed."""


class Ledger:
    """Keeps records in `detour.db` under the home folder, shared by any number of processes."""

    def __init__(
        self,
        home: Path,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        lines: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Prepare to write; the file is opened by the writer, when there is something to write.

        Args:
            home: The folder, which exists already.
            limits: How much is kept.
            lines: A file that gets every record as a line of JSON as well.
            now: Tells the time, in seconds since 1970.
        """
        self._file = SqliteFile(home / FILE_NAME, SCHEMA, PROBE)
        self._limits = limits
        self._lines = lines
        self._now = now
        self._hurry = threading.Event()
        """Set while somebody waits for what is queued."""
        self._queue: queue.Queue[tuple[Record, Completion | None] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._complaints: set[str] = set()
        self._pruned = 0.0

    @property
    def path(self) -> Path:
        """The database."""
        return self._file.path

    def add(self, record: Record, complete: Completion | None = None) -> None:
        """Keep a record; returns at once and never raises.

        Args:
            record: What is known.
            complete: Adds what is to be found out by the writer.
        """
        if self._closed:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="Detour ledger", daemon=True)
            self._thread.start()
        if self._queue.qsize() < _MOST_QUEUED:
            self._queue.put((record, complete))
        else:
            self._complain("more exchanges end than can be written; some are not recorded")

    def flush(self) -> None:
        """Wait until everything added so far has been written."""
        self._hurry.set()
        self._queue.join()
        self._hurry.clear()

    def close(self) -> None:
        """Write what is queued and stop."""
        self._closed = True
        self._hurry.set()
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(_FAREWELL)

    def _run(self) -> None:
        opened: Opened | None = None
        ending = False
        while not ending:
            batch = [self._queue.get()]
            if batch[0] is not None:
                self._hurry.wait(_GATHER)
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            records = [_complete(*entry) for entry in batch if entry is not None]
            ending = None in batch
            try:
                if records:
                    opened = self._store(opened, records)
                    self._write_lines(records)
            except Exception:
                logger.exception("records of %d exchanges could not be written", len(records))
            for _ in batch:
                self._queue.task_done()
        if opened is not None:
            opened.connection.close()

    def _store(self, opened: Opened | None, records: list[Record]) -> Opened | None:
        """Store records, at the second attempt in a new file where the first was damaged."""
        for _ in range(2):
            try:
                if opened is not None and not self._file.is_current(opened):
                    opened.connection.close()
                    opened = None
                opened = opened or self._file.connect(_PATIENCE)
                self._write(opened.connection, records)
            except (sqlite3.Error, OSError) as error:
                damaged = is_damage(error)
                if opened is not None:
                    opened.connection.close()
                    if damaged:
                        self._file.set_aside(opened.identity, error)
                    opened = None
                if not damaged:
                    self._complain(f"{self._file.path} cannot be written ({error})")
                    break
            else:
                return opened
        return opened

    def _write(self, connection: sqlite3.Connection, records: list[Record]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(INSERT, [record.row() for record in records])
            self._prune(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _prune(self, connection: sqlite3.Connection) -> None:
        now = self._now()
        if abs(now - self._pruned) >= _PRUNE_EVERY:
            self._pruned = now
            oldest = max(now - self._limits.age, 0)
            connection.execute(_DELETE_OLD, (timestamp(oldest),))
        if (size := _size(connection)) <= self._limits.size:
            return
        (count,) = connection.execute("SELECT count(*) FROM exchanges").fetchone()
        excess = 1 - self._limits.size * _LOW_WATER / size
        connection.execute(_DELETE_OLDEST, (int(count * excess) + 1,))

    def _write_lines(self, records: list[Record]) -> None:
        if self._lines is None:
            return
        lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        try:
            with self._lines.open("ab", buffering=0) as file:
                file.write(lines)
        except OSError as error:
            self._complain(f"{self._lines} cannot be written ({error})")

    def _complain(self, trouble: str) -> None:
        """Say once what goes wrong."""
        if trouble not in self._complaints:
            self._complaints.add(trouble)
            logger.warning("The ledger is incomplete: %s.", trouble)


def _complete(record: Record, complete: Completion | None) -> Record:
    if complete is not None:
        try:
            complete(record)
        except Exception:
            logger.exception("a record could not be completed")
    return record


def _size(connection: sqlite3.Connection) -> int:
    """Count the bytes of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    return (pages - free) * page_size
