"""Errors that come in the place of an answer; their shapes are `addon.wire.openai_errors`'s."""

from __future__ import annotations

from typing import Any

from addon.neutral import ErrorInfo
from addon.wire.openai_errors import decode_any, parse_error_object
from addon.wire.reading import mapping, text


def find_error(body: bytes) -> ErrorInfo | None:
    """Return the error that a body with status 200 holds, if it holds one."""
    wire = decode_any(body)
    return None if wire is None else find_error_object(wire)


def find_error_object(wire: dict[str, Any]) -> ErrorInfo | None:
    """Return the error that an object is that came in the place of a response."""
    if wire.get("status") == "failed" or (wire.get("error") and "output" not in wire):
        return parse_failure(wire)
    if "output" in wire or "status" in wire or wire.get("object") == "response":
        return None
    if any(wire.get(key) for key in ("message", "detail", "errors", "msg")):
        return parse_error_object(wire)
    return None


def parse_failure(wire: dict[str, Any]) -> ErrorInfo:
    """Read the error of a failed response, or of an `error` event, nested or flat."""
    error = mapping(wire.get("error"))
    if error or text(wire.get("error")):
        return parse_error_object(wire)
    if wire.get("message"):
        return parse_error_object({key: wire[key] for key in wire if key != "type"})
    return ErrorInfo("server_error", "the provider failed without saying why")
