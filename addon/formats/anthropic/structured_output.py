"""An answer in a shape that the agent prescribes.

Three ways, in this order, all giving the agent plain text that is one JSON value:

1. `output_config.format`, where the model compiles the schema
2. a tool that the model must call; `STRUCTURED_OUTPUT_TOOL` marks it, and the readers of answers
   turn its arguments back into text
3. words in the system prompt

The prompt's additions depend on the wish alone, so they do not move between turns.
"""

from __future__ import annotations

from typing import Any

import msgspec

from addon.formats.anthropic.content import Block
from addon.formats.anthropic.models import ClaudeModel
from addon.formats.anthropic.schema import restrict
from addon.formats.anthropic.tools import Tools
from addon.neutral import LossList, ResponseFormat
from addon.wire.codec import encode_text

STRUCTURED_OUTPUT_TOOL = "detour_structured_output"
"""Name of the tool whose arguments are the answer's text."""


class StructuredOutput(msgspec.Struct, frozen=True):
    """The fields that a request gets."""

    output_format: dict[str, Any] | None = None
    """For `output_config.format`."""
    system: str | None = None
    tool: Block | None = None
    """The only tool, to be forced."""


def render_structured_output(
    wish: ResponseFormat | None, model: ClaudeModel, tools: Tools, losses: LossList
) -> StructuredOutput:
    """Choose the way to the shape that the agent wants."""
    if wish is None or wish.kind == "text":
        return StructuredOutput()
    if wish.kind == "json_object" or wish.schema is None:
        losses.emulated("response_format", "a JSON answer is asked for in the system prompt")
        return StructuredOutput(
            system="Answer with one JSON object and nothing else: no prose, no code fence."
        )
    restricted = restrict(wish.schema) if model.structured_output else None
    if restricted is not None:
        if restricted != wish.schema:
            losses.approximated(
                "response_format.json_schema", "keywords the provider lacks became descriptions"
            )
        return StructuredOutput({"type": "json_schema", "schema": restricted})
    if not tools.tools and model.forced_tool_choice and wish.schema.get("type") == "object":
        losses.emulated("response_format.json_schema", "the answer is a forced tool call")
        description = wish.description or "Give the answer as this tool's arguments."
        return StructuredOutput(
            tool={
                "name": STRUCTURED_OUTPUT_TOOL,
                "description": description,
                "input_schema": wish.schema,
            }
        )
    losses.emulated("response_format.json_schema", "the schema is given in the system prompt")
    return StructuredOutput(
        system="Answer with one JSON value and nothing else: no prose, no code fence. "
        f"It must match this JSON Schema:\n{encode_text(wish.schema)}"
    )
