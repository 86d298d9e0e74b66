"""Filling in between two texts, as DeepSeek, Mistral and llama.cpp are asked for it.

Pages followed: https://api-docs.deepseek.com/api/create-completion,
https://docs.mistral.ai/api/endpoint/fim and
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from addon.embedded.chat.answer import ChatAnswer
from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Performance
from addon.embedded.front import read_json
from addon.embedded.openai_front import broken_off, check_model_exists, checked
from addon.embedded.other_endpoints.completions import CompletionAnswer
from addon.embedded.prefix import estimate_tokens
from addon.embedded.scenario import EVENT_STREAM, Frame, Script, pieces, script_of
from addon.embedded.shapes import (
    Shape,
    boolean,
    each,
    integer,
    mapping,
    nullable,
    number,
    record,
    string_or,
    text,
)
from addon.wire.codec import encode
from addon.wire.sse import frame

_SAMPLING: dict[str, Shape] = {
    "stream": boolean,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
}
_PENALTIES: dict[str, Shape] = {
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
}
_STOP = string_or(each(text(), most=16))


def _request(required: dict[str, Shape], optional: dict[str, Shape]) -> Shape:
    return record(required, {name: nullable(shape) for name, shape in optional.items()})


_DEEPSEEK = _request(
    {"model": text(shortest=1), "prompt": text()},
    {
        **_SAMPLING,
        **_PENALTIES,
        "echo": boolean,
        "logprobs": integer(0, 20),
        "max_tokens": integer(1, 4096),
        "stop": _STOP,
        "stream_options": record({}, {"include_usage": boolean}),
        "suffix": text(),
    },
)
_MISTRAL = _request(
    {"model": text(shortest=1), "prompt": text()},
    {
        **_SAMPLING,
        "max_tokens": integer(0),
        "metadata": mapping,
        "min_tokens": integer(0),
        "random_seed": integer(0),
        "stop": _STOP,
        "suffix": text(),
    },
)
_LLAMA = _request(
    {"input_prefix": text(), "input_suffix": text()},
    {
        **_SAMPLING,
        **_PENALTIES,
        "input_extra": each(record({"filename": text(), "text": text()})),
        "model": text(),
        "n_predict": integer(-1),
        "prompt": text(),
        "seed": integer(),
        "stop": each(text()),
    },
)


def deepseek(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /beta/completions`.

    Raises:
        Refusal: It is ill-formed.
    """
    body, script = _read(request, _DEEPSEEK, "prompt", "max_tokens")
    answer = CompletionAnswer(body, [body["prompt"]], script, turn)
    return Performance(answer, script, bool(body.get("stream")))


def mistral(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/fim/completions`: in the words of Chat.

    Raises:
        Refusal: It is ill-formed.
    """
    body, script = _read(request, _MISTRAL, "prompt", "max_tokens")
    asked = {"role": "user", "content": body["prompt"]}
    answer = ChatAnswer({"model": body["model"], "messages": [asked]}, script, turn)
    return Performance(answer, script, bool(body.get("stream")))


def llama(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /infill`.

    Raises:
        Refusal: It is ill-formed.
    """
    body, script = _read(request, _LLAMA, "input_prefix", "n_predict")
    return Performance(InfillAnswer(body, script), script, bool(body.get("stream")))


def _read(
    request: ReceivedRequest, shape: Shape, prompt: str, limit: str
) -> tuple[dict[str, Any], Script]:
    body = checked(read_json(request), shape)
    check_model_exists(body.get("model", ""))
    stop = body.get("stop", [])
    return body, script_of(
        body[prompt],
        max_tokens=body.get(limit),
        stop_sequences=[stop] if isinstance(stop, str) else stop,
    )


@dataclass(frozen=True)
class InfillAnswer:
    """What llama.cpp says, in words of its own."""

    request: dict[str, Any]
    script: Script

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM

    def plain(self) -> dict[str, Any]:
        """Return the plain answer."""
        return self._last(self.script.text)

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream, whose last event is its end."""
        for number_said, piece in enumerate(pieces(self.script.text, None), 1):
            said: dict[str, Any] = {
                "index": 0,
                "content": piece,
                "tokens": [],
                "stop": False,
                "id_slot": 0,
                "tokens_predicted": number_said,
                "tokens_evaluated": self._asked,
            }
            yield Frame(frame(encode(said)), is_delta=True)
        yield Frame(frame(encode(self._last(""))), is_delta=False)

    def broken_off(self, kind: str) -> bytes:
        """Write what ends a stream with an error."""
        return broken_off(kind)

    @property
    def _asked(self) -> int:
        return estimate_tokens([self.request["input_prefix"], self.request["input_suffix"]])

    def _last(self, content: str) -> dict[str, Any]:
        limited = self.script.stop == "max_tokens"
        return {
            "index": 0,
            "content": content,
            "tokens": [],
            "id_slot": 0,
            "stop": True,
            "model": self.request.get("model", "gpt-3.5-turbo"),
            "tokens_predicted": self.script.output_tokens,
            "tokens_evaluated": self._asked,
            "stop_type": "limit" if limited else "eos",
            "stopping_word": "",
            "truncated": False,
        }
