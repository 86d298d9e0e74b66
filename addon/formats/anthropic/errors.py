"""Errors before the answer, in and out.

Follows https://docs.anthropic.com/en/api/errors. Providers that merely offer the format answer in
shapes of their own, so any JSON that holds a message will do.
"""

from __future__ import annotations

from typing import Any

from addon.formats.base import Headers, RenderedError, header
from addon.neutral import ErrorInfo, ErrorKind
from addon.wire.codec import decode_object, encode
from addon.wire.provider_errors import (
    kind_from_message,
    kind_from_status,
    plain_words,
    presentable,
    retry_after,
)
from addon.wire.reading import mapping, text

KIND_FROM_TYPE: dict[str, ErrorKind] = {
    "invalid_request_error": "invalid_request",
    "authentication_error": "authentication",
    "permission_error": "permission",
    "billing_error": "billing",
    "not_found_error": "not_found",
    "conflict_error": "conflict",
    "request_too_large": "too_large",
    "rate_limit_error": "rate_limit",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
    "api_error": "server_error",
}

STATUS_AND_TYPE_FROM_KIND: dict[ErrorKind, tuple[int, str]] = {
    "invalid_request": (400, "invalid_request_error"),
    "unsupported": (400, "invalid_request_error"),
    "authentication": (401, "authentication_error"),
    "permission": (403, "permission_error"),
    "billing": (402, "billing_error"),
    "not_found": (404, "not_found_error"),
    "conflict": (409, "conflict_error"),
    "too_large": (413, "request_too_large"),
    "context_length": (400, "invalid_request_error"),
    "content_policy": (400, "invalid_request_error"),
    "rate_limit": (429, "rate_limit_error"),
    "overloaded": (529, "overloaded_error"),
    "timeout": (504, "timeout_error"),
    "unreachable": (502, "api_error"),
    "cut": (502, "api_error"),
    "server_error": (500, "api_error"),
}


def parse_error(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read an error answer of whatever shape."""
    wire = decode_object(body)
    if wire is None:
        wire = {"error": {"message": plain_words(body) or f"the provider answered {status}"}}
    info = parse_error_object(wire, status)
    return ErrorInfo(
        info.kind,
        info.message,
        status,
        info.code,
        retry_after=retry_after(headers),
        request_id=header(headers, "request-id") or text(wire.get("request_id")) or None,
    )


def parse_error_object(wire: dict[str, Any], status: int | None) -> ErrorInfo:
    """Read the JSON object of an error, from an error answer or from within a stream."""
    error = mapping(wire.get("error"))
    words = text(error.get("message")) or text(wire.get("error")) or text(wire.get("message"))
    message = presentable(words) or "the provider reported an error"
    error_type = text(error.get("type"))
    kind = KIND_FROM_TYPE.get(error_type)
    if kind in (None, "server_error") and status is not None:
        kind = kind_from_status(status)
    if kind in (None, "invalid_request", "too_large", "rate_limit"):
        kind = kind_from_message(message) or kind
    return ErrorInfo(kind or "server_error", message, status, error_type or None)


def find_error(body: bytes) -> ErrorInfo | None:
    """Return the error that a body with status 200 holds, if it holds one."""
    wire = decode_object(body)
    if wire is None or (wire.get("type") != "error" and not wire.get("error")):
        return None
    return parse_error_object(wire, None)


def error_object(error: ErrorInfo) -> dict[str, Any]:
    """Write the JSON object of an error, for an error answer or for a stream."""
    message = error.message
    if error.kind == "context_length" and "prompt is too long" not in message:
        message = f"prompt is too long: {message}"  # the words that make agents compact
    wire: dict[str, Any] = {
        "type": "error",
        "error": {"type": STATUS_AND_TYPE_FROM_KIND[error.kind][1], "message": message},
    }
    if error.request_id:
        wire["request_id"] = error.request_id
    return wire


def render_error(error: ErrorInfo) -> RenderedError:
    """Write an error the way Anthropic would."""
    status = STATUS_AND_TYPE_FROM_KIND[error.kind][0]
    headers: list[tuple[str, str]] = [("content-type", "application/json")]
    if error.retry_after is not None:
        headers.append(("retry-after", f"{error.retry_after:g}"))
    if error.request_id:
        headers.append(("request-id", error.request_id))
    if error.kind == "billing":
        headers.append(("x-should-retry", "false"))
    return RenderedError(status, tuple(headers), encode(error_object(error)))
