"""Every wire format that Detour speaks, by name, and which one a path belongs to."""

from __future__ import annotations

from typing import cast

from addon.formats import anthropic, gemini, openai_chat, openai_responses
from addon.formats.anthropic import counting as anthropic_counting
from addon.formats.base import Format, FormatName, TokenCounting
from addon.formats.gemini import counting as gemini_counting
from addon.formats.openai_responses import counting as responses_counting
from addon.neutral import DetourError

FORMATS: dict[FormatName, Format] = {
    "openai-chat": openai_chat.FORMAT,
    "openai-responses": openai_responses.FORMAT,
    "anthropic": anthropic.FORMAT,
    "gemini": gemini.FORMAT,
}
"""The formats that can be spoken to agents and to providers."""

COUNTING: dict[FormatName, TokenCounting] = {
    "openai-responses": responses_counting.COUNTING,
    "anthropic": anthropic_counting.COUNTING,
    "gemini": gemini_counting.COUNTING,
}
"""The formats in which tokens can be counted without an answer; Chat has no such thing."""

COUNT = "count"
"""The endpoint of requests for a count, in every format."""

_ENDPOINTS: dict[str, tuple[FormatName, str]] = {
    "/v1/chat/completions": ("openai-chat", "chat"),
    "/v1/responses": ("openai-responses", "responses"),
    "/v1/responses/input_tokens": ("openai-responses", COUNT),
    "/v1/messages": ("anthropic", "messages"),
    "/v1/messages/count_tokens": ("anthropic", COUNT),
}


def find_format(name: str) -> Format:
    """Return a format by its name, for callers whose names nobody has checked.

    Raises:
        DetourError: There is no format of that name.
    """
    found = FORMATS.get(cast("FormatName", name))
    if found is None:
        raise DetourError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return found


def format_for_path(path: str) -> tuple[FormatName, str] | None:
    """Name the format and the endpoint that a path (without query) belongs to, or None."""
    if known := _ENDPOINTS.get(path.rstrip("/")):
        return known
    endpoint = gemini.endpoint_for_path(path)
    return ("gemini", endpoint) if endpoint else None
