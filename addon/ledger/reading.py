"""Reads the ledger, also while others write it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from addon.ledger.record import COLUMNS, Record, read_record, timestamp
from addon.ledger.schema import FAILED, FILE_NAME, LIST, LOSSY
from addon.ledger.selection import Selection
from addon.ledger.store import Store
from addon.ledger.totals import KEYS, STARTS, TOTALS, Grouping, Point, Step, Trouble, UsageRow

_PATIENCE = 10.0
_EVERYTHING = Selection()

_ERRORS = f"""
SELECT 'error' AS kind,
    CASE WHEN error IS NULL THEN 'status ' || status
        ELSE substr(error, 1, instr(error || ':', ':') - 1) END AS name,
    coalesce(error, '') AS detail, {KEYS["provider"]} AS provider,
    coalesce(model, requested_model) AS model, count(*) AS count, max(time) AS last, id AS last_id
FROM exchanges WHERE {FAILED} AND %s GROUP BY 2, 4, 5
"""  # noqa: S608 - fixed expressions
_LOSSES = f"""
SELECT 'loss' AS kind, value ->> 'field' AS name,
    (value ->> 'action') || ': ' || (value ->> 'reason') AS detail, {KEYS["provider"]} AS provider,
    coalesce(model, requested_model) AS model, count(*) AS count, max(time) AS last,
    exchanges.id AS last_id
FROM exchanges, json_each(losses) WHERE {LOSSY} AND %s GROUP BY 2, 3, 4, 5
"""  # noqa: S608 - fixed expressions


_COUNTED = "actual_provider IS NOT NULL AND endpoint <> 'count'"
"""Exchanges that count for limits."""


class Spent(NamedTuple):
    """What one call has used."""

    id: str
    rule: str
    agent: str | None
    time: str
    tokens: int
    """Read and written."""
    cost_usd: float


class Cursor(NamedTuple):
    """Where a page ended: the last exchange on it."""

    time: str
    id: str


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What can be selected by name, in alphabetical order."""

    agents: list[str]
    providers: list[str]
    models: list[str]
    """As `provider:model`."""
    rules: list[str]


class Reader:
    """Reads the records of a home folder; for any thread, and goes on in a new file."""

    def __init__(self, home: Path) -> None:
        """Open the ledger to read it.

        What processes that were killed have left is stored first, where that is possible.

        Raises:
            FileNotFoundError: Nothing has been recorded yet.
            sqlite3.Error: It cannot be read.
        """
        with contextlib.suppress(sqlite3.Error, OSError), closing(Store(home)) as store:
            store.recover()
        self._path = home / FILE_NAME
        self._lock = threading.Lock()
        self._file = self._identity()
        if self._file is None:
            raise FileNotFoundError(self._path)
        self._connection = self._connect()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @property
    def file(self) -> tuple[int, int] | None:
        """Tell which file is being read: places in another one mean nothing."""
        return self._file

    def page(
        self,
        selection: Selection = _EVERYTHING,
        count: int = 100,
        before: Cursor | None = None,
    ) -> list[Record]:
        """Return exchanges, the newest first.

        Args:
            selection: Which.
            count: How many at most.
            before: The last one of the page before.
        """
        where, values = selection.clause()
        if before is not None:
            where += " AND time <= ? AND (time, id) < (?, ?)"
            values += [before.time, before.time, before.id]
        query = f"SELECT {LIST} FROM exchanges WHERE {where} ORDER BY time DESC, id DESC LIMIT ?"  # noqa: S608 - values are bound
        return [_record(row) for row in self._query(query, [*values, count])]

    def exchange(self, name: str) -> Record | None:
        """Find one exchange by its id; the last one of it, where it was replayed."""
        query = f"SELECT {LIST} FROM exchanges WHERE id = ? ORDER BY time DESC LIMIT 1"  # noqa: S608 - fixed names
        rows = self._query(query, [name])
        return _record(rows[0]) if rows else None

    def running(self) -> list[Record]:
        """Return what is known of exchanges that have gone on for a while, of any process."""
        rows = self._query("SELECT record FROM running", [])
        records = [read_record(row["record"]) for row in rows]
        return sorted(records, key=lambda record: (record.time, record.id))

    def usage(
        self, selection: Selection = _EVERYTHING, by: Sequence[Grouping] = ()
    ) -> list[UsageRow]:
        """Add up what was used, the dearest group first; days in their order.

        Args:
            selection: Of which exchanges.
            by: What makes a group; nothing: all is one.
        """
        where, values = selection.clause()
        keys, positions = _keys(by, 1)
        days = [str(place + 1) for place, name in enumerate(by) if name == "day"]
        order = [*days, "cost_usd DESC", "output_tokens DESC", "requests DESC", *positions]
        query = (
            f"SELECT {keys}{TOTALS} FROM exchanges WHERE {where}"  # noqa: S608 - values are bound
            f" GROUP BY {', '.join(positions) or 'NULL'} ORDER BY {', '.join(order)}"
        )
        return [_grouped(row, by, UsageRow) for row in self._query(query, values)]

    def series(
        self, step: Step, selection: Selection = _EVERYTHING, by: Sequence[Grouping] = ()
    ) -> list[Point]:
        """Add up what was used in each hour or on each day, in their order.

        Hours and days in which nothing was used are left out; `starts` names them all.
        """
        where, values = selection.clause()
        keys, positions = _keys(by, 2)
        query = (
            f"SELECT {STARTS[step]} AS start, {keys}{TOTALS} FROM exchanges WHERE {where}"  # noqa: S608 - values are bound
            f" GROUP BY {', '.join(('1', *positions))} ORDER BY {', '.join(('1', *positions))}"
        )
        return [_grouped(row, by, Point) for row in self._query(query, values)]

    def troubles(self, selection: Selection = _EVERYTHING, count: int = 200) -> list[Trouble]:
        """Count errors and losses of each kind, those that came last first."""
        where, values = selection.clause()
        query = (
            f"{_ERRORS % where} UNION ALL {_LOSSES % _qualified(where)} ORDER BY last DESC LIMIT ?"
        )
        return [Trouble(**dict(row)) for row in self._query(query, [*values, *values, count])]

    def names(self) -> Names:
        """Return everything that exchanges can be selected by."""
        model = "SELECT DISTINCT actual_provider || ':' || model FROM exchanges"
        return Names(
            agents=self._names("SELECT DISTINCT agent FROM exchanges"),
            providers=self._names("SELECT DISTINCT actual_provider FROM exchanges"),
            models=self._names(model),
            rules=self._names("SELECT DISTINCT rule FROM exchanges"),
        )

    def used(self, rule: str, since: float, until: int) -> dict[str | None, UsageRow]:
        """Add up what calls of one rule have used since a moment, by agent.

        Args:
            rule: Its name.
            since: Seconds since 1970.
            until: The place in the file up to which to look.
        """
        query = (
            f"SELECT agent, {TOTALS} FROM exchanges"  # noqa: S608 - fixed expressions
            f" WHERE rule = ? AND time >= ? AND rowid <= ? AND {_COUNTED} GROUP BY agent"
        )
        rows = self._query(query, [rule, timestamp(since), until])
        return {row["agent"]: _grouped(row, ("agent",), UsageRow) for row in rows}

    def spent(self, rules: Sequence[str], after: int, until: int) -> list[Spent]:
        """Return what each call of some rules has used, between two places in the file."""
        names = ", ".join("?" * len(rules))
        query = (
            "SELECT id, rule, agent, time, coalesce(input_tokens, 0) + coalesce(output_tokens, 0),"  # noqa: S608 - fixed expressions
            " coalesce(cost_usd, 0.0) FROM exchanges"
            f" WHERE rowid > ? AND rowid <= ? AND rule IN ({names}) AND {_COUNTED}"
        )
        return [Spent(*row) for row in self._query(query, [after, until, *rules])]

    def last(self, count: int, selection: Selection = _EVERYTHING) -> list[tuple[int, Record]]:
        """Return what was recorded last, oldest first, each with its place in the file."""
        where, values = selection.clause()
        query = f"SELECT rowid, {LIST} FROM exchanges WHERE {where} ORDER BY rowid DESC LIMIT ?"  # noqa: S608 - values are bound
        rows = self._query(query, [*values, count])
        return [(row["rowid"], _record(row)) for row in reversed(rows)]

    def after(self, place: int, selection: Selection = _EVERYTHING) -> list[tuple[int, Record]]:
        """Return what was recorded after a place in the file."""
        where, values = selection.clause()
        query = f"SELECT rowid, {LIST} FROM exchanges WHERE rowid > ? AND {where} ORDER BY rowid"  # noqa: S608 - values are bound
        return [(row["rowid"], _record(row)) for row in self._query(query, [place, *values])]

    def end(self) -> int:
        """Return the place of what was recorded last; 0 where there is nothing."""
        rows = self._query("SELECT coalesce(max(rowid), 0) FROM exchanges", [])
        return rows[0][0] if rows else 0

    def _names(self, query: str) -> list[str]:
        return sorted(row[0] for row in self._query(query, []) if row[0] is not None)

    def _query(self, query: str, values: Sequence[object]) -> list[sqlite3.Row]:
        with self._lock:
            now = self._identity()
            if now is None:  # somebody has deleted it
                return []
            if now != self._file:
                connection = self._connect()
                self._connection.close()
                self._connection, self._file = connection, now
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # the file is just being made
                    return []
                raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        return connection

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino


def _keys(by: Sequence[Grouping], first: int) -> tuple[str, list[str]]:
    """Write the columns of the groups, each followed by a comma, and tell their places."""
    columns = "".join(f"{KEYS[name]} AS by_{name}, " for name in by)
    return columns, [str(first + place) for place in range(len(by))]


def _grouped[Row: (UsageRow, Point)](
    row: sqlite3.Row, by: Sequence[Grouping], kind: type[Row]
) -> Row:
    values = {name: row[name] for name in kind.__struct_fields__ if name != "keys"}
    start = 1 if kind is Point else 0
    return kind(keys=tuple(row)[start : start + len(by)], **values)


def _qualified(where: str) -> str:
    """Say whose `id` is meant: what `json_each` returns has one, too."""
    return where.replace("lower(id)", "lower(exchanges.id)")


def _record(row: sqlite3.Row) -> Record:
    values: dict[str, Any] = {name: row[name] for name in COLUMNS}
    values["stream"] = bool(values["stream"])
    for name in ("attempts", "losses"):
        values[name] = msgspec.json.decode(values[name])
    return Record(**values)
