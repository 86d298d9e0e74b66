"""Images: generated, edited, varied; one dot each.

Pages followed: https://platform.openai.com/docs/api-reference/images and
https://platform.openai.com/docs/api-reference/images-streaming.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Performance
from addon.embedded.front import read_json
from addon.embedded.identifiers import unique_name
from addon.embedded.openai_front import CREATED, broken_off, checked, unsupported
from addon.embedded.other_endpoints.abilities import check_model
from addon.embedded.other_endpoints.forms import file, read_form, several
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import EVENT_STREAM, Frame, Script, script_of
from addon.embedded.shapes import (
    Shape,
    boolean,
    integer,
    nullable,
    one_of,
    record,
    text,
)
from addon.wire.codec import encode
from addon.wire.sse import frame

_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
_LARGEST = 16 * 50 * 1024 * 1024
_LONGEST = {"dall-e-2": 1000, "dall-e-3": 4000}
_LONGEST_ELSEWHERE = 32_000
_SIZE = text(pattern=r"^(auto|\d{2,4}x\d{2,4})$")
_TYPED = ("n", "output_compression", "partial_images", "stream")

_VARIATION: dict[str, Shape] = {
    "model": text(shortest=1),
    "n": integer(1, 10),
    "response_format": one_of("url", "b64_json"),
    "size": _SIZE,
    "user": text(),
}
_NEWER: dict[str, Shape] = {
    "background": one_of("transparent", "opaque", "auto"),
    "output_compression": integer(0, 100),
    "output_format": one_of("png", "webp", "jpeg"),
    "partial_images": integer(0, 3),
    "stream": boolean,
}
"""Fields that the models before gpt-image do not know."""
_EDIT = {
    **_VARIATION,
    **_NEWER,
    "quality": one_of("auto", "low", "medium", "high", "standard"),
    "input_fidelity": one_of("low", "high"),
    "mask": file,
}
_GENERATION = {
    **_VARIATION,
    **_NEWER,
    "moderation": one_of("auto", "low"),
    "quality": one_of("auto", "low", "medium", "high", "standard", "hd"),
    "style": one_of("vivid", "natural"),
}


def _request(required: Mapping[str, Shape], optional: Mapping[str, Shape]) -> Shape:
    return record(required, {name: nullable(shape) for name, shape in optional.items()})


_GENERATION_REQUEST = _request({"prompt": text(shortest=1)}, _GENERATION)
_EDIT_REQUEST = _request({"image": several(file, 16), "prompt": text(shortest=1)}, _EDIT)
_VARIATION_REQUEST = _request({"image": file}, _VARIATION)


def generate(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/images/generations`.

    Raises:
        Refusal: It is ill-formed.
    """
    return _perform(checked(read_json(request), _GENERATION_REQUEST), "image_generation", turn)


def edit(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/images/edits`.

    Raises:
        Refusal: It is ill-formed.
    """
    form = read_form(request, _LARGEST, _TYPED)
    return _perform(checked(form, _EDIT_REQUEST), "image_edit", turn)


def vary(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/images/variations`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_form(request, _LARGEST, _TYPED), _VARIATION_REQUEST)
    model: str = body.get("model", "dall-e-2")
    if model.startswith(("gpt-image", "dall-e-3")):
        raise Refusal(
            f"Invalid value: '{model}'. Value must be 'dall-e-2'.",
            param="model",
            code="invalid_value",
        )
    return _perform(body, "image_variation", turn)


def _perform(body: dict[str, Any], kind: str, turn: int) -> Performance:
    model: str = body.get("model", "dall-e-2")
    check_model(model, "images")
    if model.startswith("gpt-image") and "response_format" in body:
        raise Refusal(
            "Unknown parameter: 'response_format'.",
            param="response_format",
            code="unknown_parameter",
        )
    if model.startswith("dall-e"):
        for name in _NEWER:
            if body.get(name):
                raise unsupported(name)
    if model == "dall-e-3" and body.get("n", 1) > 1:
        raise Refusal("You must provide n=1 for this model.", param="n")
    if body.get("stream") and body.get("n", 1) > 1:
        raise Refusal("Streaming is only supported with n=1.", param="n")
    if "partial_images" in body and not body.get("stream"):
        raise Refusal(
            "'partial_images' is only allowed when 'stream' is true.", param="partial_images"
        )
    prompt: str = body.get("prompt", "")
    longest = _LONGEST.get(model, _LONGEST_ELSEWHERE)
    if len(prompt) > longest:
        raise Refusal(
            f"Invalid 'prompt': string too long. Expected a string with maximum length {longest}, "
            f"but got a string with length {len(prompt)} instead.",
            param="prompt",
            code="string_above_max_length",
        )
    script = script_of(prompt)
    answer = ImageAnswer({**body, "model": model}, kind, script, turn)
    return Performance(answer, script, bool(body.get("stream")))


@dataclass(frozen=True)
class ImageAnswer:
    """Everything that is needed to write the answer to one request."""

    request: dict[str, Any]
    kind: str
    """How the names of the stream's events begin."""
    script: Script
    turn: int

    @property
    def stream_type(self) -> str:
        """Return the content type of the stream."""
        return EVENT_STREAM

    def plain(self) -> dict[str, Any]:
        """Return the plain answer."""
        model: str = self.request["model"]
        newer = model.startswith("gpt-image")
        form = "b64_json" if newer else self.request.get("response_format", "url")
        images: list[dict[str, Any]] = []
        for index in range(self.request.get("n", 1)):
            name = unique_name("img-", self.turn, index)
            url = f"https://images.example/{name}.png"
            images.append({form: url if form == "url" else _encoded()})
        described = {**self._look(), "usage": self._usage()} if newer else {}
        return {"created": CREATED, "data": images, **described}

    def frames(self) -> Iterator[Frame]:
        """Yield the same answer as a stream."""
        for index in range(self.request.get("partial_images", 0)):
            yield self._event("partial_image", partial_image_index=index)
        yield self._event("completed", usage=self._usage())

    def broken_off(self, kind: str) -> bytes:
        """Write what ends a stream with an error."""
        return broken_off(kind)

    def _event(self, name: str, **more: object) -> Frame:
        kind = f"{self.kind}.{name}"
        event = {
            "type": kind,
            "created_at": CREATED,
            "b64_json": _encoded(),
            **self._look(),
            **more,
        }
        return Frame(frame(encode(event), kind.encode()), is_delta=True)

    def _look(self) -> dict[str, Any]:
        look = {
            "background": "opaque",
            "output_format": "png",
            "quality": "low",
            "size": "1024x1024",
        }
        return {name: self.request.get(name, value) for name, value in look.items()}

    def _usage(self) -> dict[str, Any]:
        words, pictures = estimate_tokens(self.request.get("prompt", "")), 16
        return {
            "input_tokens": words,
            "input_tokens_details": {"text_tokens": words, "image_tokens": 0},
            "output_tokens": pictures,
            "total_tokens": words + pictures,
        }


def _encoded() -> str:
    return base64.b64encode(_DOT).decode()
