"""What an agent asks for that wants texts embedded.

Follows https://platform.openai.com/docs/api-reference/embeddings/create.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from addon.neutral import ClientRequestError, UnsupportedFeature
from addon.wire.codec import decode_object

_KNOWN = frozenset(("model", "input", "dimensions", "encoding_format", "user"))


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Texts to embed."""

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    """How long the vectors are to be; None: as long as the model makes them."""
    base64: bool = False
    """Whether vectors are wanted as base64 of little-endian 32 bit floats."""
    user: str | None = None
    unknown: tuple[str, ...] = ()
    """Fields that nobody but OpenAI knows."""


def parse_request(body: bytes) -> EmbeddingRequest:
    """Read an agent's request.

    Raises:
        ClientRequestError: It is not what the format allows.
        UnsupportedFeature: It holds tokens, which mean something to one model only.
    """
    document = decode_object(body)
    if document is None:
        raise ClientRequestError("The body is not a JSON object.")
    encoding = document.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise ClientRequestError("expected float or base64", "encoding_format")
    dimensions = document.get("dimensions")
    if dimensions is not None and (type(dimensions) is not int or dimensions < 1):
        raise ClientRequestError("expected a positive whole number", "dimensions")
    user = document.get("user")
    return EmbeddingRequest(
        model=str(document.get("model") or ""),
        texts=_texts(document.get("input")),
        dimensions=dimensions,
        base64=encoding == "base64",
        user=user if isinstance(user, str) else None,
        unknown=tuple(name for name in document if name not in _KNOWN),
    )


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON has no narrower type
    if not value or not isinstance(value, (str, list)):
        raise ClientRequestError("expected a text, or a list of texts", "input")
    items = [value] if isinstance(value, str) else cast("list[Any]", value)
    if all(isinstance(item, str) for item in items):
        return tuple(items)
    if all(isinstance(item, (int, list)) for item in items):
        reason = "tokens of one model mean nothing to another; send text"
        raise UnsupportedFeature("input", reason)
    raise ClientRequestError("expected a text, or a list of texts", "input")
