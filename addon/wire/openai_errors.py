"""Errors of every shape that OpenAI-compatible providers send, and the one that agents know.

OpenAI sends `{"error": {"message", "type", "param", "code"}}`. Others send the error as a string or
a list, a flat object, `detail` as FastAPI does, or an object within an answer of status 200.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import msgspec

from addon.neutral import ErrorInfo, ErrorKind
from addon.wire.codec import decode, encode, encode_text
from addon.wire.provider_errors import (
    kind_from_message,
    kind_from_status,
    plain_words,
    presentable,
    retry_after,
)
from addon.wire.reading import integer, mapping, sequence, text

_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-ds-trace-id")
_DEEPEST_MESSAGE = 8
"""Levels below which nobody would look for a message."""
_STATUS = re.compile(r"[45]\d\d", re.ASCII)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")

_KIND_FROM_CODE: dict[str, ErrorKind] = {
    "context_length_exceeded": "context_length",
    "exceed_context_size_error": "context_length",
    "too_many_prompt_tokens": "context_length",
    "string_above_max_length": "context_length",
    "1261": "context_length",
    "insufficient_quota": "billing",
    "billing_not_active": "billing",
    "billing_hard_limit_reached": "billing",
    "1113": "billing",
    "invalid_prompt": "invalid_request",
    "invalid_api_key": "authentication",
    "authentication_error": "authentication",
    "model_not_found": "not_found",
    "not_found_error": "not_found",
    "deploymentnotfound": "not_found",
    "invalid_model": "not_found",
    "1211": "not_found",
    "content_filter": "content_policy",
    "content_policy_violation": "content_policy",
    "data_inspection_failed": "content_policy",
    "moderation_blocked": "content_policy",
    "1301": "content_policy",
    "rate_limit_exceeded": "rate_limit",
    "rate_limit_error": "rate_limit",
    "rate_limit_reached_error": "rate_limit",
    "1302": "rate_limit",
    "1303": "rate_limit",
    "1308": "rate_limit",
    "1305": "overloaded",
    "server_is_overloaded": "overloaded",
    "overloaded_error": "overloaded",
    "engine_overloaded_error": "overloaded",
    "unavailable_error": "overloaded",
    "request_too_large": "too_large",
    "permission_error": "permission",
    "permission_denied": "permission",
    "timeout": "timeout",
}
"""By `code` or `type`, whichever is known; the numbers are GLM's."""


_VAGUE: frozenset[ErrorKind | None] = frozenset(
    (None, "invalid_request", "too_large", "rate_limit", "server_error")
)
"""Meanings of a status that a message may make more precise."""


class _Rendition(NamedTuple):
    status: int
    type: str
    code: str | None = None


_RENDITIONS: dict[ErrorKind, _Rendition] = {
    "invalid_request": _Rendition(400, "invalid_request_error"),
    "unsupported": _Rendition(400, "invalid_request_error", "unsupported_parameter"),
    "authentication": _Rendition(401, "invalid_request_error", "invalid_api_key"),
    "permission": _Rendition(403, "permission_error"),
    "billing": _Rendition(429, "insufficient_quota", "insufficient_quota"),
    "not_found": _Rendition(404, "invalid_request_error", "model_not_found"),
    "conflict": _Rendition(409, "invalid_request_error"),
    "too_large": _Rendition(400, "invalid_request_error", "request_too_large"),
    "context_length": _Rendition(400, "invalid_request_error", "context_length_exceeded"),
    "content_policy": _Rendition(400, "invalid_request_error", "content_policy_violation"),
    "rate_limit": _Rendition(429, "rate_limit_error", "rate_limit_exceeded"),
    "overloaded": _Rendition(503, "server_error", "server_is_overloaded"),
    "timeout": _Rendition(504, "server_error", "timeout"),
    "unreachable": _Rendition(502, "server_error", "upstream_unreachable"),
    "cut": _Rendition(502, "server_error", "upstream_cut"),
    "server_error": _Rendition(500, "server_error"),
}


type Headers = tuple[tuple[str, str], ...]


def parse_error(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> ErrorInfo:
    """Read an error answer of whatever shape."""
    given = {name.lower(): value for name, value in headers}
    wire = decode_any(body)
    if wire is None:
        wire = {"message": plain_words(body)}
    info = parse_error_object(wire, status)
    request_id = next((given[name] for name in _REQUEST_ID_HEADERS if given.get(name)), None)
    return msgspec.structs.replace(
        info,
        retry_after=retry_after(given.items()) or info.retry_after,
        request_id=request_id or info.request_id,
    )


def parse_error_object(wire: dict[str, Any], status: int | None = None) -> ErrorInfo:
    """Read the JSON object of an error: the body of an answer, or an event of a stream."""
    error = mapping(wire.get("error")) or wire
    status = status or _status_within(error)
    code = _code(error.get("code"))
    message = presentable(_message(wire, error))
    if not message:
        message = f"the provider answered {status}" if status else "the provider reported an error"
    return ErrorInfo(
        _kind(status, code, _code(error.get("type")), message),
        message,
        status,
        code or _code(error.get("type")) or None,
        text(error.get("param")) or None,
        _retry_delay(error),
        text(wire.get("request_id")) or text(error.get("request_id")) or None,
    )


def error_object(error: ErrorInfo) -> dict[str, Any]:
    """Write the JSON object of an error, for an error answer or for a stream."""
    rendition = _RENDITIONS[error.kind]
    return {
        "error": {
            "message": error.message,
            "type": rendition.type,
            "param": error.param,
            "code": rendition.code or error.code,
        }
    }


def render_error(error: ErrorInfo) -> tuple[int, Headers, bytes]:
    """Write status, headers and body of an error the way OpenAI would."""
    status = _RENDITIONS[error.kind].status
    if error.kind == "server_error" and error.status is not None and 500 <= error.status < 512:
        status = error.status
    headers: list[tuple[str, str]] = [("content-type", "application/json")]
    if error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    if error.request_id:
        headers.append(("x-request-id", error.request_id))
    if error.kind == "billing":
        # The SDKs retry every 429 unless told not to.
        headers.append(("x-should-retry", "false"))
    return status, tuple(headers), encode(error_object(error))


def decode_any(body: bytes) -> dict[str, Any] | None:
    """Decode an error body, which may be an object, a list of one or a bare string."""
    try:
        value = decode(body)
    except ValueError:
        return None
    if isinstance(value, str) and value:
        return {"message": value}
    items = sequence(value)
    return mapping(items[0] if items else value) or None


def _kind(status: int | None, code: str, error_type: str, message: str) -> ErrorKind:
    kind = _KIND_FROM_CODE.get(code.lower()) or _KIND_FROM_CODE.get(error_type.lower())
    if kind == "rate_limit":
        return "billing" if kind_from_message(message) == "billing" else kind
    if kind is not None:
        return kind
    from_status = kind_from_status(status) if status is not None and status >= 400 else None
    if from_status in _VAGUE:
        return kind_from_message(message) or from_status or "server_error"
    return from_status or "server_error"


def _message(wire: dict[str, Any], error: dict[str, Any]) -> str:
    candidates = (error.get("message"), wire.get("error"), wire.get("detail"), error.get("msg"))
    for candidate in (*candidates, wire.get("errors"), wire.get("message")):
        if words := _words(candidate):
            raw = _words(mapping(error.get("metadata")).get("raw"))
            return f"{words}: {raw}" if raw and raw not in words else words
    return ""


def _words(value: object, depth: int = 0) -> str:
    """Find plain words in whatever stands where a message is due."""
    if isinstance(value, str):
        return value.strip()
    if depth > _DEEPEST_MESSAGE:
        return ""
    if type(value) is list:
        parts = [_words(item, depth + 1) for item in sequence(cast("object", value))]
        return "; ".join(words for words in parts if words)
    details = mapping(value)
    for key in ("message", "msg", "detail", "error"):
        if key in details and (words := _words(details[key], depth + 1)):
            place = ".".join(str(step) for step in sequence(details.get("loc")))
            return f"{place}: {words}" if place else words
    try:
        return encode_text(details) if details else ""
    except RecursionError:
        return ""


def _code(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)


def _status_within(error: dict[str, Any]) -> int | None:
    """Find an HTTP status that is given in the error itself, as OpenRouter and Groq do."""
    for key in ("status_code", "status", "code"):
        value = error.get(key)
        digits = text(value)
        status = int(digits) if _STATUS.fullmatch(digits) else integer(value)
        if status is not None and 400 <= status < 600:
            return status
    return None


def _retry_delay(error: dict[str, Any]) -> float | None:
    """Read Google's `RetryInfo`, such as `{"retryDelay": "17s"}`."""
    for detail in sequence(error.get("details")):
        if match := _SECONDS.fullmatch(text(mapping(detail).get("retryDelay"))):
            return float(match[1])
    return None
