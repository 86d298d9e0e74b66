"""What groups of exchanges add up to, as SQL and as what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from addon.ledger.schema import FAILED

type Grouping = Literal["agent", "model", "provider", "rule", "endpoint", "day"]
type Step = Literal["hour", "day"]

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping.__value__)

DAY = "date(time, 'localtime')"
KEYS: Mapping[Grouping, str] = {
    "agent": "agent",
    "model": "coalesce(actual_provider || ':' || model, model, requested_model)",
    "provider": "coalesce(actual_provider, provider)",
    "rule": "rule",
    "endpoint": "endpoint",
    "day": DAY,
}
STARTS: Mapping[Step, str] = {"hour": "substr(time, 1, 13) || ':00:00Z'", "day": DAY}
_UNPRICED = """
cost_usd IS NULL AND actual_provider IS NOT NULL AND endpoint NOT IN ('count')
AND endpoint NOT LIKE 'GET %' AND (coalesce(status, 200) < 400 OR output_tokens IS NOT NULL)
"""
"""Exchanges that cost something, of which nobody knows how much."""
TOTALS = f"""
count(*) AS requests,
coalesce(sum({FAILED}), 0) AS errors,
coalesce(sum(input_tokens), 0) AS input_tokens,
coalesce(sum(cache_read_tokens), 0) AS cache_read_tokens,
coalesce(sum(cache_write_tokens), 0) AS cache_write_tokens,
coalesce(sum(output_tokens), 0) AS output_tokens,
coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens,
sum(cost_usd) AS cost_usd,
coalesce(sum({_UNPRICED}), 0) AS unpriced
"""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What a number of exchanges used."""

    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = None
    """Of all whose price is known; None where none is."""
    unpriced: int = 0
    """How many of the requests cost something that nobody knows."""


class UsageRow(Totals, frozen=True, kw_only=True):
    """What a group of exchanges used."""

    keys: tuple[str | None, ...]
    """The agent, model, ... that they have in common; None where it is unknown."""


class Point(Totals, frozen=True, kw_only=True):
    """What a group of exchanges used in one hour or on one day."""

    start: str
    """An hour of UTC as `2026-05-01T12:00:00Z`, or a day of this machine's time, `2026-05-01`."""
    keys: tuple[str | None, ...]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong, or was not kept, a number of times."""

    kind: Literal["error", "loss"]
    name: str
    """The kind of the error (`rate_limit`, `disconnected`, ...), or the field that was lost."""
    detail: str
    """What the last error said, or what became of the field and why."""
    provider: str | None
    model: str | None
    count: int
    last: str
    """When it came last, ISO 8601 in UTC."""
    last_id: str
    """The exchange in which that was."""
