"""Custom (free text) tools where the provider knows functions only.

A custom tool, such as Codex' `apply_patch`, takes verbatim text in a language of its own. It is
offered as a function with one string argument; the model's JSON arguments are unwrapped on the way
back, character by character in a stream.
"""

from __future__ import annotations

from typing import Any

from addon.neutral import Tool

INPUT = "input"
"""Name of the one argument."""


def wrapper_schema() -> dict[str, Any]:
    """Return the schema of the function that stands for a custom tool."""
    return {
        "type": "object",
        "properties": {
            INPUT: {"type": "string", "description": "Raw tool input, no JSON, no code fence"}
        },
        "required": [INPUT],
        "additionalProperties": False,
    }


def wrapper_description(tool: Tool) -> str:
    """Return the tool's description with the language that its input must follow."""
    words = tool.description or ""
    if tool.grammar is None:
        return words
    rule = (
        f"The value of `{INPUT}` is passed verbatim to the tool and must match this "
        f"{tool.grammar.syntax} grammar:\n{tool.grammar.definition}"
    )
    return f"{words}\n\n{rule}" if words else rule


def wrap_input(text: str) -> dict[str, Any]:
    """Return the function's arguments for a custom tool's input."""
    return {INPUT: text}
