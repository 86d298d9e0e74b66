"""Embeddings in OpenAI's words.

Page followed: https://platform.openai.com/docs/api-reference/embeddings/create.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any

from addon.embedded.connection import ReceivedRequest
from addon.embedded.endpoint import Performance
from addon.embedded.front import read_json
from addon.embedded.openai_front import checked
from addon.embedded.other_endpoints.abilities import check_model
from addon.embedded.other_endpoints.inputs import Texts, texts_of, texts_or_tokens
from addon.embedded.prefix import estimate_tokens
from addon.embedded.refusal import Refusal
from addon.embedded.scenario import script_of
from addon.embedded.shapes import Shape, integer, nullable, one_of, record, text
from addon.embedded.vectors import vector_of
from addon.embedded.whole import whole

SIZES = {
    "text-embedding-3-large": 3072,
    "text-embedding-3-small": 1536,
    "text-embedding-ada-002": 1536,
}
SIZE = 64
"""Numbers in a vector of any other model."""
_LONGEST = 8192
"""Tokens of one text."""

_OPTIONAL: dict[str, Shape] = {
    "dimensions": integer(1),
    "encoding_format": one_of("float", "base64"),
    "user": text(),
}
_REQUEST = record(
    {"model": text(shortest=1), "input": texts_or_tokens},
    {name: nullable(shape) for name, shape in _OPTIONAL.items()},
)


def embed(request: ReceivedRequest, _: Sequence[str], turn: int) -> Performance:
    """Answer `POST /v1/embeddings`.

    Raises:
        Refusal: It is ill-formed.
    """
    body = checked(read_json(request), _REQUEST)
    model: str = body["model"]
    check_model(model, "embeddings")
    texts = texts_of(body["input"])
    for index, words in enumerate(texts):
        tokens = _count(words)
        if not words:
            raise Refusal("'$.input' is invalid: it cannot be an empty string.", param="input")
        if tokens > _LONGEST:
            raise Refusal(
                f"Invalid 'input[{index}]': maximum input length is {_LONGEST} tokens.",
                param="input",
            )
    size = _size(body)
    prompt = sum(map(_count, texts))
    return whole(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _written(vector_of(words, size), body.get("encoding_format")),
                }
                for index, words in enumerate(texts)
            ],
            "model": model,
            "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
        },
        script_of(" ".join(words for words in texts if isinstance(words, str))),
    )


def _size(body: dict[str, Any]) -> int:
    model: str = body["model"]
    longest = SIZES.get(model, SIZE)
    size = body.get("dimensions", longest)
    if "dimensions" in body and model == "text-embedding-ada-002":
        raise Refusal("This model does not support specifying dimensions.")
    if size > longest:
        raise Refusal(
            f"Invalid value for 'dimensions' = {size}. Must be less than or equal to {longest}.",
            param="dimensions",
        )
    return size


def _count(words: Texts) -> int:
    return estimate_tokens(words) if isinstance(words, str) else len(words)


def _written(vector: list[float], encoding: str | None) -> object:
    if encoding != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
