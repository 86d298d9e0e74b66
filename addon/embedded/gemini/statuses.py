"""Errors as Google's APIs tell them: an HTTP status and the gRPC code that it stands for.

Page followed: https://cloud.google.com/apis/design/errors.
"""

from __future__ import annotations

from typing import Any

from addon.embedded.refusal import Refusal

_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
_STREAM_STATUSES = {
    "overloaded_error": 503,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 504,
    "UNAVAILABLE": 503,
    "RESOURCE_EXHAUSTED": 429,
    "DEADLINE_EXCEEDED": 504,
}
"""What ends a stream, in any format's words; everything else is an internal error."""
_DETAIL = "type.googleapis.com/google.rpc."


def error_body(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an error answer."""
    error: dict[str, Any] = {
        "code": refusal.status,
        "message": str(refusal),
        "status": refusal.kind if refusal.kind in _NAMES.values() else _name(refusal.status),
    }
    details: list[dict[str, Any]] = []
    if refusal.param is not None:
        violation = {"field": refusal.param, "description": str(refusal)}
        details.append({"@type": f"{_DETAIL}BadRequest", "fieldViolations": [violation]})
    if refusal.code is not None:
        info = {"reason": refusal.code, "domain": "googleapis.com"}
        details.append({"@type": f"{_DETAIL}ErrorInfo", **info})
    if refusal.retry_after is not None:
        delay = f"{refusal.retry_after:g}s"
        details.append({"@type": f"{_DETAIL}RetryInfo", "retryDelay": delay})
    if details:
        error["details"] = details
    return {"error": error}


def stream_refusal(kind: str) -> Refusal:
    """Make the error that breaks a stream off."""
    status = _STREAM_STATUSES.get(kind, 500)
    message = "The model is overloaded. Please try again later."
    if status == 500:
        message = "An internal error has occurred. Please retry."
    return Refusal(message, status=status)


def _name(status: int) -> str:
    return _NAMES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
