"""What an answer cost."""

from __future__ import annotations

from collections.abc import Iterable

from addon.neutral import Usage
from addon.providers import ModelFacts, Provider


def cost_of(usage: Usage, provider: Provider | None, names: Iterable[str | None]) -> float | None:
    """Return US dollars, as the provider says, or by the price of the first of these names."""
    if usage.billing is not None and usage.billing.cost_usd is not None:
        return ModelFacts().cost(usage)
    for name in names:
        facts = provider.facts(name) if provider is not None and name else None
        if facts is not None and (cost := facts.cost(usage)) is not None:
            return cost
    return None
