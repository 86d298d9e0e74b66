"""Ask for JSON: in the provider's own way where it has one, in words where it has none."""

from __future__ import annotations

from typing import Any

import msgspec

from addon.formats.openai_chat.dialects import Dialect
from addon.neutral import LossList, Request, ResponseFormat
from addon.wire.codec import encode_text
from addon.wire.tool_schemas import is_strict

DEFAULT_NAME = "output"
"""Chat wants a name for every schema; other formats have none."""

OBJECT_INSTRUCTION = "Answer with one JSON object and nothing else."


class StructuredOutput(msgspec.Struct, frozen=True):
    """How a request asks for the shape of its answer."""

    response_format: dict[str, Any] | None = None
    instruction: str | None = None
    """What to add to the system prompt."""


def render_response_format(
    request: Request, provider: Dialect, has_tools: bool, losses: LossList
) -> StructuredOutput:
    """Write the answer's shape."""
    wish = request.response_format
    if wish is None or wish.kind == "text":
        return StructuredOutput()
    return ask_for_json(
        wish, provider, losses, alone=not has_tools and not request.stream, has_tools=has_tools
    )


def ask_for_json(
    wish: ResponseFormat, provider: Dialect, losses: LossList, *, alone: bool, has_tools: bool
) -> StructuredOutput:
    """Ask for JSON.

    Args:
        wish: The shape, JSON of some kind.
        provider: Who is asked.
        losses: Receives what cannot be guaranteed.
        alone: Whether there are neither tools nor a stream.
        has_tools: Whether there are tools.
    """
    strictly = provider.json_schema == "always" or (provider.json_schema == "alone" and alone)
    if wish.kind == "json_schema" and strictly:
        return StructuredOutput({"type": "json_schema", "json_schema": _schema(wish, losses)})
    mode: dict[str, Any] | None = {"type": "json_object"}
    if provider.json_mode == "json_schema":
        any_object = {"name": DEFAULT_NAME, "schema": {"type": "object"}}
        mode = {"type": "json_schema", "json_schema": any_object}
    if "response_format" in provider.refused or (provider.json_schema == "alone" and has_tools):
        mode = None
    if wish.kind == "json_object":
        if mode is not None:
            return StructuredOutput(mode)
        losses.emulated("response_format", "asked for in words")
        return StructuredOutput(None, OBJECT_INSTRUCTION)
    losses.emulated("response_format", "the schema is told in words, without a guarantee")
    return StructuredOutput(mode, _instruction(wish))


def _schema(wish: ResponseFormat, losses: LossList) -> dict[str, Any]:
    schema: dict[str, Any] = {"name": wish.name or DEFAULT_NAME}
    if wish.description is not None:
        schema["description"] = wish.description
    schema["schema"] = wish.schema or {}
    if wish.strict is not None:
        schema["strict"] = wish.strict and is_strict(schema["schema"])
        if wish.strict and not schema["strict"]:
            losses.dropped("response_format.strict", "the schema is not one that OpenAI enforces")
    return schema


def _instruction(wish: ResponseFormat) -> str:
    description = f" ({wish.description})" if wish.description else ""
    return (
        f"Answer with one JSON object{description} and nothing else, no code fence. "
        f"It must match this JSON Schema:\n{encode_text(wish.schema or {})}"
    )
