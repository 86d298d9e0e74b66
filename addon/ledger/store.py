"""The database of the ledger, as it is written. For one thread at a time."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from addon.ledger.database import Database, Limits
from addon.ledger.journal import Left, journals, left_behind
from addon.ledger.record import Record, read_record
from addon.ledger.schema import FILE_NAME, INSERT, INSERT_ONCE, SCHEMA

logger = logging.getLogger(__name__)

INTERRUPTED = "interrupted: Detour was ended before the answer was."


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
        self._database = Database(home / FILE_NAME, SCHEMA, "exchanges", limits, now)

    @property
    def path(self) -> Path:
        """The database."""
        return self._database.path

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
            self._database.prune(connection)

        self._database.change(store)

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
        self._database.close()

    def _take_over(self, left: Left) -> None:
        stored: list[Record] = []

        def store(connection: sqlite3.Connection) -> None:
            running = connection.execute(
                "SELECT record FROM running WHERE owner = ?", (left.owner,)
            ).fetchall()
            begun = [read_record(text) for (text,) in running]
            for record in begun:
                record.error = INTERRUPTED
            stored[:] = [
                record
                for record in (*left.records, *begun)
                if connection.execute(INSERT_ONCE, (*record.row(), record.id, record.time)).rowcount
            ]
            connection.execute("DELETE FROM running WHERE owner = ?", (left.owner,))

        self._database.change(store)
        if stored:
            logger.info("%d exchanges of a process that was killed are recorded", len(stored))
            write_lines(left.lines, stored)


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
