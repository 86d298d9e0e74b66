"""Write tools and the choice among them."""

from __future__ import annotations

from typing import Any

import msgspec

from addon.formats.openai_responses.content_parsing import NAME
from addon.formats.openai_responses.content_rendering import Block
from addon.formats.openai_responses.dialects import Dialect
from addon.neutral import (
    CodeExecutionTool,
    LossList,
    NativeTool,
    Request,
    Tool,
    ToolChoice,
    WebSearchTool,
)
from addon.wire.custom_tools import wrapper_description, wrapper_schema
from addon.wire.tool_schemas import EMPTY, is_strict


class RenderedTools(msgspec.Struct, frozen=True):
    """What a request says about tools."""

    tools: list[Block]
    choice: str | Block | None = None


def render_tools(request: Request, dialect: Dialect, losses: LossList) -> RenderedTools:
    """Write the tools that the provider knows and the choice among them."""
    tools: list[Block] = []
    kinds: dict[str, str] = {}
    for tool in request.tools:
        match tool:
            case Tool():
                block = _render_tool(tool, dialect, losses)
                kinds[tool.name] = block["type"]
                tools.append(block)
            case WebSearchTool() if dialect.web_search:
                tools.append(_render_web_search(tool))
            case WebSearchTool():
                losses.dropped("web_search", "the provider does not search the web")
            case CodeExecutionTool() if dialect.code_interpreter is not None:
                tools.append({"type": "code_interpreter", **dialect.code_interpreter})
            case CodeExecutionTool():
                losses.dropped("tools.code_execution", "the provider runs no code")
            case NativeTool(format, _, data) if format == NAME:
                tools.append(dict(data))
            case NativeTool(_, kind, _):
                losses.dropped(f"tools.{kind}", "exists at its own provider only")
    choice = request.tool_choice
    if choice is None:
        return RenderedTools(tools)
    if not tools:
        if choice.mode in ("required", "tool"):
            losses.dropped("tool_choice", "no tool is left to choose")
        return RenderedTools(tools)
    return RenderedTools(tools, _render_choice(choice, kinds, losses))


def _render_tool(tool: Tool, dialect: Dialect, losses: LossList) -> Block:
    if tool.kind == "custom" and dialect.custom_tools:
        return _render_custom(tool)
    description, schema = tool.description, tool.input_schema or EMPTY
    if tool.kind == "custom":
        losses.emulated("tools.custom", "offered as a function with one text argument")
        description, schema = wrapper_description(tool), wrapper_schema()
    block: Block = {"type": "function", "name": tool.name}
    if description:
        block["description"] = description
    block["parameters"] = schema
    strict = tool.strict is True and is_strict(schema)
    if tool.strict and not (strict and dialect.strict):
        losses.dropped("tools.strict", "arguments follow the schema without a guarantee")
    if dialect.strict:
        block["strict"] = strict  # left out, the API would try, and change the schema
    return block


def _render_custom(tool: Tool) -> Block:
    block: Block = {"type": "custom", "name": tool.name}
    if tool.description:
        block["description"] = tool.description
    if tool.grammar is not None:
        block["format"] = {
            "type": "grammar",
            "syntax": tool.grammar.syntax,
            "definition": tool.grammar.definition,
        }
    return block


def _render_web_search(tool: WebSearchTool) -> Block:
    block: dict[str, Any] = {"type": "web_search"}
    filters = {
        key: list(domains)
        for key, domains in (
            ("allowed_domains", tool.allowed_domains),
            ("blocked_domains", tool.blocked_domains),
        )
        if domains
    }
    if filters:
        block["filters"] = filters
    if tool.context_size:
        block["search_context_size"] = tool.context_size
    place = {
        key: value
        for key in ("city", "region", "country", "timezone")
        if (value := getattr(tool, key))
    }
    if place:
        block["user_location"] = {"type": "approximate", **place}
    return block


def _render_choice(choice: ToolChoice, kinds: dict[str, str], losses: LossList) -> str | Block:
    if choice.allowed is not None:
        tools = [{"type": kinds[name], "name": name} for name in choice.allowed if name in kinds]
        if tools:
            return {"type": "allowed_tools", "mode": choice.mode, "tools": tools}
        losses.dropped("tool_choice.allowed_tools", "none of them is offered")
        return "none"
    if choice.mode != "tool":
        return choice.mode
    name = choice.name or ""
    if name not in kinds:
        losses.dropped("tool_choice", "it names a tool that is not offered")
        return "auto"
    return {"type": kinds[name], "name": name}
