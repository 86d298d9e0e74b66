"""The only place that calls a JSON library.

`msgspec` is fast and strict; the standard library is lenient. Providers do send lone surrogates
(an emoji cut in two), NaN and byte order marks, so a strict failure is tried again leniently and
what cannot be UTF-8 is replaced.
"""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()

encode = _encoder.encode
"""Encode a JSON value as compact UTF-8 bytes; text is not escaped beyond what JSON demands."""


def decode(data: bytes | str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Decode one JSON value.

    Raises:
        ValueError: It is not JSON, even by lenient rules.
    """
    try:
        return _decoder.decode(data)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeError):
        return _decode_leniently(data)


def decode_object(data: bytes | str) -> dict[str, Any] | None:
    """Decode a JSON object; None when the data is not JSON or not an object."""
    try:
        value = decode(data)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if type(value) is dict else None


def encode_text(value: object) -> str:
    """Encode a JSON value as compact text."""
    return _encoder.encode(value).decode()


def _decode_leniently(data: bytes | str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    text = data if isinstance(data, str) else data.decode("utf-8-sig", "replace")
    try:
        return _without_lone_surrogates(json.loads(text, strict=False))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _without_lone_surrogates(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case float() if value != value or value in (float("inf"), float("-inf")):
            return None
        case list():
            return [_without_lone_surrogates(item) for item in cast("list[Any]", value)]
        case dict():
            return {
                _without_lone_surrogates(key): _without_lone_surrogates(item)
                for key, item in cast("dict[str, Any]", value).items()
            }
        case _:
            return value
