"""Go on after `finishReason: CONTINUATION`, by which the API suspends a very long answer.

Follows https://ai.google.dev/api/generate-content: the same request again, with the candidate's
`continuationToken`; its answer begins where the one before left off.
"""

from __future__ import annotations

import re

from addon.formats.gemini.models import gemini_model
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object
from addon.wire.reading import text

_TOKEN = "continuationToken"  # noqa: S105 - the name of a field
_MEMBER = re.compile(rb'"continuationToken"\s*:\s*"(?:[^"\\]|\\.)*"')
"""The token as it stands in JSON; within a string, the quotation marks would be escaped."""
_LONGEST_TAIL = 1 << 20
"""Bytes of a stream's end in which the token is looked for."""


class GeminiContinuation:
    """Looks for the token at the end of an answer."""

    joins_text = True

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._tail: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Read along with a stream."""
        self._tail.append(data)
        self._size += len(data)
        if self._size > 2 * _LONGEST_TAIL:
            self._tail = [b"".join(self._tail)[-_LONGEST_TAIL:]]
            self._size = _LONGEST_TAIL

    def read_whole(self, body: bytes) -> None:
        """Read an answer that was not streamed."""
        self._tail = [body]

    def follow_up(self) -> bytes | None:
        """Return the body that asks for the rest; None where the answer is whole."""
        found = _MEMBER.findall(b"".join(self._tail))
        self._tail, self._size = [], 0
        member = decode_object(b"{%s}" % found[-1]) if found else None
        token = text((member or {}).get(_TOKEN))
        return edit_object(self._body, {_TOKEN: encode(token)}) if token else None


def continuation(body: bytes, model: str) -> GeminiContinuation | None:
    """Return what knows how to go on; None for models that never suspend an answer."""
    return GeminiContinuation(body) if gemini_model(model).suspends else None
