"""How an answer ends, and what it cost: Anthropic's words and the hub's.

Follows https://docs.anthropic.com/en/api/handling-stop-reasons.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

from msgspec.structs import replace

from addon.neutral import FinishReason, Usage, billing
from addon.wire.reading import integer, mapping, sequence, text

FINISH_REASON_FROM_STOP_REASON: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "stop",
    "compaction": "stop",
    "refusal": "content_filter",
}

STOP_REASON_FROM_FINISH_REASON: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "error": "end_turn",
    "other": "end_turn",
}


def finish_reason(stop_reason: str | None) -> FinishReason:
    """Name in neutral words why the model stopped."""
    return FINISH_REASON_FROM_STOP_REASON.get(stop_reason or "", "other")


def stop_reason(reason: FinishReason, stop_sequence: str | None) -> str:
    """Name in Anthropic's words why the model stopped."""
    if reason == "stop" and stop_sequence is not None:
        return "stop_sequence"
    return STOP_REASON_FROM_FINISH_REASON[reason]


def parse_usage(wire: dict[str, Any]) -> Usage:
    """Read a usage object; Anthropic counts cached tokens apart, the hub within the input.

    Where the input was compacted first, that is billed, but left out of the sums:
    https://platform.claude.com/docs/en/build-with-claude/compaction
    """
    fresh = integer(wire.get("input_tokens"))
    read = integer(wire.get("cache_read_input_tokens"))
    written = integer(wire.get("cache_creation_input_tokens"))
    details = mapping(wire.get("output_tokens_details"))
    kept = mapping(wire.get("cache_creation"))
    tier = "fast" if wire.get("speed") == "fast" else text(wire.get("service_tier"))
    bill = billing(
        tier=tier,
        region=text(wire.get("inference_geo")),
        cache_write_1h_tokens=integer(kept.get("ephemeral_1h_input_tokens")),
    )
    usage = Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=integer(wire.get("output_tokens")),
        reasoning_tokens=integer(details.get("thinking_tokens")),
        billing=bill,
    )
    iterations = [mapping(each) for each in sequence(wire.get("iterations"))]
    beside = [parse_usage(each) for each in iterations if each.get("type") != "message"]
    if not beside:
        return usage
    return replace(usage, beside=functools.reduce(operator.add, beside))


def render_usage(usage: Usage | None) -> dict[str, Any]:
    """Write a usage object; numbers that were not reported become 0, which the field demands."""
    usage = usage or Usage()
    read = usage.cache_read_tokens or 0
    written = usage.cache_write_tokens or 0
    counts: dict[str, Any] = {
        "input_tokens": max((usage.input_tokens or 0) - read - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output_tokens or 0,
    }
    if usage.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return counts
