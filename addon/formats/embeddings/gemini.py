"""Embeddings of Gemini: `batchEmbedContents`.

Follows https://ai.google.dev/api/embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from addon.formats.base import RenderedBody
from addon.formats.embeddings.answer import render_answer
from addon.formats.embeddings.request import EmbeddingRequest
from addon.neutral import Loss, ProviderResponseError
from addon.wire.codec import encode

MOST_TEXTS = 100
"""In one request."""


class _Embedding(msgspec.Struct):
    values: list[float]


class _Answer(msgspec.Struct):
    embeddings: list[_Embedding]


_decode = msgspec.json.Decoder(_Answer).decode


def render_requests(request: EmbeddingRequest, model: str) -> list[RenderedBody]:
    """Write as many requests as the texts need, to be sent one after the other."""
    name = model if model.startswith("models/") else f"models/{model}"
    size = {} if request.dimensions is None else {"outputDimensionality": request.dimensions}
    losses = tuple(
        Loss(field, "Gemini's embeddings have no such field", "dropped")
        for field in (*(("user",) if request.user is not None else ()), *request.unknown)
    )
    return [
        RenderedBody(
            path=f"/v1beta/{name}:batchEmbedContents",
            headers=(("content-type", "application/json"),),
            body=encode(
                {
                    "requests": [
                        {"model": name, "content": {"parts": [{"text": text}]}, **size}
                        for text in request.texts[start : start + MOST_TEXTS]
                    ]
                }
            ),
            losses=losses,
        )
        for start in range(0, len(request.texts), MOST_TEXTS)
    ]


def join_answers(request: EmbeddingRequest, bodies: Sequence[bytes]) -> bytes:
    """Write the answers to all requests as one of OpenAI's.

    Vectors that are shorter than the model makes them do not have the length 1, as they do at
    OpenAI, and are given it. Tokens are not counted by Gemini, so they are estimated.

    Raises:
        ProviderResponseError: They do not hold a vector for each text.
    """
    vectors: list[list[float]] = []
    for body in bodies:
        try:
            vectors += [embedding.values for embedding in _decode(body).embeddings]
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ProviderResponseError(f"Gemini's embeddings cannot be read: {error}") from error
    if len(vectors) != len(request.texts):
        message = f"Gemini sent {len(vectors)} embeddings for {len(request.texts)} texts"
        raise ProviderResponseError(message)
    if request.dimensions is not None:
        vectors = [_normalised(vector) for vector in vectors]
    return render_answer(request, vectors, None)


def _normalised(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else vector
