"""Thoughts that a provider leaves within the content, between `<think>` and `</think>`.

llama.cpp, MiniMax and some vLLM set-ups do so. Only tags at the very beginning of the content
count: later ones are words of the answer, perhaps about tags.
"""

from __future__ import annotations

from typing import Literal

OPENING = "<think>"
CLOSING = "</think>"

_BLANKS = " \t\r\n"
_MOST_BLANKS = 64
"""Blanks that may stand before the opening tag; more would have to be held back for nothing."""

type Span = tuple[Literal["text", "reasoning"], str]


class ThinkTagSplitter:
    """Splits content that arrives in pieces; holds back no more than may turn out to be a tag."""

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["opening", "thinking", "gap", "text"] = "opening"

    @property
    def done(self) -> bool:
        """Whether all further content is text, so that asking is not worth while."""
        return self._state == "text"

    def feed(self, content: str) -> list[Span]:
        """Take more content and return what is certain, in order."""
        spans: list[Span] = []
        text = self._held + content
        self._held = ""
        if self._state == "opening":
            text = self._open(text)
        if self._state == "thinking":
            text = self._think(text, spans)
        if self._state == "gap":
            text = text.lstrip(_BLANKS)
            if text:
                self._state = "text"
        if self._state == "text" and text:
            spans.append(("text", text))
        return spans

    def finish(self) -> list[Span]:
        """Return what was held back, now that the content has ended."""
        held, self._held = self._held, ""
        kind = "reasoning" if self._state == "thinking" else "text"
        return [(kind, held)] if held else []

    def _open(self, text: str) -> str:
        stripped = text.lstrip(_BLANKS)
        near = len(text) - len(stripped) <= _MOST_BLANKS
        if near and stripped.startswith(OPENING):
            self._state = "thinking"
            return stripped[len(OPENING) :]
        if near and OPENING.startswith(stripped):
            self._held = text
        else:
            self._state = "text"
        return text

    def _think(self, text: str, spans: list[Span]) -> str:
        thought, tag, rest = text.partition(CLOSING)
        if tag:
            self._state = "gap"
        else:
            cut = _start_of_tag(text)
            thought, self._held = text[:cut], text[cut:]
        if thought:
            spans.append(("reasoning", thought))
        return rest


def _start_of_tag(text: str) -> int:
    """Return where the text's end may be the beginning of the closing tag."""
    start = text.rfind("<", max(0, len(text) - len(CLOSING) + 1))
    return start if start >= 0 and CLOSING.startswith(text[start:]) else len(text)
