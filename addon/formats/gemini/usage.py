"""Token counts: Gemini's `usageMetadata` and the hub's (https://ai.google.dev/api/generate-content)."""

from __future__ import annotations

from typing import Any

from addon.neutral import Usage, billing
from addon.wire.reading import integer, text


def parse_usage(wire: dict[str, Any]) -> Usage | None:
    """Read a `usageMetadata` object; None when it counts nothing."""
    prompt = integer(wire.get("promptTokenCount"))
    said = integer(wire.get("candidatesTokenCount"))
    thought = integer(wire.get("thoughtsTokenCount"))
    total = integer(wire.get("totalTokenCount"))
    if prompt is None and said is None and thought is None:
        return None
    tool_prompt = integer(wire.get("toolUsePromptTokenCount")) or 0
    return Usage(
        input_tokens=None if prompt is None else prompt + tool_prompt,
        cache_read_tokens=integer(wire.get("cachedContentTokenCount")),
        output_tokens=_output(prompt, tool_prompt, said, thought, total),
        reasoning_tokens=thought,
        billing=billing(tier=_tier(wire)),
    )


def _tier(wire: dict[str, Any]) -> str:
    """Read the service tier; Vertex tells it by the kind of traffic.

    https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse
    """
    tier = text(wire.get("serviceTier")).lower().removeprefix("service_tier_")
    if tier not in ("", "unspecified"):
        return tier
    traffic = text(wire.get("trafficType")).lower()
    if traffic in ("", "on_demand", "traffic_type_unspecified"):
        return ""
    return traffic.removeprefix("on_demand_")


def render_usage(usage: Usage) -> dict[str, int]:
    """Write a `usageMetadata` object; like the API's own, it leaves out what is not known."""
    thought = usage.reasoning_tokens or 0
    counts: dict[str, int] = {}
    if usage.input_tokens is not None:
        counts["promptTokenCount"] = usage.input_tokens
    if usage.cache_read_tokens:
        counts["cachedContentTokenCount"] = usage.cache_read_tokens
    if usage.output_tokens is not None:
        counts["candidatesTokenCount"] = max(usage.output_tokens - thought, 0)
    if thought:
        counts["thoughtsTokenCount"] = thought
    counts["totalTokenCount"] = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    return counts


def _output(
    prompt: int | None, tool_prompt: int, said: int | None, thought: int | None, total: int | None
) -> int | None:
    """Add thoughts to the answer, unless the total shows that the answer includes them."""
    if said is None and thought is None:
        return None
    included = total is not None and total - (prompt or 0) - tool_prompt == said
    return (said or 0) + (0 if included else thought or 0)
