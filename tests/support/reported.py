"""The tokens that a provider's answer reports, read without any of our own code."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Reported(NamedTuple):
    """All that was read, what of it came from the cache, and all that was written."""

    input: int
    cached: int
    output: int


def reported(protocol: str, body: bytes) -> Reported | None:
    """Read an answer, streamed or not; None where it reports no tokens."""
    reports = reported_meanwhile(protocol, body)
    return reports[-1] if reports else None


def reported_meanwhile(protocol: str, body: bytes) -> list[Reported]:
    """Tell what has been reported so far whenever a stream reports anything."""
    usage: dict[str, Any] = {}
    reports: list[Reported] = []
    for document in _documents(body):
        counts = _usage(protocol, document)
        usage |= {name: count for name, count in counts.items() if count is not None}
        if counts:
            reports.append(_sums(protocol, usage))
    return reports


def _documents(body: bytes) -> list[dict[str, Any]]:
    if body.lstrip()[:1] == b"{":
        return [json.loads(body)]
    lines = body.decode().splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(line) for line in data if line.startswith("{")]


def _usage(protocol: str, document: dict[str, Any]) -> dict[str, Any]:
    match protocol:
        case "openai-responses":
            return (document.get("response") or document).get("usage") or {}
        case "gemini":
            return document.get("usageMetadata") or {}
        case "anthropic":
            return (document.get("message") or document).get("usage") or {}
        case _:
            return document.get("usage") or {}


_COUNTS = (
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
)


def _sums(protocol: str, usage: dict[str, Any]) -> Reported:
    def count(*names: str, of: dict[str, Any] | None = None) -> int:
        return sum((usage if of is None else of).get(name) or 0 for name in names)

    match protocol:
        case "openai-responses":
            cached = count("cached_tokens", of=usage.get("input_tokens_details") or {})
            return Reported(count("input_tokens"), cached, count("output_tokens"))
        case "gemini":
            return Reported(
                count("promptTokenCount", "toolUsePromptTokenCount"),
                count("cachedContentTokenCount"),
                count("candidatesTokenCount", "thoughtsTokenCount"),
            )
        case "anthropic":
            # Where the context was compacted first, the sums leave that out, but not the bill:
            # https://platform.claude.com/docs/en/build-with-claude/compaction
            if iterations := usage.get("iterations"):
                usage = {name: sum(each.get(name) or 0 for each in iterations) for name in _COUNTS}
            cache = ("cache_read_input_tokens", "cache_creation_input_tokens")
            return Reported(
                count("input_tokens", *cache),
                count("cache_read_input_tokens"),
                count("output_tokens"),
            )
        case _:
            details = usage.get("prompt_tokens_details") or {}
            cached = count("cached_tokens", of=details) or max(
                # As DeepSeek, Moonshot, Anthropic's compatible endpoint and vLLM name it.
                usage.get(name) or 0
                for name in (
                    "prompt_cache_hit_tokens",
                    "cached_tokens",
                    "cache_read_input_tokens",
                    "num_cached_tokens",
                )
            )
            thought = count("reasoning_tokens", of=usage.get("completion_tokens_details") or {})
            read, written = count("prompt_tokens"), count("completion_tokens")
            # xAI leaves thoughts out of what was written, which the total gives away.
            apart = thought if count("total_tokens") == read + written + thought else 0
            return Reported(read, cached, written + apart)
