"""How an answer ends: Gemini's words and the hub's.

Follows https://ai.google.dev/api/generate-content#FinishReason. Clients that ask for
`enum-encoding=int` get numbers, those of the API's protocol buffers.
"""

from __future__ import annotations

from typing import Any

from addon.neutral import ErrorInfo, FinishReason

_NUMBERED = (
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
)
_NUMBERED_BLOCKS = (
    "BLOCK_REASON_UNSPECIFIED",
    "SAFETY",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "IMAGE_SAFETY",
)

_FROM_WIRE: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
}

_TO_WIRE: dict[FinishReason, str] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "error": "OTHER",
    "other": "OTHER",
}


def read_reason(value: object) -> str:
    """Return a `finishReason` in words; empty when the value is none."""
    return _read_enum(value, _NUMBERED)


def read_block_reason(value: object) -> str:
    """Return a `promptFeedback.blockReason` in words; empty when the value is none."""
    return _read_enum(value, _NUMBERED_BLOCKS)


def finish_reason(wire: str, *, called: bool) -> FinishReason:
    """Name in neutral words why the model stopped.

    Args:
        wire: Gemini's word; empty when it ended its answer without one.
        called: Whether the answer holds tool calls, which Gemini ends with `STOP` too.
    """
    reason = _FROM_WIRE.get(wire, "other") if wire else "stop"
    return "tool_calls" if called and reason in ("stop", "other") else reason


def broken_answer(wire: str, explanation: str) -> ErrorInfo | None:
    """Return the error that a finish reason stands for, or None for an orderly end.

    A call that the model botched leaves nothing to act on; an agent told `stop` would end its work.
    """
    if _FROM_WIRE.get(wire) != "error":
        return None
    words = explanation or f"the model gave up on its answer ({wire})"
    return ErrorInfo("server_error", words, code=wire)


def render_finish_reason(reason: FinishReason) -> str:
    """Name in Gemini's words why the model stopped."""
    return _TO_WIRE[reason]


def _read_enum(value: Any, words: tuple[str, ...]) -> str:  # noqa: ANN401 - from the wire
    if type(value) is str:
        return value
    if type(value) is int:
        return words[value] if 0 <= value < len(words) else "OTHER"
    return ""
