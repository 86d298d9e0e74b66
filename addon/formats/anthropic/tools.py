"""Tool definitions and tool choice, from the hub to the wire.

Follows https://docs.anthropic.com/en/docs/agents-and-tools/tool-use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from addon.formats.anthropic.content import NAME, Block, with_cache_control
from addon.formats.anthropic.models import ClaudeModel
from addon.formats.anthropic.schema import tool_schema
from addon.neutral import (
    CodeExecutionTool,
    LossList,
    Message,
    NativeTool,
    Request,
    Tool,
    ToolCallPart,
    ToolChoice,
    UnsupportedFeature,
    WebSearchTool,
)
from addon.wire.custom_tools import wrapper_description, wrapper_schema

PLACEHOLDER_TOOL: Block = {
    "name": "unavailable_tool",
    "description": "Stands for tools used earlier in this conversation. It cannot be called.",
    "input_schema": {"type": "object", "properties": {}},
}
"""Sent when the history holds tool calls but the agent offers no tools: the API demands some."""

_LEGAL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_CODE_EXECUTION: Block = {"type": "code_execution_20250825", "name": "code_execution"}
_MAX_SEARCHES = {"low": 1, "medium": 5, "high": 10}


class Tools(msgspec.Struct, frozen=True):
    """The fields that a request gets."""

    tools: list[Block]
    choice: dict[str, Any] | None = None
    instruction: str | None = None
    """What to ask in words because the model refuses a forced choice."""

    @property
    def forced(self) -> bool:
        """Whether the model must call a tool."""
        return self.choice is not None and self.choice["type"] in ("any", "tool")


def render_tools(request: Request, model: ClaudeModel, losses: LossList) -> Tools:
    """Write the tools and the choice among them.

    Raises:
        UnsupportedFeature: A tool's name is one that the API refuses.
    """
    choice = request.tool_choice
    allowed = choice.allowed if choice is not None else None
    tools: list[Block] = []
    for tool in request.tools:
        match tool:
            case Tool():
                if allowed is None or tool.name in allowed:
                    tools.append(_render_tool(tool, losses))
            case WebSearchTool():
                tools.append(_render_web_search(tool, losses))
            case CodeExecutionTool():
                tools.append(dict(_CODE_EXECUTION))
            case NativeTool(format, _, data) if format == NAME:
                tools.append(dict(data))
            case NativeTool(_, kind, _):
                losses.dropped(f"tools.{kind}", "exists at its own provider only")
    if not tools:
        return _without_tools(request, losses)
    if allowed is not None:
        losses.approximated("tool_choice.allowed_tools", "the other tools are not offered")
    return _with_choice(tools, choice, request.parallel_tool_calls, model, losses)


def _render_tool(tool: Tool, losses: LossList) -> Block:
    if not _LEGAL_NAME.fullmatch(tool.name):
        raise UnsupportedFeature(
            "tools.name", f"Anthropic takes 1-128 letters, digits, `_`, `-`, not {tool.name!r}"
        )
    block: Block = {"name": tool.name}
    if tool.kind == "custom":
        losses.emulated("tools.custom", "offered as a function with one text argument")
        if description := wrapper_description(tool):
            block["description"] = description
        block["input_schema"] = wrapper_schema()
        return with_cache_control(block, tool.cache_breakpoint)
    if tool.description:
        block["description"] = tool.description
    block["input_schema"] = tool_schema(tool.input_schema)
    if tool.strict:
        # Strict tools share the limits of structured output, and too many are refused.
        losses.dropped("tools.strict", "arguments follow the schema without a guarantee")
    return with_cache_control(block, tool.cache_breakpoint)


def _render_web_search(tool: WebSearchTool, losses: LossList) -> Block:
    block: Block = {"type": "web_search_20250305", "name": "web_search"}
    if tool.context_size:
        block["max_uses"] = _MAX_SEARCHES[tool.context_size]
    if tool.allowed_domains:
        block["allowed_domains"] = list(tool.allowed_domains)
        if tool.blocked_domains:
            losses.dropped("tools.web_search.blocked_domains", "Anthropic takes one list of two")
    elif tool.blocked_domains:
        block["blocked_domains"] = list(tool.blocked_domains)
    location = {
        key: value
        for key in ("city", "region", "country", "timezone")
        if (value := getattr(tool, key))
    }
    if location:
        block["user_location"] = {"type": "approximate", **location}
    return block


def _without_tools(request: Request, losses: LossList) -> Tools:
    choice = request.tool_choice
    if choice is not None and choice.mode in ("required", "tool"):
        losses.dropped("tool_choice", "no tool is left to choose")
    if not _history_has_calls(request.messages):
        return Tools([])
    losses.emulated("tools", "the history has tool calls, so a placeholder tool is offered")
    return Tools([PLACEHOLDER_TOOL], {"type": "none"})


def _history_has_calls(messages: Iterable[Message]) -> bool:
    return any(isinstance(part, ToolCallPart) for message in messages for part in message.parts)


def _with_choice(
    tools: list[Block],
    choice: ToolChoice | None,
    parallel: bool | None,
    model: ClaudeModel,
    losses: LossList,
) -> Tools:
    wire: dict[str, Any] | None = None
    instruction: str | None = None
    names = {tool.get("name") for tool in tools}
    match choice:
        case None:
            pass
        case ToolChoice("none"):
            return Tools(tools, {"type": "none"})
        case ToolChoice("auto"):
            wire = {"type": "auto"}
        case ToolChoice("required"):
            wire = {"type": "any"}
            instruction = "Answer by calling one of the tools."
        case ToolChoice(_, name) if name in names:
            wire = {"type": "tool", "name": name}
            instruction = f"Answer by calling the tool `{name}`."
        case ToolChoice():
            losses.dropped("tool_choice", "it names a tool that is not offered")
    if instruction is not None and not model.forced_tool_choice:
        losses.approximated("tool_choice", "the model refuses a forced call; it is asked in words")
        wire = {"type": "auto"}
    else:
        instruction = None
    if parallel is False:
        wire = {**(wire or {"type": "auto"}), "disable_parallel_tool_use": True}
    return Tools(tools, wire, instruction)
