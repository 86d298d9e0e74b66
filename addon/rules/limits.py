"""How much the calls of a rule may use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

import msgspec

from addon.neutral import ErrorInfo
from addon.rules.targets import Target, Verdict

type Period = Literal["hour", "day", "month"]

PERIODS: tuple[Period, ...] = get_args(Period.__value__)


class Window(NamedTuple):
    """An hour, or a day or a month of this machine's time zone, in seconds since 1970."""

    start: float
    end: float


class Used(msgspec.Struct):
    """What has been used."""

    requests: int = 0
    tokens: int = 0
    """Read and written."""
    cost_usd: float = 0.0


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What may be used in a period; None: as much as one likes."""

    requests: int | None = None
    tokens: int | None = None
    """Read and written."""
    cost_usd: float | None = None
    """US dollars."""
    per: Period = "day"
    by_agent: bool = False
    """Whether each agent may use that much."""
    otherwise: tuple[Target, ...] | Verdict | None = None
    """Where calls go once it is used up; None: they are refused."""

    def window(self, now: float) -> Window:
        """Return the period that holds a moment."""
        if self.per == "hour":
            start = now - now % 3600  # local hours may come twice, or begin at half past
            return Window(start, start + 3600)
        midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.per == "day":
            return Window(midnight.timestamp(), (midnight + timedelta(days=1)).timestamp())
        first = midnight.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        return Window(first.timestamp(), following.timestamp())

    def reached(self, used: Used) -> str | None:
        """Say which amount is used up, as `100 requests`; None while none is."""
        if self.requests is not None and used.requests >= self.requests:
            return f"{self.requests:,} request{'s' * (self.requests != 1)}"
        if self.tokens is not None and used.tokens >= self.tokens:
            return f"{self.tokens:,} tokens"
        if self.cost_usd is not None and used.cost_usd >= self.cost_usd:
            return f"${self.cost_usd:,g}"
        return None

    def __str__(self) -> str:
        """Tell the limit: `100 requests, 2,000,000 tokens or $5 per day for each agent`."""
        amounts = [
            *([f"{self.requests:,} requests"] if self.requests is not None else []),
            *([f"{self.tokens:,} tokens"] if self.tokens is not None else []),
            *([f"${self.cost_usd:,g}"] if self.cost_usd is not None else []),
        ]
        *most, last = amounts
        told = f"{', '.join(most)} or {last}" if most else last
        each = " for each agent" if self.by_agent else ""
        return f"{told} per {self.per}{each}"


class Standing(NamedTuple):
    """How far a limit is used up."""

    limit: Limit
    used: Used
    until: float
    """When it is free again, in seconds since 1970."""

    @property
    def left(self) -> dict[str, float]:
        """What may still be used, of the amounts that are limited."""
        return {
            name: max(most - getattr(self.used, name), 0)
            for name in Used.__struct_fields__
            if (most := getattr(self.limit, name)) is not None
        }


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that is used up."""

    limit: Limit
    rule: str
    agent: str | None
    """The agent that it is counted for; None: all."""
    used: Used
    until: float
    """When it is free again, in seconds since 1970."""
    now: float

    def error(self) -> ErrorInfo:
        """Say what the agent should see."""
        free = datetime.fromtimestamp(self.until).strftime("%Y-%m-%d %H:%M")
        of_agent = f" by the agent {self.agent}" if self.agent else ""
        used = self.used
        message = (
            f"Detour: the limit of the rule `{self.rule}` in rules.yaml is reached,"
            f" {self.limit.reached(used)} per {self.limit.per}. Used so far{of_agent}:"
            f" {used.requests:,} requests, {used.tokens:,} tokens, ${used.cost_usd:,.4f}. It is"
            f" free again at {free}."
        )
        return ErrorInfo(
            "rate_limit",
            message,
            status=429,
            code="detour_limit_reached",
            retry_after=max(round(self.until - self.now), 1),
        )
