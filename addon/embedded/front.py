"""What every format checks in a request before its body: method, type, coding, size, JSON."""

from __future__ import annotations

import msgspec

from addon.embedded.connection import ReceivedRequest
from addon.embedded.refusal import Refusal

LARGEST_BODY = 32 * 1024 * 1024


def bearer_key(request: ReceivedRequest) -> str:
    """Return the key of an `Authorization: Bearer` header; blank for none."""
    return (request.header("authorization") or "").removeprefix("Bearer ").strip()


def check_post(request: ReceivedRequest) -> None:
    """Check the method.

    Raises:
        Refusal: It is not POST.
    """
    if request.method != "POST":
        raise Refusal("Method Not Allowed", status=405)


def read_json(request: ReceivedRequest, largest: int = LARGEST_BODY) -> object:
    """Decode the body of a POST.

    Raises:
        Refusal: Type, coding, size or JSON is wrong.
    """
    content_type = request.header("content-type") or ""
    if not content_type.startswith("application/json"):
        raise Refusal("content-type: must be application/json", status=415)
    if (request.header("content-encoding") or "identity") != "identity":
        raise Refusal(
            "The request's content-encoding is not supported.",
            code="request_body_encoding_unsupported",
        )
    if len(request.body) > largest:
        raise Refusal("Request exceeds the maximum size", status=413, kind="request_too_large")
    try:
        return msgspec.json.decode(request.body)
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise Refusal(f"The request body is not valid JSON: {error}") from error
