"""What OpenAI's APIs have in common: key, headers, the form and the wording of errors.

Page followed: https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

import json
from typing import Any, cast

from addon.embedded.connection import ReceivedRequest
from addon.embedded.front import bearer_key
from addon.embedded.identifiers import unique_name
from addon.embedded.refusal import Refusal
from addon.embedded.shapes import Path, Shape, ShapeError
from addon.wire.codec import encode
from addon.wire.sse import frame

CREATED = 1_795_219_200
"""One moment for all answers, in seconds, so that runs compare."""


def check_key(request: ReceivedRequest) -> None:
    """Check that a key was sent that is not known to be bad.

    Raises:
        Refusal: It was not.
    """
    key = bearer_key(request)
    if not key:
        raise Refusal("You didn't provide an API key.", status=401)
    if key.startswith("bad"):
        raise Refusal("Incorrect API key provided.", status=401, code="invalid_api_key")


def check_model_exists(model: str) -> None:
    """Check that there is a model of this name.

    Raises:
        Refusal: There is none.
    """
    if "unknown" in model:
        raise Refusal(
            f"The model `{model}` does not exist or you do not have access to it.",
            status=404,
            code="model_not_found",
        )


def checked(body: object, shape: Shape) -> dict[str, Any]:
    """Check a body by its shape; return it without what is null.

    Raises:
        Refusal: It is ill-formed.
    """
    try:
        shape(body, ())
    except ShapeError as error:
        raise describe(error) from error
    given = cast("dict[str, Any]", body)
    return {key: value for key, value in given.items() if value is not None}


def answer_headers(turn: int) -> list[tuple[str, str]]:
    """Return the headers that every answer carries."""
    return [
        ("x-request-id", unique_name("req_01", turn)),
        ("openai-processing-ms", "7"),
        ("x-ratelimit-limit-requests", "20000"),
        ("x-ratelimit-remaining-requests", "19999"),
        ("x-ratelimit-reset-requests", "3ms"),
    ]


def error_body(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an error answer."""
    return {
        "error": {
            "message": str(refusal),
            "type": refusal.kind,
            "param": refusal.param,
            "code": refusal.kind if refusal.directed else refusal.code,
        }
    }


def broken_off(kind: str) -> bytes:
    """Write the event that ends a stream with an error."""
    message = "The server had an error while processing your request."
    error = {"message": message, "type": kind, "param": None, "code": None}
    return frame(encode({"error": error}))


def describe(error: ShapeError) -> Refusal:
    """Say what is wrong with a body's shape."""
    param = _spell(error.path)
    match error.problem:
        case "missing":
            message = f"Missing required parameter: '{param}'."
            code = "missing_required_parameter"
        case "unknown":
            message, code = f"Unknown parameter: '{param}'.", "unknown_parameter"
        case "type":
            message = (
                f"Invalid type for '{param}': expected {_article(error.expected)}, but got "
                f"{_article(_kind(error.value))} instead."
            )
            code = "invalid_type"
        case "value":
            shown = json.dumps(error.value)[:80]
            message = f"Invalid value for '{param}': expected {error.expected}, but got {shown}."
            code = "invalid_value"
    return Refusal(message, param=param or None, code=code)


def unsupported(name: str, because: str = "with this model") -> Refusal:
    """Refuse a parameter that the model does not know."""
    return Refusal(
        f"Unsupported parameter: '{name}' is not supported {because}.",
        param=name,
        code="unsupported_parameter",
    )


def _spell(path: Path) -> str:
    spelled = ""
    for key in path:
        if isinstance(key, int):
            spelled += f"[{key}]"
        else:
            spelled += f".{key}" if spelled else key
    return spelled


def _article(noun: str) -> str:
    if noun == "null":
        return noun
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "decimal"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
