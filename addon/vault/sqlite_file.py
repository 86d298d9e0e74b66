"""An SQLite file: how it is opened, told to be damaged, and set aside."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

_SQLITE_ERROR = 1
_DAMAGE = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))

_BUSY_PAUSE = 0.02

type Identity = tuple[int, int]


class Opened(NamedTuple):
    """A connection, and which file it leads to."""

    connection: sqlite3.Connection
    identity: Identity | None


class SqliteFile:
    """One database file, shared by any number of processes."""

    def __init__(self, path: Path, schema: str, probe: str) -> None:
        """Name a file; `connect` opens it.

        Args:
            path: Where it is.
            schema: Statements that make what is not there.
            probe: A query that fails on a file of another make.
        """
        self.path = path
        self._schema = schema
        self._probe = probe

    def connect(self, patience: float) -> Opened:
        """Open the file, make it if need be, and set a damaged one aside.

        Args:
            patience: Seconds to wait for another process that holds the file.

        Raises:
            sqlite3.Error: It cannot be opened.
            OSError: It cannot be made.
        """
        before = self.identity()
        try:
            return self._connect(patience)
        except sqlite3.Error as error:
            # Of our own fixed statements only a foreign table can make a plain error.
            if not (is_damage(error) or error.sqlite_errorcode == _SQLITE_ERROR):
                raise
            self.set_aside(before, error)
            return self._connect(patience)

    def identity(self) -> Identity | None:
        """Tell which file has the name now."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def set_aside(self, damaged: Identity | None, error: Exception) -> None:
        """Give the damaged file another name, unless another process has done so already."""
        if damaged is None or self.identity() != damaged:
            return
        number = 1
        while (aside := self._damaged(number)).exists():
            number += 1
        logger.warning(
            "%s is damaged (%s): it is kept as %s, and a new one is begun.",
            self.path,
            error,
            aside.name,
        )
        # The log goes first: SQLite would play it back into the new file.
        for suffix in ("-wal", "-shm", ""):
            source = self.path.with_name(self.path.name + suffix)
            if source.exists():
                source.replace(aside.with_name(aside.name + suffix))

    def is_current(self, opened: Opened) -> bool:
        """Tell whether a connection still leads to the file of this name.

        Not when somebody has deleted the file, or set it aside.
        """
        return opened.identity == self.identity()

    def _damaged(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.damaged-{number}")

    def _connect(self, patience: float) -> Opened:
        deadline = time.monotonic() + patience
        while True:
            try:
                return self._connect_once(patience)
            except sqlite3.OperationalError as error:
                # Several processes that make the file at once do not wait for one another.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise
            time.sleep(_BUSY_PAUSE)

    def _connect_once(self, patience: float) -> Opened:
        # SQLite gives its log the permissions of the file that it belongs to. A file that exists
        # is not opened here: closing it would drop the locks that this process has on it.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if self.path.stat().st_mode & 0o077:
            self.path.chmod(0o600)
        identity = self.identity()
        connection = sqlite3.connect(
            self.path, timeout=patience, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(f"PRAGMA journal_size_limit={16 << 20}")
            connection.executescript(self._schema)
            connection.execute(self._probe).fetchone()
        except BaseException:
            connection.close()
            raise
        return Opened(connection, identity)


def is_damage(error: BaseException) -> bool:
    """Tell damage from trouble that may pass, such as a full disk or a busy file."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _DAMAGE
