"""OpenRouter's `reasoning_details`: thoughts, signatures and secrets of the providers behind it.

They have to come back unmodified and in order
(https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks). A stream brings
each of them in pieces, which its `index` holds together.
"""

from __future__ import annotations

from typing import Any

from addon.formats.openai_chat.content_parsing import NAME
from addon.neutral import OpaqueState
from addon.wire.codec import encode_text
from addon.wire.reading import mapping, sequence, text

_GROWING = ("text", "summary", "data")


class ReasoningDetails:
    """Gathers the details of one answer."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, str], tuple[dict[str, Any], dict[str, list[str]]]] = {}

    def read(self, details: object) -> str:
        """Take more details; return their readable thoughts."""
        words: list[str] = []
        for position, item in enumerate(sequence(details)):
            detail = mapping(item)
            words.append(text(detail.get("text")) or text(detail.get("summary")))
            place = (str(detail.get("type")), str(detail.get("index", position)))
            fields, growing = self._pieces.setdefault(place, ({}, {}))
            for name, value in detail.items():
                if name in _GROWING and isinstance(value, str):
                    growing.setdefault(name, []).append(value)
                    fields.setdefault(name, "")
                elif value is not None or name not in fields:
                    fields[name] = value
        return "".join(words)

    def take(self) -> OpaqueState | None:
        """Return what has come since the last time; None for nothing."""
        pieces, self._pieces = self._pieces, {}
        details = [
            {**fields, **{name: "".join(several) for name, several in growing.items()}}
            for fields, growing in pieces.values()
        ]
        return OpaqueState(NAME, encode_text(details)) if details else None
