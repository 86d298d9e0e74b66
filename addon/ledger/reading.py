"""Reads the ledger, also while others write it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from addon.ledger.ledger import FILE_NAME
from addon.ledger.record import COLUMNS, Record, timestamp

type Grouping = Literal["agent", "model", "provider", "rule", "day"]

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping.__value__)

_PATIENCE = 10.0

_KEYS: Mapping[Grouping, str] = {
    "agent": "agent",
    "model": "coalesce(actual_provider || ':' || model, model, requested_model)",
    "provider": "coalesce(actual_provider, provider)",
    "rule": "rule",
    "day": "date(time, 'localtime')",
}
_UNPRICED = """
cost_usd IS NULL AND actual_provider IS NOT NULL AND endpoint NOT IN ('count')
AND endpoint NOT LIKE 'GET %' AND (status < 400 OR output_tokens IS NOT NULL)
"""
"""Exchanges that cost something, of which nobody knows how much."""
_TOTALS = f"""
count(*) AS requests,
coalesce(sum(error IS NOT NULL OR status >= 400), 0) AS errors,
coalesce(sum(input_tokens), 0) AS input_tokens,
coalesce(sum(cache_read_tokens), 0) AS cache_read_tokens,
coalesce(sum(cache_write_tokens), 0) AS cache_write_tokens,
coalesce(sum(output_tokens), 0) AS output_tokens,
coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens,
sum(cost_usd) AS cost_usd,
coalesce(sum({_UNPRICED}), 0) AS unpriced
"""


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a group of exchanges used."""

    key: str | None
    """The agent, model, ... that they have in common; None where it is unknown."""
    requests: int
    errors: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: float | None
    """Of all whose price is known; None where none is."""
    unpriced: int
    """How many of the requests cost something that nobody knows."""


class Reader:
    """Reads the records of a home folder."""

    def __init__(self, home: Path) -> None:
        """Open the ledger to read it.

        Raises:
            FileNotFoundError: Nothing has been recorded yet.
            sqlite3.Error: It cannot be read.
        """
        path = home / FILE_NAME
        if not path.is_file():
            raise FileNotFoundError(path)
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection.row_factory = sqlite3.Row

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def usage(self, since: float, by: Grouping | None) -> list[UsageRow]:
        """Add up what was used since a moment, the dearest group first; days in their order.

        Args:
            since: Seconds since 1970.
            by: What makes a group; None: all is one.
        """
        key = _KEYS[by] if by is not None else "'total'"
        order = "key" if by == "day" else "cost_usd DESC, output_tokens DESC, requests DESC, key"
        query = (
            f"SELECT {key} AS key, {_TOTALS} FROM exchanges WHERE time >= ?"  # noqa: S608 - fixed expressions
            f" GROUP BY key ORDER BY {order}"
        )
        rows = self._connection.execute(query, (timestamp(since),))
        return [UsageRow(**dict(row)) for row in rows]

    def used(self, rule: str, since: float) -> dict[str | None, UsageRow]:
        """Add up what calls of one rule have used since a moment, by agent."""
        query = (
            f"SELECT agent AS key, {_TOTALS} FROM exchanges"  # noqa: S608 - fixed expressions
            " WHERE rule = ? AND time >= ? AND actual_provider IS NOT NULL AND endpoint <> 'count'"
            " GROUP BY agent"
        )
        rows = self._connection.execute(query, (rule, timestamp(since)))
        return {row["key"]: UsageRow(**dict(row)) for row in rows}

    def last(self, count: int) -> list[tuple[int, Record]]:
        """Return the newest records, oldest first, each with its place in the file."""
        return self._records("ORDER BY rowid DESC LIMIT ?", count)[::-1]

    def after(self, place: int) -> list[tuple[int, Record]]:
        """Return what was recorded after a place in the file."""
        return self._records("WHERE rowid > ? ORDER BY rowid", place)

    def _records(self, clause: str, value: int) -> list[tuple[int, Record]]:
        query = f"SELECT rowid, {', '.join(COLUMNS)} FROM exchanges {clause}"  # noqa: S608 - fixed clauses
        with closing(self._connection.execute(query, (value,))) as rows:
            return [(row["rowid"], _record(row)) for row in rows]


def _record(row: sqlite3.Row) -> Record:
    values: dict[str, Any] = {name: row[name] for name in COLUMNS}
    values["stream"] = bool(values["stream"])
    for name in ("attempts", "losses"):
        values[name] = msgspec.json.decode(values[name])
    return Record(**values)


def moment(text: str, now: float | None = None) -> float:
    """Read how far back is meant: `90m`, `24h`, `7d`, `2w`, or a day such as `2026-05-01`.

    Raises:
        ValueError: It is none of these.
    """
    now = time.time() if now is None else now
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    number, unit = text[:-1], text[-1:]
    if number.isascii() and number.isdigit() and unit in units:
        try:
            back = timedelta(**{units[unit]: int(number)}).total_seconds()
        except OverflowError:
            back = now
        return max(now - back, 0.0)
    return datetime.fromisoformat(text).timestamp()
