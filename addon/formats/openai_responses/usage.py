"""Token counts in the words of Responses."""

from __future__ import annotations

from typing import Any

from addon.neutral import Usage, billing
from addon.wire.reading import integer, mapping, text
from addon.wire.reported_cost import reported_cost


def parse_usage(wire: object, tier: object = None) -> Usage | None:
    """Read a usage object and the service tier; None when it is none or holds no number."""
    usage = mapping(wire)
    if not usage:
        return None
    read = mapping(usage.get("input_tokens_details"))
    written = mapping(usage.get("output_tokens_details"))
    parsed = Usage(
        integer(usage.get("input_tokens")),
        integer(read.get("cached_tokens")),
        integer(read.get("cache_write_tokens")),
        integer(usage.get("output_tokens")),
        integer(written.get("reasoning_tokens")),
        billing(cost_usd=reported_cost(usage), tier=text(tier)),
    )
    return None if parsed == Usage() else parsed


def render_usage(usage: Usage | None) -> dict[str, Any] | None:
    """Write a usage object; every number must be there, so unknown ones are 0."""
    if usage is None:
        return None
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": read + written,
    }
