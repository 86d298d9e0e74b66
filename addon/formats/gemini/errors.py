"""Errors before and within the answer, in and out.

Follows https://ai.google.dev/gemini-api/docs/troubleshooting and google.rpc.Status: an object
`{"error": {"code", "message", "status", "details"}}`, or an array of one for streams that are
JSON arrays.
"""

from __future__ import annotations

import re
from typing import Any

from addon.formats.base import Headers, RenderedError, header
from addon.neutral import ErrorInfo, ErrorKind
from addon.wire.codec import decode, encode
from addon.wire.provider_errors import kind_from_message, kind_from_status, retry_after
from addon.wire.reading import integer, mapping, sequence, text

KIND_FROM_STATUS_WORD: dict[str, ErrorKind] = {
    "INVALID_ARGUMENT": "invalid_request",
    "FAILED_PRECONDITION": "permission",
    "OUT_OF_RANGE": "invalid_request",
    "UNIMPLEMENTED": "unsupported",
    "UNAUTHENTICATED": "authentication",
    "PERMISSION_DENIED": "permission",
    "NOT_FOUND": "not_found",
    "ABORTED": "conflict",
    "ALREADY_EXISTS": "conflict",
    "RESOURCE_EXHAUSTED": "rate_limit",
    "UNAVAILABLE": "overloaded",
    "DEADLINE_EXCEEDED": "timeout",
    "CANCELLED": "server_error",
    "INTERNAL": "server_error",
    "UNKNOWN": "server_error",
    "DATA_LOSS": "server_error",
}

STATUS_FROM_KIND: dict[ErrorKind, tuple[int, str]] = {
    "invalid_request": (400, "INVALID_ARGUMENT"),
    "unsupported": (400, "INVALID_ARGUMENT"),
    "authentication": (401, "UNAUTHENTICATED"),
    "permission": (403, "PERMISSION_DENIED"),
    "billing": (429, "RESOURCE_EXHAUSTED"),
    "not_found": (404, "NOT_FOUND"),
    "conflict": (409, "ABORTED"),
    "too_large": (413, "INVALID_ARGUMENT"),
    "context_length": (400, "INVALID_ARGUMENT"),
    "content_policy": (400, "INVALID_ARGUMENT"),
    "rate_limit": (429, "RESOURCE_EXHAUSTED"),
    "overloaded": (503, "UNAVAILABLE"),
    "timeout": (504, "DEADLINE_EXCEEDED"),
    "unreachable": (502, "UNAVAILABLE"),
    "cut": (502, "UNAVAILABLE"),
    "server_error": (500, "INTERNAL"),
}

_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_PRECISE_KINDS = ("context_length", "billing", "authentication")


def parse_error(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read an error answer of whatever shape."""
    wire = _first_object(body)
    if wire is None:
        words = body[:500].decode("utf-8", "replace").strip()
        wire = {"error": {"message": words or f"the provider answered {status}"}}
    info = parse_error_object(wire, status)
    delay = info.retry_after if info.retry_after is not None else retry_after(headers)
    return ErrorInfo(
        info.kind,
        info.message,
        status,
        info.code,
        retry_after=delay,
        request_id=header(headers, "x-goog-request-id") or header(headers, "x-request-id"),
    )


def parse_error_object(wire: dict[str, Any], status: int | None) -> ErrorInfo:
    """Read the JSON object of an error, from an error answer or from within a stream."""
    error = mapping(wire.get("error"))
    message = text(error.get("message")) or text(wire.get("error")) or text(wire.get("message"))
    word = text(error.get("status"))
    code = integer(error.get("code"))
    status = status if status is not None else code
    kind = KIND_FROM_STATUS_WORD.get(word)
    if kind in (None, "server_error") and status is not None and status >= 400:
        kind = kind_from_status(status)
    if kind in (None, "invalid_request", "rate_limit"):
        precise = kind_from_message(message)
        # Every exhausted quota, that of one minute too, speaks of plan and billing.
        if precise in _PRECISE_KINDS and not (kind == "rate_limit" and _retry_delay(error)):
            kind = precise
    return ErrorInfo(
        kind or "server_error",
        message or "the provider reported an error",
        status,
        word or None,
        retry_after=_retry_delay(error),
    )


def find_error(body: bytes) -> ErrorInfo | None:
    """Return the error that a body with status 200 holds, if it holds one."""
    wire = _first_object(body)
    if wire is None or not wire.get("error"):
        return None
    return parse_error_object(wire, None)


def error_object(error: ErrorInfo) -> dict[str, Any]:
    """Write the JSON object of an error, for an error answer or for a stream."""
    status, word = STATUS_FROM_KIND[error.kind]
    wire: dict[str, Any] = {"code": status, "message": error.message, "status": word}
    if error.retry_after is not None:
        delay = f"{error.retry_after:g}s"
        wire["details"] = [{"@type": _RETRY_INFO, "retryDelay": delay}]
    return {"error": wire}


def render_error(error: ErrorInfo) -> RenderedError:
    """Write an error the way the Gemini API would."""
    headers: list[tuple[str, str]] = [("content-type", "application/json; charset=UTF-8")]
    if error.retry_after is not None:
        headers.append(("retry-after", f"{error.retry_after:g}"))
    if error.request_id:
        headers.append(("x-request-id", error.request_id))
    status = STATUS_FROM_KIND[error.kind][0]
    return RenderedError(status, tuple(headers), encode(error_object(error)))


def _first_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = decode(body)
    except ValueError:
        return None
    return mapping(next(iter(sequence(value)), value)) or None


def _retry_delay(error: dict[str, Any]) -> float | None:
    for detail in map(mapping, sequence(error.get("details"))):
        match = _SECONDS.fullmatch(text(detail.get("retryDelay")))
        if match is not None:
            return float(match[1])
    return None
