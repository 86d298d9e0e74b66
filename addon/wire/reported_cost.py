"""What a provider says it charges for an answer, among the token counts of Chat and Responses."""

from __future__ import annotations

import math
from typing import Any

from addon.wire.reading import integer, mapping, number

_TICKS = 10_000_000_000
"""Of xAI, in a US dollar (https://docs.x.ai/docs/key-information/consumption-and-rate-limits)."""


def reported_cost(usage: dict[str, Any]) -> float | None:
    """Read it, in US dollars.

    OpenRouter (https://openrouter.ai/docs/use-cases/usage-accounting) reports `cost`, which leaves
    out what the maker charges where its key is the user's own; Perplexity has a sum within `cost`;
    xAI counts ticks.
    """
    cost = usage.get("cost")
    told = number(cost)
    if told is None:
        told = number(mapping(cost).get("total_cost"))
    if told is not None:
        if usage.get("is_byok") is True:
            upstream = mapping(usage.get("cost_details")).get("upstream_inference_cost")
            told += number(upstream) or 0.0
        return float(told) if math.isfinite(told) and told >= 0 else None
    ticks = integer(usage.get("cost_in_usd_ticks"))
    return ticks / _TICKS if ticks and ticks > 0 else None
