"""What was used, what it cost, and what went wrong."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from addon.dashboard.failures import ApiError
from addon.dashboard.ledger_reading import reading, since
from addon.dashboard.requests import Asked
from addon.dashboard.routing import Routes
from addon.dashboard.workspace import Workspace
from addon.ledger import GROUPINGS, Grouping, Point, Selection, Step, Totals, starts

MOST_STARTS = 2000
"""Hours or days of a series."""

_NOTHING = Totals()
_SHOWN = (
    *("requests", "errors", "input_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("output_tokens", "reasoning_tokens", "cost_usd", "unpriced"),
)


def usage(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Add up what was used, as `detour usage --json` does."""
    by = _grouping(asked, "model")
    selection = Selection(since=since(asked))
    with reading(workspace) as reader:
        rows = reader.usage(selection, (by,)) if reader is not None else []
        totals = reader.usage(selection) if reader is not None else []
    return {
        "groups": [{by: row.keys[0], **_numbers(row)} for row in rows],
        "total": _numbers(totals[0]) if totals else None,
    }


def series(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Add up what was used in each hour or on each day."""
    step: Step = "hour" if asked.query.get("bucket") == "hour" else "day"
    if asked.query.get("bucket", step) != step:
        raise ApiError(400, "bucket: known are hour, day", field="bucket")
    by: tuple[Grouping, ...] = (_grouping(asked, "model"),) if asked.query.get("by") else ()
    if by == ("day",):
        raise ApiError(400, "by: a series is over time already", field="by")
    begin, now = since(asked), time.time()
    if (now - begin) / (3600 if step == "hour" else 86400) > MOST_STARTS:
        raise ApiError(400, f"since: more than {MOST_STARTS} {step}s ago", field="since")
    with reading(workspace) as reader:
        selection = Selection(since=begin)
        points = reader.series(step, selection, by) if reader is not None else []
    buckets = starts(step, begin, now)
    named: dict[str | None, dict[str, Point]] = {}
    for point in points:
        named.setdefault(point.keys[0] if by else "all", {})[point.start] = point
    return {
        "bucket": step,
        "buckets": buckets,
        "series": [{"name": name, **_columns(found, buckets)} for name, found in named.items()],
    }


def troubles(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """Count what went wrong and what was lost, the most frequent first."""
    with reading(workspace) as reader:
        selection = Selection(since=since(asked))
        found = reader.troubles(selection) if reader is not None else []
    errors: list[dict[str, Any]] = []
    losses: list[dict[str, Any]] = []
    for trouble in sorted(found, key=lambda one: -one.count):
        document: dict[str, Any] = msgspec.structs.asdict(trouble)
        name, detail = document.pop("name"), document.pop("detail")
        if document.pop("kind") == "error":
            errors.append({"kind": name, "error": detail, **document})
        else:
            action, _, reason = detail.partition(": ")
            losses.append({"field": name, "action": action, "reason": reason, **document})
    return {"errors": errors, "losses": losses}


def _grouping(asked: Asked, usual: Grouping) -> Grouping:
    given = asked.query.get("by") or usual
    for grouping in GROUPINGS:
        if grouping == given:
            return grouping
    raise ApiError(400, f"by: known are {', '.join(GROUPINGS)}", field="by")


def _numbers(totals: Totals) -> dict[str, int | float | None]:
    return {name: getattr(totals, name) for name in _SHOWN}


def _columns(points: dict[str, Point], buckets: list[str]) -> dict[str, list[int | float | None]]:
    rows = [points.get(bucket, _NOTHING) for bucket in buckets]
    return {name: [getattr(row, name) for row in rows] for name in _SHOWN}


ROUTES: Routes = {
    "GET usage": usage,
    "GET usage/series": series,
    "GET troubles": troubles,
}
