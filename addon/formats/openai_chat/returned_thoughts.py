"""How thoughts of earlier turns go back to a provider that wants to see them again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.dialects import Dialect
from addon.neutral import ReasoningPart
from addon.wire.codec import decode
from addon.wire.reading import sequence

_SEPARATOR = "\n\n"


def thoughts_of(thoughts: Iterable[ReasoningPart], dialect: Dialect) -> dict[str, Any]:
    """Return the fields in which a provider takes the thoughts of a message; empty for none."""
    thoughts = list(thoughts)
    if dialect.reasoning_details:
        details: list[Any] = []
        for part in thoughts:
            if part.state is not None and part.state.format == NAME:
                details += sequence(decode(part.state.data))
        if details:
            return {"reasoning_details": details}
    words = [part.text for part in thoughts if part.text]
    if not words or dialect.echo == "none":
        return {}
    return {dialect.thoughts_name: _SEPARATOR.join(words)}


def signed(signature: str) -> dict[str, Any]:
    """Return the `extra_content` of a call that Google has signed."""
    return {"google": {"thought_signature": signature}}
