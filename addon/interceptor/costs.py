"""What an answer cost."""

from __future__ import annotations

from collections.abc import Iterable

from addon.neutral import Usage
from addon.providers import Provider


def cost_of(usage: Usage, provider: Provider | None, names: Iterable[str | None]) -> float | None:
    """Return US dollars by the price of the first of these names that has one; else None."""
    for name in names:
        facts = provider.facts(name) if provider is not None and name else None
        if facts is not None and (cost := facts.cost(usage)) is not None:
            return cost
    return None
