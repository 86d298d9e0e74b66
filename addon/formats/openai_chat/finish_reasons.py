"""Why the model stopped, in the words of Chat and of the providers that speak it."""

from __future__ import annotations

from addon.neutral import ErrorInfo, ErrorKind, FinishReason

_FROM_WIRE: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "repetition_truncation": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "sensitive": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "refusal": "content_filter",
    "error": "error",
    "abort": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
    "malformed_function_call": "error",
}

_TO_WIRE: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "error": "stop",
    "other": "stop",
}

_ERROR_KINDS: dict[str, ErrorKind] = {"insufficient_system_resource": "overloaded"}


def parse_finish_reason(wire: str, *, called: bool) -> FinishReason:
    """Name in neutral words why the model stopped.

    Args:
        wire: The provider's word; empty when it ended its answer without one.
        called: Whether the answer holds tool calls. Several providers then say `stop` all the
            same, and agents act on the reason.
    """
    reason = _FROM_WIRE.get(wire.lower(), "other") if wire else "stop"
    return "tool_calls" if called and reason in ("stop", "other") else reason


def render_finish_reason(reason: FinishReason, *, legacy: bool) -> str:
    """Name in Chat's words why the model stopped; `legacy` agents know `functions` only."""
    return "function_call" if legacy and reason == "tool_calls" else _TO_WIRE[reason]


def broken_answer(wire: str) -> ErrorInfo | None:
    """Return the error that a finish reason stands for, or None for an orderly end."""
    if _FROM_WIRE.get(wire.lower()) != "error":
        return None
    kind = _ERROR_KINDS.get(wire.lower(), "server_error")
    return ErrorInfo(kind, f"the provider gave up on its answer ({wire})", code=wire)
