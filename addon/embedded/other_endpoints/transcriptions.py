"""Transcriptions and translations: what the prompt says was said.

Pages followed: https://platform.openai.com/docs/api-reference/audio/createTranscription and
https://platform.openai.com/docs/api-reference/audio/createTranslation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Performance
from addon.embedded.openai_front import broken_off, checked
from addon.embedded.other_endpoints.abilities import check_model
from addon.embedded.other_endpoints.forms import File, file, read_form
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import EVENT_STREAM, Content, Frame, Script, pieces, script_of
from addon.embedded.shapes import (
    Shape,
    anything,
    boolean,
    each,
    nullable,
    number,
    one_of,
    record,
    text,
)
from addon.wire.codec import encode
from addon.wire.sse import frame

LARGEST = 26_214_400
"""Bytes of a form with a file."""
_ENDINGS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_SECONDS = 2.0
"""How long every sound is."""
_LAST = b"data: [DONE]\n\n"
_TYPED = ("temperature", "stream")
_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")

_TRANSLATION: dict[str, Shape] = {
    "prompt": text(),
    "response_format": one_of(*_FORMATS),
    "temperature": number(0, 1),
}
_TRANSCRIPTION: dict[str, Shape] = {
    **_TRANSLATION,
    "response_format": one_of(*_FORMATS, "diarized_json"),
    "chunking_strategy": anything,
    "include": each(one_of("logprobs")),
    "language": text(pattern="^[a-z]{2,3}$"),
    "stream": boolean,
    "timestamp_granularities": each(one_of("word", "segment")),
}
_REQUIRED: dict[str, Shape] = {"file": file, "model": text(shortest=1)}
_TRANSCRIPTION_REQUEST = record(
    _REQUIRED, {name: nullable(shape) for name, shape in _TRANSCRIPTION.items()}
)
_TRANSLATION_REQUEST = record(
    _REQUIRED, {name: nullable(shape) for name, shape in _TRANSLATION.items()}
)


def transcribe(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/audio/transcriptions`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_form(request, LARGEST, _TYPED), _TRANSCRIPTION_REQUEST)
    form = body.get("response_format", "json")
    if body["model"].startswith("gpt-") and form not in ("json", "text", "diarized_json"):
        raise Refusal(
            f"response_format '{form}' is not compatible with model '{body['model']}'. Use 'json' "
            "or 'text' instead.",
            param="response_format",
            code="unsupported_value",
        )
    if "timestamp_granularities" in body and form != "verbose_json":
        raise Refusal(
            "'timestamp_granularities' is only allowed with response_format 'verbose_json'.",
            param="timestamp_granularities",
        )
    streamed = bool(body.get("stream")) and body["model"] != "whisper-1"
    return _perform(body, "transcribe", streamed=streamed)


def translate(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/audio/translations`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_form(request, LARGEST, _TYPED), _TRANSLATION_REQUEST)
    return _perform(body, "translate", streamed=False)


def _perform(body: dict[str, Any], task: str, *, streamed: bool) -> Performance:
    check_model(body["model"], "transcriptions")
    sound: File = body["file"]
    if PurePath(sound.name).suffix.lstrip(".").lower() not in _ENDINGS:
        raise Refusal(f"Invalid file format. Supported formats: {list(_ENDINGS)}", param="file")
    if not sound.content:
        raise Refusal("Audio file is too short. Minimum audio length is 0.1 seconds.", param="file")
    script = script_of(body.get("prompt", ""))
    return Performance(Transcript(body, task, script), script, streamed)


@dataclass(frozen=True)
class Transcript:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    task: str
    script: Script

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM

    def plain(self) -> dict[str, Any] | Content:
        """Return the plain answer, in the form asked for."""
        words = self.script.text
        match self.request.get("response_format", "json"):
            case "text":
                return Content(f"{words}\n".encode(), "text/plain; charset=utf-8")
            case "srt":
                lines = f"1\n00:00:00,000 --> 00:00:02,000\n{words}\n\n"
                return Content(lines.encode(), "text/plain; charset=utf-8")
            case "vtt":
                lines = f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{words}\n\n"
                return Content(lines.encode(), "text/plain; charset=utf-8")
            case "verbose_json":
                return self._verbose()
            case _:
                return {"text": words, "usage": self._usage()}

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        for piece in pieces(self.script.text, self.script.directives.events):
            delta = {"type": "transcript.text.delta", "delta": piece}
            yield Frame(frame(encode(delta)), is_delta=True)
        done = {"type": "transcript.text.done", "text": self.script.text, "usage": self._usage()}
        yield Frame(frame(encode(done)), is_delta=False)
        yield Frame(_LAST, is_delta=False)

    def broken_off(self, kind: str) -> bytes:
        """Write what ends a stream with an error."""
        return broken_off(kind)

    def _usage(self) -> dict[str, Any]:
        if self.request["model"].startswith("whisper"):
            return {"type": "duration", "seconds": _SECONDS}
        said = self.script.output_tokens
        details = {"text_tokens": 0, "audio_tokens": 20}
        counts = {"input_tokens": 20, "output_tokens": said, "total_tokens": 20 + said}
        return {"type": "tokens", **counts, "input_token_details": details}

    def _verbose(self) -> dict[str, Any]:
        words = self.script.text
        wanted = self.request.get("timestamp_granularities", ["segment"])
        answer: dict[str, Any] = {
            "task": self.task,
            "language": "english",
            "duration": _SECONDS,
            "text": words,
            "usage": {"type": "duration", "seconds": _SECONDS},
        }
        if "segment" in wanted:
            segment = {"id": 0, "seek": 0, "start": 0.0, "end": _SECONDS, "text": words}
            numbers = {"avg_logprob": -0.2, "compression_ratio": 1.0, "no_speech_prob": 0.01}
            answer["segments"] = [{**segment, "tokens": [50364], "temperature": 0.0, **numbers}]
        if "word" in wanted:
            parts = words.split()
            step = _SECONDS / max(1, len(parts))
            answer["words"] = [
                {"word": part, "start": at * step, "end": (at + 1) * step}
                for at, part in enumerate(parts)
            ]
        return answer
