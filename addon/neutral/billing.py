"""What a provider says beside the counts that decides about the price of an answer."""

from __future__ import annotations

import msgspec

_STANDARD = frozenset(("", "auto", "default", "on_demand", "standard", "standard_only"))


class Billing(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer is billed by, as far as it is not the number of tokens."""

    cost_usd: float | None = None
    """What the provider itself says it charges, in US dollars."""
    tier: str | None = None
    """Service tier with a price of its own, such as `priority`, `flex`, `batch` or `fast`."""
    region: str | None = None
    """Where the answer was made, if that was asked for: `us`."""
    cache_write_1h_tokens: int = 0
    """Part of the tokens written to the cache that stays there for an hour."""


PLAIN = Billing()


def billing(
    *,
    cost_usd: float | None = None,
    tier: str = "",
    region: str = "",
    cache_write_1h_tokens: int | None = None,
) -> Billing | None:
    """Make a bill; None where everything is as usual."""
    made = Billing(
        cost_usd=cost_usd if cost_usd is not None and cost_usd >= 0 else None,
        tier=None if tier.lower() in _STANDARD else tier.lower(),
        region=region if region == "us" else None,
        cache_write_1h_tokens=max(cache_write_1h_tokens or 0, 0),
    )
    return None if made == PLAIN else made


def total(first: Billing | None, second: Billing | None) -> Billing | None:
    """Add two bills up; what both must say for it to hold of the sum is unknown otherwise."""
    first, second = first or PLAIN, second or PLAIN
    known = first.cost_usd is not None and second.cost_usd is not None
    made = Billing(
        cost_usd=(first.cost_usd or 0) + (second.cost_usd or 0) if known else None,
        tier=second.tier or first.tier,
        region=second.region or first.region,
        cache_write_1h_tokens=first.cache_write_1h_tokens + second.cache_write_1h_tokens,
    )
    return None if made == PLAIN else made
