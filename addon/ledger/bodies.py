"""What was said in exchanges, kept apart from their records where the rules ask for it."""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from addon.ledger.database import Database, Limits
from addon.ledger.record import Record

FILE_NAME = "bodies.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS bodies (id TEXT, time TEXT, part TEXT, packed BLOB);
CREATE INDEX IF NOT EXISTS bodies_by_id ON bodies (id);
CREATE INDEX IF NOT EXISTS bodies_by_time ON bodies (time);
"""


class Bodies:
    """Writes `bodies.db` under the home folder. For one thread at a time."""

    def __init__(
        self,
        home: Path,
        limits: Limits,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Name the file; it is opened at the first write."""
        self._database = Database(home / FILE_NAME, _SCHEMA, "bodies", limits, now)

    def write(self, record: Record, parts: Mapping[str, bytes]) -> None:
        """Keep the bodies of one exchange, by the name of the part that each has in it.

        Raises:
            sqlite3.Error: They are not kept.
            OSError: Likewise.
        """
        rows = [(record.id, record.time, part, zlib.compress(body)) for part, body in parts.items()]

        def store(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT INTO bodies VALUES (?, ?, ?, ?)", rows)
            self._database.prune(connection)

        self._database.change(store)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def read_bodies(home: Path, record: Record) -> dict[str, bytes]:
    """Return what was kept of an exchange; nothing where nothing was.

    Raises:
        sqlite3.Error: The file cannot be read.
    """
    path = home / FILE_NAME
    if not path.is_file():
        return {}
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        query = "SELECT part, packed FROM bodies WHERE id = ? AND time = ? ORDER BY rowid"
        rows = connection.execute(query, (record.id, record.time)).fetchall()
    return {part: zlib.decompress(packed) for part, packed in rows}
