"""The answer to a request for embeddings, in OpenAI's words."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence

from addon.formats.embeddings.request import EmbeddingRequest
from addon.wire.codec import encode

BYTES_PER_TOKEN = 3.5


def render_answer(
    request: EmbeddingRequest, vectors: Iterable[Sequence[float] | str], tokens: int | None
) -> bytes:
    """Write an answer.

    Args:
        request: What the agent asked for.
        vectors: One for each text, in their order; those that are text are base64 already.
        tokens: How many the provider has counted; None: they are estimated.
    """
    counted = estimate_tokens(request) if tokens is None else tokens
    entries = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _packed(vector) if request.base64 else _plain(vector),
        }
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": counted, "total_tokens": counted}
    return encode({"object": "list", "data": entries, "model": request.model, "usage": usage})


def estimate_tokens(request: EmbeddingRequest) -> int:
    """Estimate how many tokens the texts have, to about a fifth."""
    size = sum(len(text.encode("utf-8", "replace")) for text in request.texts)
    return max(round(size / BYTES_PER_TOKEN), len(request.texts))


def _packed(vector: Sequence[float] | str) -> str:
    if isinstance(vector, str):
        return vector
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _plain(vector: Sequence[float] | str) -> Sequence[float]:
    if not isinstance(vector, str):
        return vector
    packed = b64decode(vector)
    return struct.unpack(f"<{len(packed) // 4}f", packed[: len(packed) // 4 * 4])
