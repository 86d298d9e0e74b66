"""Built-in tools that the agent itself runs, as functions that any model can call.

`local_shell`, `shell`, `apply_patch` and the client-side `tool_search` have calls and results of
their own shape (https://platform.openai.com/docs/guides/tools). Here they are taken for functions
of the same name, whose arguments hold what the call's own fields say.
"""

from __future__ import annotations

from typing import Any

from addon.formats.openai_responses.tool_names import (
    APPLY_PATCH,
    LOCAL_SHELL,
    SHELL,
    TOOL_SEARCH,
    Route,
)
from addon.neutral import Tool
from addon.wire.codec import decode_object, encode_text
from addon.wire.reading import mapping, sequence, text

type Wire = dict[str, Any]


def _object(properties: Wire, *required: str) -> Wire:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_STRINGS: Wire = {"type": "array", "items": {"type": "string"}}
_COUNT: Wire = {"type": "integer"}

_DEFINITIONS: dict[str, Tool] = {
    "local_shell": Tool(
        LOCAL_SHELL,
        "Run a command on the user's machine and return its output.",
        _object(
            {
                "command": {**_STRINGS, "description": "The program and its arguments."},
                "timeout_ms": _COUNT,
                "working_directory": {"type": "string"},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "command",
        ),
    ),
    "shell": Tool(
        SHELL,
        "Run shell commands and return their output.",
        _object(
            {
                "commands": {**_STRINGS, "description": "Commands, run one after the other."},
                "timeout_ms": _COUNT,
                "max_output_length": _COUNT,
            },
            "commands",
        ),
    ),
    "apply_patch": Tool(
        APPLY_PATCH,
        "Create, change or delete one file.",
        _object(
            {
                "operation": _object(
                    {
                        "type": {"enum": ["create_file", "update_file", "delete_file"]},
                        "path": {"type": "string"},
                        "diff": {
                            "type": "string",
                            "description": "The change in V4A diff format; not for delete_file.",
                        },
                    },
                    "type",
                    "path",
                )
            },
            "operation",
        ),
    ),
}

_SEARCH_SCHEMA = _object({"query": {"type": "string"}, "limit": _COUNT}, "query")


def builtin_tool(kind: str, wire: Wire) -> tuple[Tool, Route] | None:
    """Return the function that stands for a built-in tool; None for those a provider runs."""
    if kind == "tool_search" and wire.get("execution") == "client":
        schema = mapping(wire.get("parameters")) or _SEARCH_SCHEMA
        words = text(wire.get("description")) or "Find further tools by what they do."
        return Tool(TOOL_SEARCH, words, schema), Route("tool_search", TOOL_SEARCH)
    tool = _DEFINITIONS.get(kind)
    if tool is None:
        return None
    match kind:
        case "local_shell":
            return tool, Route("local_shell", tool.name)
        case "shell":
            return tool, Route("shell", tool.name)
        case _:
            return tool, Route("apply_patch_builtin", tool.name)


def call_arguments(kind: str, item: Wire) -> str:
    """Write the arguments that stand for a built-in call of the history."""
    match kind:
        case "local_shell_call" | "shell_call":
            action = mapping(item.get("action"))
            arguments = {key: value for key, value in action.items() if key != "type"}
        case "apply_patch_call":
            arguments = {"operation": mapping(item.get("operation"))}
        case _:
            given = item.get("arguments")
            if isinstance(given, str):
                return given
            arguments = mapping(given)
    return encode_text(arguments)


def builtin_call(route: Route, item_id: str, call_id: str, arguments: str) -> Wire:
    """Write the finished item of a built-in call."""
    given = decode_object(arguments) or {}
    item: Wire = {"type": "", "id": item_id, "call_id": call_id, "status": "completed"}
    match route.kind:
        case "local_shell":
            command = given.get("command")
            words = command.split() if isinstance(command, str) else sequence(command)
            item["type"] = "local_shell_call"
            item["action"] = {
                **given,
                "type": "exec",
                "command": [str(word) for word in words],
                "env": mapping(given.get("env")),
            }
        case "shell":
            commands = given.get("commands")
            lines = [commands] if isinstance(commands, str) else sequence(commands)
            item["type"] = "shell_call"
            item["action"] = {
                "commands": [str(line) for line in lines],
                "timeout_ms": given.get("timeout_ms"),
                "max_output_length": given.get("max_output_length"),
            }
        case "apply_patch_builtin":
            item["type"] = "apply_patch_call"
            item["operation"] = mapping(given.get("operation")) or given
        case _:
            item["type"] = "tool_search_call"
            item["execution"] = "client"
            item["arguments"] = given
    return item
