"""Read tools and the choice among them.

Follows https://docs.anthropic.com/en/api/messages (`tools`, `tool_choice`).
"""

from __future__ import annotations

from typing import Any, Literal

from addon.formats.anthropic.client_tools import client_tool
from addon.formats.anthropic.content import NAME, parse_cache_control
from addon.neutral import (
    ClientRequestError,
    CodeExecutionTool,
    HostedTool,
    NativeTool,
    Tool,
    ToolChoice,
    WebSearchTool,
)
from addon.wire.codec import encode_text
from addon.wire.reading import integer, mapping, sequence, text
from addon.wire.readings import Readings
from addon.wire.unread import Unread

_KNOWN = frozenset((
    "cache_control", "description", "eager_input_streaming", "input_examples", "input_schema",
    "name", "strict", "type",
))  # fmt: skip
"""Everywhere else calls are streamed eagerly."""
_KNOWN_OF_SEARCH = frozenset((
    "allowed_domains", "blocked_domains", "max_uses", "name", "type", "user_location"
))  # fmt: skip
_KNOWN_OF_CODE = frozenset(("name", "type"))
_KNOWN_OF_PLACE = frozenset(("city", "country", "region", "timezone", "type"))
_KNOWN_OF_CHOICE = frozenset(("disable_parallel_tool_use", "name", "type"))
_FEW_SEARCHES, _SOME_SEARCHES = 1, 5


type _AnyTool = Tool | HostedTool | NativeTool

_readings: Readings[tuple[_AnyTool, ...]] = Readings()


def parse_encoded_tools(data: bytes, unread: Unread) -> tuple[_AnyTool, ...]:
    """Read the tools; like `parse_tools`, but what was read before is not read again.

    Raises:
        ClientRequestError: A tool has no name.
        NotJson: They are not even JSON by strict rules.
    """
    return _readings.read(data, None, unread, parse_tools)


def parse_tools(value: object, unread: Unread) -> tuple[_AnyTool, ...]:
    """Read the tools.

    Args:
        value: What the request holds under `tools`.
        unread: Receives what the hub has no word for.

    Raises:
        ClientRequestError: A tool has no name.
    """
    return tuple(
        _parse_tool(mapping(tool), f"tools.{index}", unread)
        for index, tool in enumerate(sequence(value))
    )


def parse_choice(choice: dict[str, Any], unread: Unread) -> ToolChoice | None:
    """Read `tool_choice`."""
    if not choice:
        return None
    unread.look(choice, _KNOWN_OF_CHOICE, "tool_choice")
    match choice.get("type"):
        case "tool":
            return ToolChoice("tool", text(choice.get("name")))
        case "auto":
            return ToolChoice("auto")
        case "none":
            return ToolChoice("none")
        case "any":
            return ToolChoice("required")
        case other:
            unread.lose("tool_choice", other)
            return None


def _parse_tool(wire: dict[str, Any], path: str, unread: Unread) -> _AnyTool:
    kind = text(wire.get("type"))
    if kind.startswith("web_search_"):
        return _parse_web_search(wire, unread)
    if kind.startswith("code_execution_"):
        unread.look(wire, _KNOWN_OF_CODE, "tools.code_execution")
        return CodeExecutionTool()
    if (tool := client_tool(kind, wire, unread)) is not None:
        return tool
    if kind not in ("", "custom"):
        return NativeTool(NAME, kind, wire)
    name = wire.get("name")
    if not isinstance(name, str):
        raise ClientRequestError(f"{path}.name: Field required", path)
    unread.look(wire, _KNOWN, "tools")
    words = [text(wire.get("description"))]
    words += [
        f"Example of its input: {encode_text(example)}"
        for example in sequence(wire.get("input_examples"))
    ]
    return Tool(
        name=name,
        description="\n\n".join(filter(None, words)) or None,
        input_schema=mapping(wire.get("input_schema")) or None,
        strict=True if wire.get("strict") is True else None,
        cache_breakpoint=parse_cache_control(wire),
    )


def _parse_web_search(wire: dict[str, Any], unread: Unread) -> WebSearchTool:
    unread.look(wire, _KNOWN_OF_SEARCH, "tools.web_search")
    location = mapping(wire.get("user_location"))
    unread.look(location, _KNOWN_OF_PLACE, "tools.web_search.user_location")
    return WebSearchTool(
        _context_size(integer(wire.get("max_uses"))),
        allowed_domains=tuple(map(text, sequence(wire.get("allowed_domains")))),
        blocked_domains=tuple(map(text, sequence(wire.get("blocked_domains")))),
        city=text(location.get("city")) or None,
        region=text(location.get("region")) or None,
        country=text(location.get("country")) or None,
        timezone=text(location.get("timezone")) or None,
    )


def _context_size(searches: int | None) -> Literal["low", "medium", "high"] | None:
    if searches is None:
        return None
    if searches <= _FEW_SEARCHES:
        return "low"
    return "medium" if searches <= _SOME_SEARCHES else "high"
