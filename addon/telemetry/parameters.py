"""What a request asks of the model, read from its body in whatever format it is.

The body may be large: all but the few fields that are wanted is skipped unread.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec


class _Generation(msgspec.Struct, rename="camel"):
    temperature: Any = None
    top_p: Any = None
    top_k: Any = None
    seed: Any = None
    max_output_tokens: Any = None
    stop_sequences: Any = None
    presence_penalty: Any = None
    frequency_penalty: Any = None
    candidate_count: Any = None
    response_mime_type: Any = None


class _Request(msgspec.Struct):
    temperature: Any = None
    top_p: Any = None
    top_k: Any = None
    seed: Any = None
    n: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    stop: Any = None
    stop_sequences: Any = None
    presence_penalty: Any = None
    frequency_penalty: Any = None
    response_format: Any = None
    output_config: Any = None
    text: Any = None
    generation: _Generation = msgspec.field(name="generationConfig", default_factory=_Generation)


class _Conversing(msgspec.Struct):
    conversation: Any = None


_DECODER = msgspec.json.Decoder(_Request)
_CONVERSING = msgspec.json.Decoder(_Conversing)

type Attributes = dict[str, str | bool | int | float | list[str]]


def read_parameters(body: bytes) -> Attributes:
    """Return the attributes of a request's knobs; none where the body cannot be read."""
    try:
        asked = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return {}
    inner = asked.generation
    longest = asked.max_completion_tokens, asked.max_output_tokens, asked.max_tokens
    numbers = {
        "temperature": (asked.temperature, inner.temperature),
        "top_p": (asked.top_p, inner.top_p),
        "top_k": (asked.top_k, inner.top_k),
        "presence_penalty": (asked.presence_penalty, inner.presence_penalty),
        "frequency_penalty": (asked.frequency_penalty, inner.frequency_penalty),
    }
    whole = {
        "seed": (asked.seed, inner.seed),
        "max_tokens": (*longest, inner.max_output_tokens),
        "choice.count": (asked.n, inner.candidate_count),
    }
    found: Attributes = {}
    for name, values in numbers.items():
        number = next((value for value in values if _is_number(value)), None)
        if number is not None:
            found[f"gen_ai.request.{name}"] = float(number)
    for name, values in whole.items():
        number = next((value for value in values if type(value) is int), None)
        if number is not None and (name, number) != ("choice.count", 1):
            found[f"gen_ai.request.{name}"] = number
    if stops := _texts(asked.stop) or _texts(asked.stop_sequences) or _texts(inner.stop_sequences):
        found["gen_ai.request.stop_sequences"] = stops
    if _wants_json(asked):
        found["gen_ai.output.type"] = "json"
    return found


def read_conversation(body: bytes) -> str | None:
    """Return the id of the conversation that an agent's request belongs to, where it names one."""
    try:
        conversation: object = _CONVERSING.decode(body).conversation
    except (msgspec.DecodeError, UnicodeError):
        return None
    named = _fields(conversation).get("id", conversation)
    return named if isinstance(named, str) else None


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in _items(value) if isinstance(item, str)]


def _wants_json(asked: _Request) -> bool:
    inside = _fields(asked.text).get("format"), _fields(asked.output_config).get("format")
    kinds = [_fields(kind).get("type") for kind in (asked.response_format, *inside)]
    json_type = asked.generation.response_mime_type == "application/json"
    return json_type or "json_object" in kinds or "json_schema" in kinds


def _fields(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
