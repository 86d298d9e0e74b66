"""Go on after `finishReason: CONTINUATION`, by which the API suspends a very long answer.

Follows https://ai.google.dev/api/generate-content: the same request again, with the candidate's
`continuationToken`; its answer begins where the one before left off.
"""

from __future__ import annotations

from addon.formats.gemini.models import gemini_model
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object
from addon.wire.reading import mapping, sequence, text
from addon.wire.sse import SseDecoder

_TOKEN = "continuationToken"  # noqa: S105 - the name of a field


class GeminiContinuation:
    """Looks for the token."""

    joins_text = True

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._sse = SseDecoder()
        self._token = ""

    def feed(self, data: bytes) -> None:
        """Read along with a stream."""
        for event in self._sse.feed(data):
            if _TOKEN.encode() in event.data:
                self.read_whole(event.data)

    def read_whole(self, body: bytes) -> None:
        """Read an answer that was not streamed, or one chunk."""
        for candidate in map(mapping, sequence((decode_object(body) or {}).get("candidates"))[:1]):
            self._token = text(candidate.get(_TOKEN)) or self._token

    def follow_up(self) -> bytes | None:
        """Return the body that asks for the rest; None where the answer is whole."""
        token, self._token = self._token, ""
        self._sse = SseDecoder()
        return edit_object(self._body, {_TOKEN: encode(token)}) if token else None


def continuation(body: bytes, model: str) -> GeminiContinuation | None:
    """Return what knows how to go on; None for models that never suspend an answer."""
    return GeminiContinuation(body) if gemini_model(model).suspends else None
