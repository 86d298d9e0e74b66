"""Every direction of a translation: four formats of agents, four of providers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from addon.formats.base import FORMAT_NAMES, FormatName, RequestLine
from benchmarks import answers, conversations, other_answers
from benchmarks.conversations import CLAUDE, Conversation

type Direction = tuple[FormatName, FormatName]
"""What is read and what is written."""

DIRECTIONS: tuple[Direction, ...] = tuple(product(FORMAT_NAMES, FORMAT_NAMES))

MODELS: dict[FormatName, str] = {
    "openai-chat": "gpt-5.1-mini",
    "openai-responses": "gpt-5.1-mini",
    "anthropic": CLAUDE,
    "gemini": "gemini-3-pro",
}
"""A provider's model of each format."""

LINES: dict[FormatName, RequestLine] = {
    "openai-chat": RequestLine("/v1/chat/completions"),
    "openai-responses": RequestLine("/v1/responses"),
    "anthropic": RequestLine("/v1/messages"),
    "gemini": RequestLine("/v1beta/models/gemini-3-pro:streamGenerateContent", "alt=sse"),
}
"""Where each format is called."""

_STREAMS: dict[FormatName, Callable[[answers.Kinds], list[bytes]]] = {
    "openai-chat": answers.openai_chat_events,
    "openai-responses": other_answers.openai_responses_events,
    "anthropic": answers.anthropic_events,
    "gemini": other_answers.gemini_events,
}
_REQUESTS: dict[FormatName, Callable[[Conversation], bytes]] = {
    "openai-chat": conversations.openai_chat,
    "openai-responses": conversations.openai_responses,
    "anthropic": conversations.anthropic,
    "gemini": conversations.gemini,
}


def stream(format_name: FormatName, kinds: answers.Kinds) -> list[bytes]:
    """Write a provider's stream, event by event."""
    return _STREAMS[format_name](kinds)


def request(format_name: FormatName, conversation: Conversation) -> bytes:
    """Write an agent's request."""
    return _REQUESTS[format_name](conversation)


def arrow(direction: Direction) -> str:
    """Name a direction."""
    source, target = direction
    return f"{source} unchanged" if source == target else f"{source} → {target}"
