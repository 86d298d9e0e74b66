"""Errors that come in the place of a Chat answer; their shapes are `addon.wire.openai_errors`'s."""

from __future__ import annotations

from typing import Any

from addon.formats.openai_chat.finish_reasons import broken_answer
from addon.neutral import ErrorInfo
from addon.wire.openai_errors import decode_any, parse_error_object
from addon.wire.reading import mapping, sequence, text


def find_error_object(wire: dict[str, Any]) -> ErrorInfo | None:
    """Return the error that an object is that came in the place of an answer, if it is one."""
    if wire.get("error"):
        return parse_error_object(wire)
    if wire.get("choices"):
        return None
    base = mapping(wire.get("base_resp"))
    if base.get("status_code"):  # MiniMax
        return parse_error_object({"message": base.get("status_msg"), "code": base["status_code"]})
    flat = any(wire.get(key) for key in ("message", "detail", "errors", "msg"))
    if flat or "error" in (wire.get("object"), wire.get("type")):
        return parse_error_object(wire)
    return None


def find_error(body: bytes) -> ErrorInfo | None:
    """Return the error that a body with status 200 holds, if it holds one."""
    wire = decode_any(body)
    if wire is None:
        return None
    answers = sequence(wire.get("choices"))
    reason = text(mapping(answers[0]).get("finish_reason")) if answers else ""
    return find_error_object(wire) or broken_answer(reason)
