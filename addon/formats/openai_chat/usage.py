"""Token counts, in the words of Chat and of the providers that speak it."""

from __future__ import annotations

from typing import Any

from addon.neutral import Usage, billing
from addon.wire.reading import integer, mapping, text
from addon.wire.reported_cost import reported_cost


def parse_usage(wire: object, tier: object = None) -> Usage | None:
    """Read a usage object and the service tier; None when it is none or holds no number.

    Cached tokens are counted under five names. xAI leaves thoughts out of `completion_tokens`,
    which its own total gives away.
    """
    usage = mapping(wire)
    if not usage:
        return None
    prompt_details = mapping(usage.get("prompt_tokens_details"))
    completion_details = mapping(usage.get("completion_tokens_details"))
    read = _first(
        prompt_details.get("cached_tokens"),
        usage.get("prompt_cache_hit_tokens"),
        usage.get("cached_tokens"),
        usage.get("cache_read_input_tokens"),
        usage.get("num_cached_tokens"),
    )
    written = _first(
        prompt_details.get("cache_write_tokens"), usage.get("cache_creation_input_tokens")
    )
    reasoning = _first(completion_details.get("reasoning_tokens"), usage.get("reasoning_tokens"))
    prompt = integer(usage.get("prompt_tokens"))
    completion = integer(usage.get("completion_tokens"))
    total = integer(usage.get("total_tokens"))
    if completion is not None and reasoning and total == (prompt or 0) + completion + reasoning:
        completion += reasoning
    bill = billing(cost_usd=reported_cost(usage), tier=text(tier))
    parsed = Usage(prompt, read, written, completion, reasoning, bill)
    return None if parsed == Usage() else parsed


def merge_usage(known: Usage | None, newer: Usage) -> Usage:
    """Return the newer count, with gaps filled from what was known."""
    if known is None:
        return newer
    return Usage(
        _first(newer.input_tokens, known.input_tokens),
        _first(newer.cache_read_tokens, known.cache_read_tokens),
        _first(newer.cache_write_tokens, known.cache_write_tokens),
        _first(newer.output_tokens, known.output_tokens),
        _first(newer.reasoning_tokens, known.reasoning_tokens),
        newer.billing or known.billing,
    )


def render_usage(usage: Usage) -> dict[str, Any]:
    """Write a usage object; numbers that were not reported become 0, which the field demands."""
    prompt = usage.input_tokens or 0
    completion = usage.output_tokens or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens or 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _first(*values: object) -> int | None:
    return next((number for value in values if (number := integer(value)) is not None), None)
