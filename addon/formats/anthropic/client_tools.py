"""Tools that Anthropic trains its models on and the agent itself runs, as plain functions.

`bash_*`, `text_editor_*`, `memory_*` and `computer_*` have no schema on the wire: the model knows
what they take (https://docs.anthropic.com/en/docs/agents-and-tools/tool-use). Other models have to
be told, and then their calls have the shape that the agent expects.
"""

from __future__ import annotations

from typing import Any

from addon.formats.anthropic.content import parse_cache_control
from addon.neutral import Tool
from addon.wire.reading import integer, text
from addon.wire.unread import Unread

type Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer"}
_RANGE: Schema = {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2}
_KNOWN = frozenset((
    "cache_control", "display_height_px", "display_width_px", "name", "type"
))  # fmt: skip


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _editing(*commands: str, **further: Schema) -> Schema:
    """Return the schema of a tool that works on files."""
    properties: Schema = {
        "command": {"type": "string", "enum": list(commands)},
        "path": {**_TEXT, "description": "Absolute path of the file or folder."},
        "view_range": {**_RANGE, "description": "For view: the first and the last line."},
        "file_text": {**_TEXT, "description": "For create: the content of the file."},
        "old_str": {**_TEXT, "description": "For str_replace: the text to replace, found once."},
        "new_str": {**_TEXT, "description": "For str_replace: what to put in its place."},
        "insert_line": {**_COUNT, "description": "For insert: the line to insert after."},
        "insert_text": {**_TEXT, "description": "For insert: the text to insert."},
    }
    return _object({**properties, **further}, "command")


_MOUSE = (
    *("key", "type", "mouse_move", "left_click", "left_click_drag", "right_click"),
    *("middle_click", "double_click", "triple_click", "screenshot", "cursor_position"),
    *("left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait", "zoom"),
)
_KINDS: tuple[tuple[str, str, Schema], ...] = (
    (
        "bash_",
        "Run commands in a persistent bash session on the user's machine.",
        _object({"command": _TEXT, "restart": {"type": "boolean"}}),
    ),
    (
        "text_editor_",
        "View, create and edit text files on the user's machine.",
        _editing("view", "create", "str_replace", "insert"),
    ),
    (
        "memory_",
        "Keep notes in files under /memories, which outlive the conversation.",
        _editing(
            *("view", "create", "str_replace", "insert", "delete", "rename"),
            old_path=_TEXT,
            new_path=_TEXT,
        ),
    ),
    (
        "computer_2",
        "Use the user's computer by screen, mouse and keyboard.",
        _object(
            {
                "action": {"type": "string", "enum": list(_MOUSE)},
                "coordinate": {**_RANGE, "description": "Where on the screen, x and y in pixels."},
                "start_coordinate": {**_RANGE, "description": "For drags: where from."},
                "region": {"type": "array", "items": _COUNT, "description": "For zoom: corners."},
                "text": {**_TEXT, "description": "What to type, or which keys."},
                "scroll_direction": {"type": "string", "enum": ["up", "down", "left", "right"]},
                "scroll_amount": _COUNT,
                "duration": {"type": "number", "description": "Seconds."},
            },
            "action",
        ),
    ),
)


def client_tool(kind: str, wire: dict[str, Any], unread: Unread) -> Tool | None:
    """Return the function that stands for a tool of the agent's; None for any other kind.

    Args:
        kind: The tool's type, such as `bash_20250124`.
        wire: The tool.
        unread: Receives settings that no function has.
    """
    for prefix, description, schema in _KINDS:
        if kind.startswith(prefix):
            unread.look(wire, _KNOWN, f"tools.{kind}")
            width, height = integer(wire.get("display_width_px")), wire.get("display_height_px")
            if width:
                description += f" The screen is {width} pixels wide and {height} high."
            name = text(wire.get("name")) or kind.rpartition("_")[0]
            return Tool(name, description, schema, cache_breakpoint=parse_cache_control(wire))
    return None
