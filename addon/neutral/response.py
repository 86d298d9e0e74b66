"""A whole answer, in neutral words."""

from __future__ import annotations

from typing import Literal

import msgspec

from addon.neutral.parts import Part

type FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "error", "other"]


class Usage(msgspec.Struct, frozen=True):
    """Tokens counted by the provider; None where it did not report a number."""

    input_tokens: int | None = None
    """All tokens read, cached ones included (OpenAI's sense)."""
    cache_read_tokens: int | None = None
    """Part of `input_tokens` that came from the provider's cache."""
    cache_write_tokens: int | None = None
    """Part of `input_tokens` that was written to the provider's cache."""
    output_tokens: int | None = None
    """All tokens written, thoughts included."""
    reasoning_tokens: int | None = None
    """Part of `output_tokens` that was thought."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: the parts in the order in which the model made them, and how it ended."""

    id: str
    model: str
    """The provider's name of the model that answered."""
    parts: tuple[Part, ...] = ()
    finish_reason: FinishReason = "stop"
    raw_finish_reason: str | None = None
    """The provider's own word, for people who read logs."""
    stop_sequence: str | None = None
    usage: Usage | None = None
