"""Embeddings in Gemini's words.

Page followed: https://ai.google.dev/api/embeddings.
"""

from __future__ import annotations

from typing import Any

from addon.embedded.endpoint import Performance
from addon.embedded.gemini.messages import BATCH_EMBED_REQUEST, EMBED_REQUEST
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import script_of
from addon.embedded.vectors import vector_of
from addon.embedded.whole import whole

EMBEDDING_MODELS = {"gemini-embedding-001": 3072, "gemini-embedding-2": 3072}
"""Names of models, with the numbers that their vectors have."""
MOST_REQUESTS = 100
_SHORTENED = 0.7
"""The length of vectors that are shorter than the model makes them."""


def embed(body: object, name: str) -> Performance:
    """Answer `embedContent`.

    Raises:
        Refusal: It is ill-formed.
    """
    request = EMBED_REQUEST(body, "")
    values = _vector(request, name, "EmbedContentRequest")
    return whole({"embedding": {"values": values}}, script_of(_text(request)))


def embed_all(body: object, name: str) -> Performance:
    """Answer `batchEmbedContents`.

    Raises:
        Refusal: It is ill-formed.
    """
    requests: list[dict[str, Any]] = BATCH_EMBED_REQUEST(body, "").get("requests", [])
    if not requests:
        raise Refusal(
            "* BatchEmbedContentsRequest.requests: requests is not specified\n", param="requests"
        )
    if len(requests) > MOST_REQUESTS:
        raise Refusal(
            f"* BatchEmbedContentsRequest.requests: at most {MOST_REQUESTS} requests can be in one "
            "batch\n",
            param="requests",
        )
    for index, request in enumerate(requests):
        if request.get("model") != f"models/{name}":
            place = f"BatchEmbedContentsRequest.requests[{index}].model"
            raise Refusal(f"* {place}: unexpected model name format\n", param=place)
    vectors = [_vector(one, name, "BatchEmbedContentsRequest.requests") for one in requests]
    answer = {"embeddings": [{"values": values} for values in vectors]}
    return whole(answer, script_of(" ".join(map(_text, requests))))


def _vector(request: dict[str, Any], name: str, place: str) -> list[float]:
    size = EMBEDDING_MODELS.get(name)
    if size is None:
        raise Refusal(
            f"models/{name} is not found for API version v1beta, or is not supported for "
            "embedContent. Call ListModels to see the list of available models and their supported "
            "methods.",
            status=404,
        )
    text = _text(request)
    if not text:
        raise Refusal(f"* {place}.content: contents is not specified\n", param=f"{place}.content")
    wanted: int = request.get("outputDimensionality", size)
    if not 1 <= wanted <= size:
        raise Refusal(
            f"* {place}.output_dimensionality: must be within the range of (0, {size}]\n",
            param=f"{place}.output_dimensionality",
        )
    length = 1.0 if wanted == size else _SHORTENED
    return [length * value for value in vector_of(text, wanted)]


def _text(request: dict[str, Any]) -> str:
    parts: list[dict[str, Any]] = request.get("content", {}).get("parts", [])
    return " ".join(part.get("text", "") for part in parts)
