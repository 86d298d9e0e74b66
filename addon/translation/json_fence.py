"""Take the code fence off an answer that ought to be bare JSON.

Models that are asked in words for JSON like to wrap it in a Markdown fence, and the agent's parser
fails on it. Applied only when the agent asked for JSON and the provider was asked in words or by a
forced tool; text without a fence passes unchanged.
"""

from __future__ import annotations

import re

import msgspec

from addon.neutral import Event, PartEnd, PartStart, Response, TextDelta, TextPart

_OPENING = re.compile(r"\s*```[a-zA-Z]*[ \t]*\r?\n")
_OPENING_PREFIX = re.compile(r"\s*(`{0,2}|```[a-zA-Z]*[ \t]*\r?)")
_CLOSING = re.compile(r"\s*```\s*\Z")
_CLOSING_PREFIX = re.compile(r"\s*`{0,3}\s*\Z")


def strip_fence(text: str) -> str:
    """Return the JSON within the fence, or the text as it is when there is none."""
    opening = _OPENING.match(text)
    if opening is None:
        return text
    return _CLOSING.sub("", text[opening.end() :])


def strip_response(response: Response) -> Response:
    """Strip every text part of a whole answer."""
    parts = tuple(
        msgspec.structs.replace(part, text=strip_fence(part.text))
        if isinstance(part, TextPart)
        else part
        for part in response.parts
    )
    return msgspec.structs.replace(response, parts=parts)


class FenceFilter:
    """The same for a stream; holds back only what may still turn out to be a fence."""

    def __init__(self) -> None:
        self._held: dict[int, str] = {}
        self._fenced: set[int] = set()
        self._deciding: set[int] = set()

    def apply(self, event: Event) -> list[Event]:
        """Return the events that take this one's place."""
        match event:
            case PartStart(index, "text"):
                self._deciding.add(index)
                self._held[index] = ""
                return [event]
            case TextDelta(index, text) if index in self._held:
                return self._text(index, self._held.pop(index) + text)
            case PartEnd(index) if index in self._held:
                return [*self._rest(index), event]
            case _:
                return [event]

    def _text(self, index: int, text: str) -> list[Event]:
        if index in self._deciding:
            opening = _OPENING.match(text)
            if opening is None and _OPENING_PREFIX.fullmatch(text):
                self._held[index] = text
                return []
            self._deciding.discard(index)
            if opening is None:
                return [TextDelta(index, text)]
            self._fenced.add(index)
            text = text[opening.end() :]
        if index not in self._fenced:
            return [TextDelta(index, text)]
        closing = _CLOSING_PREFIX.search(text)
        keep = closing.start() if closing else len(text)
        self._held[index] = text[keep:]
        return [TextDelta(index, text[:keep])] if keep else []

    def _rest(self, index: int) -> list[Event]:
        held = self._held.pop(index)
        if index in self._fenced:
            held = _CLOSING.sub("", held)
        return [TextDelta(index, held)] if held else []
