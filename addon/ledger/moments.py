"""Points in time: as people say them, and as the ledger counts by them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from addon.ledger.totals import Step


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


def starts(step: Step, since: float, until: float) -> list[str]:
    """Name every hour or day from one moment (seconds since 1970) to another, as a series does."""
    named: list[str] = []
    if step == "hour":
        hour = datetime.fromtimestamp(since - since % 3600, UTC)
        while hour.timestamp() <= until:
            named.append(hour.strftime("%Y-%m-%dT%H:00:00Z"))
            hour += timedelta(hours=1)
        return named
    day, last = datetime.fromtimestamp(since).date(), datetime.fromtimestamp(until).date()
    while day <= last:
        named.append(day.isoformat())
        day += timedelta(days=1)
    return named
