"""Speech: the text's own bytes as sound.

Page followed: https://platform.openai.com/docs/api-reference/audio/createSpeech.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Performance
from addon.embedded.front import read_json
from addon.embedded.openai_front import broken_off, checked
from addon.embedded.other_endpoints.abilities import check_model, is_known
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import EVENT_STREAM, Content, Frame, Script, pieces, script_of
from addon.embedded.shapes import Shape, nullable, number, one_of, record, string_or, text
from addon.wire.codec import encode
from addon.wire.sse import frame

VOICES = (
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "marin"),
    *("cedar", "nova", "onyx", "sage", "shimmer", "verse"),
)
_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_VOICE = one_of(*VOICES)
_OPTIONAL: dict[str, Shape] = {
    "instructions": text(longest=4096),
    "response_format": one_of(*_TYPES),
    "speed": number(0.25, 4),
    "stream_format": one_of("sse", "audio"),
}
_REQUEST = record(
    {
        "model": text(shortest=1),
        "input": text(shortest=1, longest=4096),
        "voice": string_or(record({"id": text(shortest=1)})),
    },
    {name: nullable(shape) for name, shape in _OPTIONAL.items()},
)
_NAMED_VOICE = record({"voice": string_or(record({"id": text()}), string=_VOICE)}, closed=False)


def sound_of(words: str) -> bytes:
    """Return the sound that stands for words."""
    return words.encode() * 50


def speak(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/audio/speech`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_json(request), _REQUEST)
    model: str = body["model"]
    check_model(model, "speech")
    if is_known(model):
        checked(body, _NAMED_VOICE)
    if model.startswith("tts-1"):
        for name, value in (("stream_format", "sse"), ("instructions", body.get("instructions"))):
            if name in body and body[name] == value:
                raise Refusal(f"'{name}' is not supported by {model}.", param=name)
    script = script_of(body["input"])
    return Performance(SpeechAnswer(body, script), script, streamed=True)


@dataclass(frozen=True)
class SpeechAnswer:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    script: Script

    @property
    def stream_type(self) -> str:
        """Return the content type: events, or that of the sound, which comes in pieces as well."""
        return EVENT_STREAM if self._events else _TYPES[self.request.get("response_format", "mp3")]

    def plain(self) -> Content:
        """Return the whole sound."""
        return Content(sound_of(self.script.text), self.stream_type)

    def frames(self) -> Iterator[Frame]:
        """Yield the sound piece by piece."""
        for piece in pieces(sound_of(self.script.text).decode(), self.script.directives.events):
            sound = piece.encode()
            if self._events:
                audio = base64.b64encode(sound).decode()
                sound = frame(encode({"type": "speech.audio.delta", "audio": audio}))
            yield Frame(sound, is_delta=True)
        if self._events:
            asked, said = estimate_tokens(self.request["input"]), self.script.output_tokens
            tokens = {"input_tokens": asked, "output_tokens": said, "total_tokens": asked + said}
            done = {"type": "speech.audio.done", "usage": tokens}
            yield Frame(frame(encode(done)), is_delta=False)

    def broken_off(self, kind: str) -> bytes:
        """Write what ends a stream with an error; sound just ends."""
        return broken_off(kind) if self._events else b""

    @property
    def _events(self) -> bool:
        return self.request.get("stream_format") == "sse"
