"""Takes records, and has them written by a thread of its own: nobody who adds one waits for a disk.

A record is in the journal when `add` returns, and in the database soon: at once after a pause, and
within a tenth of a second where many end. A process that is killed loses no record that was added;
exchanges that it had under way are recorded as interrupted, but for those of the last moment.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from addon.ledger.database import Limits
from addon.ledger.journal import Journal
from addon.ledger.record import Record
from addon.ledger.store import Store, write_lines

logger = logging.getLogger(__name__)

_GATHER = 0.1
"""Seconds between two writes: the writer's work competes with calls for the interpreter."""
_LONG = 0.25
"""Seconds after which an exchange that goes on is entered as one that is under way."""
_AGAIN = 1.0
"""Seconds after which a write that has failed is tried again."""
_RECOVER_EVERY = 60.0
_MOST_QUEUED = 100_000
_FAREWELL = 15.0
"""Seconds that the end of the program waits for the writer."""

type Completion = Callable[[Record], None]
"""Adds to a record what takes a while to find; called by the writer."""


class _Added(NamedTuple):
    record: Record
    complete: Completion | None


class UnderWay(NamedTuple):
    """An exchange that has begun."""

    describe: Callable[[], Record]
    """Tells what is known of it; called by the writer."""
    has_ended: Callable[[], bool]


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
        self._home = home
        self._lines = lines
        self._store = Store(home, limits, now)
        self._journal: Journal | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._complaints: set[str] = set()
        # Under the lock of `_changed`:
        self._queue: list[_Added | Callable[[], None]] = []
        self._begun: deque[tuple[float, UnderWay]] = deque()
        self._added = self._stored = 0
        """How many records were added, and how many of them the writer has dealt with."""
        self._waiting = 0
        """How many wait for all of them."""
        self._idle = False
        """Whether the writer sleeps until it is woken."""
        self._closed = False
        # Of the writer alone:
        self._left: list[Record] = []
        """What could not be written so far."""
        self._running: dict[str, UnderWay] = {}
        """Exchanges that are entered as being under way."""
        self._written = self._worked = self._recovered = float("-inf")

    @property
    def path(self) -> Path:
        """The database."""
        return self._store.path

    def open(self) -> None:
        """Begin to work: see to what was left by processes that were killed."""
        with self._changed:
            self._start()

    def add(self, record: Record, complete: Completion | None = None) -> None:
        """Keep a record; returns at once and never raises.

        Args:
            record: What is known.
            complete: Adds what is to be found out by the writer.
        """
        with self._changed:
            if self._closed:
                return
            self._start()
            if len(self._queue) >= _MOST_QUEUED:
                self._complain("more exchanges end than can be written; some are not recorded")
                return
            if self._journal is not None:
                try:
                    self._journal.write(record)
                except (OSError, ValueError, OverflowError) as error:
                    self._complain(f"its journal cannot be written ({error})")
            self._queue.append(_Added(record, complete))
            self._added += 1
            self._wake()

    def later(self, task: Callable[[], None]) -> None:
        """Do something in the writer's thread, once what was added so far is complete."""
        with self._changed:
            if not self._closed:
                self._start()
                self._queue.append(task)
                self._wake()

    def begin(self, exchange: UnderWay) -> None:
        """Learn of an exchange that has begun, so that it is known of should it never end."""
        with self._changed:
            if not self._closed and len(self._begun) < _MOST_QUEUED:
                self._start()
                self._begun.append((time.monotonic(), exchange))
                self._wake()

    def flush(self) -> None:
        """Wait until everything added so far has been written."""
        with self._changed:
            added = self._added
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stored >= added or not self._is_alive())
            self._waiting -= 1

    def close(self) -> None:
        """Write what is queued and stop."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_FAREWELL)

    def _start(self) -> None:
        if self._thread is not None:
            return
        try:
            self._journal = Journal(self._home, self._lines)
        except OSError as error:
            self._complain(f"its journal cannot be written ({error})")
        self._thread = threading.Thread(target=self._run, name="Detour ledger", daemon=True)
        self._thread.start()

    def _wake(self) -> None:
        if self._idle:
            self._idle = False
            self._changed.notify_all()

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        self._recover()
        while self._work():
            pass
        if self._running:
            self._write([], [], [*self._running])
        if self._journal is not None:
            try:
                self._journal.close(settled=not self._left)
            except OSError as error:
                self._complain(f"its journal cannot be removed ({error})")
        self._store.close()

    def _work(self) -> bool:
        """Wait for something to write and write it; return False at the end."""
        with self._changed:
            while (pause := self._pause()) > 0:
                self._idle = pause == float("inf")
                self._changed.wait(None if self._idle else pause)
            self._idle = False
            closed, added = self._closed, self._added
            taken, self._queue = self._queue, []
            begun: list[UnderWay] = []
            now = time.monotonic()
            while self._begun and self._begun[0][0] + _LONG <= now:
                begun.append(self._begun.popleft()[1])
            if self._journal is not None and not self._left:
                self._journal.turn()
        try:
            self._enter(taken, begun)
        except Exception:
            logger.exception("records of %d exchanges could not be written", len(taken))
        with self._changed:
            self._stored = added
            self._changed.notify_all()
        if now >= self._recovered + _RECOVER_EVERY:
            self._recover()
        self._worked = time.monotonic()
        return not closed

    def _pause(self) -> float:
        """Return for how many seconds there is nothing to do."""
        if self._closed or (self._waiting and self._stored < self._added):
            return 0.0
        due = float("inf")
        if self._queue:
            due = self._written + _GATHER
        if self._left:
            due = min(due, self._written + _AGAIN)
        if self._begun:
            due = min(due, self._begun[0][0] + _LONG)
        # Never for each exchange by itself: to wake this thread holds up the one that serves
        # agents.
        return max(due, self._worked + _GATHER) - time.monotonic()

    def _enter(self, taken: list[_Added | Callable[[], None]], begun: list[UnderWay]) -> None:
        new: list[Record] = []
        for entry in taken:
            if isinstance(entry, _Added):
                new.append(_complete(*entry))
            else:
                _do(entry)
        try:
            write_lines(self._lines, new)
        except OSError as error:
            self._complain(f"{self._lines} cannot be written ({error})")
        records = [*self._left, *new]
        started = {
            record.id: (record, exchange)
            for exchange in begun
            if not exchange.has_ended() and (record := _described(exchange)) is not None
        }
        ended = [name for name, exchange in self._running.items() if exchange.has_ended()]
        if not (records or started or ended):
            return
        if self._write(records, [record for record, _ in started.values()], ended):
            self._left = []
            self._running.update((name, exchange) for name, (_, exchange) in started.items())
            for name in ended:
                del self._running[name]
            self._settle()
        else:
            self._left = records[-_MOST_QUEUED:]
        self._written = time.monotonic()

    def _write(self, records: list[Record], begun: list[Record], ended: list[str]) -> bool:
        """Write all that can be written at all; return False where it is to be tried again."""
        owner = self._journal.owner if self._journal is not None else ""
        try:
            self._store.write(records, begun, ended, owner)
        except (sqlite3.OperationalError, OSError) as error:
            self._complain(f"{self.path} cannot be written ({error})")
            return False
        except Exception:
            if len(records) + len(begun) <= 1:
                logger.exception("an exchange could not be recorded")
                return True
            # Only what is at fault shall be missing.
            for record in records:
                self._write([record], [], [])
            for record in begun:
                self._write([], [record], [])
            return self._write([], [], ended)
        return True

    def _settle(self) -> None:
        if self._journal is not None:
            try:
                self._journal.settle()
            except OSError as error:
                self._complain(f"its journal cannot be written ({error})")

    def _recover(self) -> None:
        self._recovered = time.monotonic()
        try:
            self._store.recover()
        except (sqlite3.Error, OSError) as error:
            self._complain(f"what a killed process has left cannot be recorded ({error})")
        except Exception:
            logger.exception("what a killed process has left could not be recorded")

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


def _do(task: Callable[[], None]) -> None:
    try:
        task()
    except Exception:
        logger.exception("what was to follow a record failed")


def _described(exchange: UnderWay) -> Record | None:
    try:
        return exchange.describe()
    except Exception:
        logger.exception("an exchange that is under way could not be described")
        return None
