"""A whole answer, in neutral words."""

from __future__ import annotations

from typing import Literal

import msgspec

from addon.neutral.billing import Billing, total
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
    billing: Billing | None = None
    """What else decides about the price; None: everything is as usual."""
    beside: Usage | None = None
    """What is billed beside the answer itself, such as the compaction of its input."""

    def __add__(self, other: Usage) -> Usage:
        """Add up two counts; a number that one of them lacks is the other's."""
        return Usage(
            *(
                a if b is None else b if a is None else a + b
                for a, b in (
                    (self.input_tokens, other.input_tokens),
                    (self.cache_read_tokens, other.cache_read_tokens),
                    (self.cache_write_tokens, other.cache_write_tokens),
                    (self.output_tokens, other.output_tokens),
                    (self.reasoning_tokens, other.reasoning_tokens),
                )
            ),
            billing=total(self.billing, other.billing),
            beside=self.beside + other.beside
            if self.beside and other.beside
            else self.beside or other.beside,
        )

    @property
    def billed(self) -> Usage:
        """All that is billed, in one count."""
        if self.beside is None:
            return self
        return msgspec.structs.replace(self, beside=None) + self.beside


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
