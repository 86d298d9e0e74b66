"""Every wire format that Detour speaks, by name, and which one a path belongs to."""

from __future__ import annotations

from typing import cast

from addon.formats import anthropic, gemini, openai_chat, openai_responses
from addon.formats.base import Format, FormatName
from addon.neutral import DetourError

FORMATS: dict[FormatName, Format] = {
    "openai-chat": openai_chat.FORMAT,
    "openai-responses": openai_responses.FORMAT,
    "anthropic": anthropic.FORMAT,
    "gemini": gemini.FORMAT,
}
"""The formats that can be spoken to agents and to providers."""

_ENDPOINTS: dict[str, tuple[FormatName, str]] = {
    "/v1/chat/completions": ("openai-chat", "chat"),
    "/v1/responses": ("openai-responses", "responses"),
    "/v1/messages": ("anthropic", "messages"),
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
    known = _ENDPOINTS.get(path.rstrip("/"))
    if known is None and gemini.is_generate_path(path):
        return "gemini", "generate"
    return known
