"""Embeddings of providers that have OpenAI's endpoint.

Where they have all of it, body and answer pass as they are. Some take only so many texts at once,
or know no base64, which the official Python client always asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from addon.formats.base import RenderedBody
from addon.formats.embeddings.answer import render_answer
from addon.formats.embeddings.request import EmbeddingRequest
from addon.neutral import ClientRequestError, ProviderResponseError
from addon.wire.codec import encode
from addon.wire.json_edit import edit_object

PATH = "/embeddings"


class Habits(NamedTuple):
    """How a provider differs from OpenAI."""

    most_texts: int | None = None
    """In one request; None: as many as anybody sends."""
    base64: bool = True
    """Whether it gives vectors as base64."""
    dimensions: str = "dimensions"
    """The field for the length of the vectors."""

    @property
    def none(self) -> bool:
        """Whether it does not differ at all."""
        return self == Habits()


_HABITS = {
    "qwen": Habits(10, base64=False),  # https://help.aliyun.com/zh/model-studio/text-embedding-api
    "glm": Habits(64, base64=False),  # https://docs.bigmodel.cn/api-reference
    "mistral": Habits(dimensions="output_dimension"),  # https://docs.mistral.ai/api
}


class _Entry(msgspec.Struct):
    embedding: list[float] | str
    index: int = 0


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Entry]
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def habits(dialect: str) -> Habits:
    """Return how a provider differs from OpenAI."""
    return _HABITS.get(dialect, Habits())


def rewrite_request(body: bytes, model: str) -> RenderedBody:
    """Name another model, and leave every other byte.

    Raises:
        ClientRequestError: The body is not a JSON object.
    """
    try:
        rewritten = edit_object(body, {"model": encode(model)})
    except ValueError as error:
        raise ClientRequestError("The body is not a JSON object.") from error
    return _rendered(rewritten)


def render_requests(
    body: bytes, request: EmbeddingRequest, model: str, dialect: str
) -> list[RenderedBody]:
    """Write as many requests as the texts need, to be sent one after the other."""
    habit = habits(dialect)
    changes: dict[str, bytes | None] = {"model": encode(model)}
    if request.base64 and not habit.base64:
        changes["encoding_format"] = None
    if request.dimensions is not None and habit.dimensions != "dimensions":
        changes |= {"dimensions": None, habit.dimensions: encode(request.dimensions)}
    step = habit.most_texts or len(request.texts)
    if len(request.texts) <= step:
        return [_rendered(edit_object(body, changes))]
    return [
        _rendered(edit_object(body, {**changes, "input": encode(request.texts[start:][:step])}))
        for start in range(0, len(request.texts), step)
    ]


def join_answers(request: EmbeddingRequest, bodies: Sequence[bytes]) -> bytes:
    """Write the answers to all requests as one, with vectors as the agent wants them.

    Raises:
        ProviderResponseError: They do not hold a vector for each text.
    """
    vectors: list[list[float] | str] = []
    tokens: int | None = 0
    for body in bodies:
        try:
            answer = _decode(body)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ProviderResponseError(f"the embeddings cannot be read: {error}") from error
        ordered = sorted(answer.data, key=lambda entry: entry.index)
        vectors += [entry.embedding for entry in ordered]
        counted = answer.usage and answer.usage.prompt_tokens
        tokens = None if tokens is None or counted is None else tokens + counted
    if len(vectors) != len(request.texts):
        message = f"the provider sent {len(vectors)} embeddings for {len(request.texts)} texts"
        raise ProviderResponseError(message)
    return render_answer(request, vectors, tokens)


def _rendered(body: bytes) -> RenderedBody:
    return RenderedBody(path=PATH, headers=(("content-type", "application/json"),), body=body)
