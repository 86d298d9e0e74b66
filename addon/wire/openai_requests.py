"""Parameters that OpenAI's two formats of requests have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast, get_args

from addon.neutral import ClientRequestError, Effort, ResponseFormat
from addon.wire.codec import decode
from addon.wire.request_fields import Fields

EFFORTS: tuple[Effort, ...] = get_args(Effort.__value__)

type _FormatType = Literal["json_object", "json_schema", "text"]
_FORMAT_TYPES: tuple[_FormatType, ...] = ("json_object", "json_schema", "text")

_KNOWN_OF_CACHE = frozenset(("ttl",))


def decode_body(body: bytes) -> dict[str, Any]:
    """Decode the body of a request.

    Raises:
        ClientRequestError: It is not a JSON object.
    """
    try:
        value = decode(body)
    except ValueError as error:
        raise ClientRequestError(
            f"We could not parse the JSON body of your request: {error}"
        ) from None
    if not isinstance(value, dict):
        raise ClientRequestError("The body of your request must be a JSON object.")
    return cast("dict[str, Any]", value)


def read_cache_ttl(fields: Fields) -> Literal["5m", "1h"] | None:
    """Read how long the prompt is to stay cached; everything beyond minutes is `1h`."""
    options = fields.object("prompt_cache_options")
    if options is not None:
        options.knows(_KNOWN_OF_CACHE)
        if options.has("ttl"):
            return "1h"
    match fields.text("prompt_cache_retention"):
        case None:
            return None
        case "in_memory":
            return "5m"
        case _:
            return "1h"


def read_response_format(
    wish: Fields | None, find_schema: Callable[[Fields], Fields]
) -> ResponseFormat | None:
    """Read what form the answer is to have.

    Args:
        wish: The parameter.
        find_schema: Returns what holds `name`, `schema` and `strict` for the type `json_schema`.

    Raises:
        ClientRequestError: It is not what the format allows.
    """
    if wish is None:
        return None
    kind: _FormatType | None = wish.one_of("type", _FORMAT_TYPES)
    if kind is None:
        wish.missing("type")
    if kind != "json_schema":
        return ResponseFormat(kind)
    described = find_schema(wish)
    schema = described.object("schema")
    return ResponseFormat(
        "json_schema",
        described.text("name"),
        schema.value if schema is not None else None,
        described.flag("strict"),
        described.text("description"),
    )
