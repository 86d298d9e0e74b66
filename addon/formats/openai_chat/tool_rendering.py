"""Write tools and the choice among them."""

from __future__ import annotations

from typing import Any

import msgspec

from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.content_rendering import Block, ContentRenderer
from addon.formats.openai_chat.dialects import Dialect
from addon.formats.openai_chat.reasoning import forceable
from addon.neutral import (
    CodeExecutionTool,
    LossList,
    NativeTool,
    Request,
    Tool,
    ToolChoice,
    ToolGrammar,
    WebSearchTool,
)
from addon.wire.custom_tools import wrapper_description, wrapper_schema
from addon.wire.openai_models import openai_model
from addon.wire.tool_schemas import is_strict, simplify


class RenderedTools(msgspec.Struct, frozen=True):
    """What a request says about tools."""

    tools: list[Block]
    choice: str | Block | None = None
    fields: Block = {}
    """Further fields, such as a provider's own way of searching the web."""

    @property
    def forced(self) -> bool:
        """Whether a call is forced."""
        return is_forced(self.choice)


def is_forced(choice: str | Block | None) -> bool:
    """Tell whether a choice leaves the model no way around a call."""
    if isinstance(choice, dict):
        return choice["type"] != "allowed_tools"
    return choice == "required"


def render_tools(
    request: Request, content: ContentRenderer, model: str, losses: LossList
) -> RenderedTools:
    """Write the tools that the provider knows and the choice among them."""
    dialect = content.dialect
    choice = request.tool_choice
    allowed = choice.allowed if choice is not None and not dialect.allowed_tools else None
    tools: list[Block] = []
    kinds: dict[str, str] = {}
    fields: Block = {}
    for tool in request.tools:
        match tool:
            case Tool() if allowed is None or tool.name in allowed:
                block = _render_tool(tool, content, losses)
                kinds[tool.name] = block["type"]
                tools.append(block)
            case WebSearchTool():
                _add_search(tool, content, model, tools, fields, losses)
            case CodeExecutionTool():
                losses.dropped("tools.code_execution", "Chat runs no code")
            case NativeTool(format, _, data) if format == NAME:
                tools.append(dict(data))
            case NativeTool(_, kind, _):
                losses.dropped(f"tools.{kind}", "exists at its own provider only")
            case Tool():
                losses.emulated("tool_choice.allowed_tools", "the other tools are not offered")
    if not kinds:
        if choice is not None and choice.mode in ("required", "tool"):
            losses.dropped("tool_choice", "no tool is left to choose")
        return RenderedTools(tools, fields=fields)
    fields |= _calling(request, dialect, losses)
    if choice is None:
        return RenderedTools(tools, fields=fields)
    return RenderedTools(tools, render_choice(choice, kinds, content, model, losses), fields)


def _render_tool(tool: Tool, content: ContentRenderer, losses: LossList) -> Block:
    dialect = content.dialect
    if tool.kind == "custom" and dialect.custom_tools:
        custom: dict[str, Any] = {"name": tool.name}
        if tool.description:
            custom["description"] = tool.description
        if tool.grammar is not None:
            custom["format"] = _grammar(tool.grammar)
        return {"type": "custom", "custom": custom}
    description, schema = tool.description, simplify(tool.input_schema, dialect.schemas)
    if tool.kind == "custom":
        losses.emulated("tools.custom", "offered as a function with one text argument")
        description, schema = wrapper_description(tool), wrapper_schema()
    function: dict[str, Any] = {"name": tool.name}
    if description:
        function["description"] = description
    function["parameters"] = schema
    if dialect.strict_tools and (tool.strict is False or (tool.strict and is_strict(schema))):
        function["strict"] = tool.strict
    elif tool.strict:
        losses.dropped("tools.strict", "arguments follow the schema without a guarantee")
    block: Block = {"type": "function", "function": function}
    if dialect.cache_markers == "cache_control":
        return content.with_marker(block, tool.cache_breakpoint)
    return block


def _grammar(grammar: ToolGrammar) -> Block:
    definition = {"syntax": grammar.syntax, "definition": grammar.definition}
    return {"type": "grammar", "grammar": definition}


def _calling(request: Request, dialect: Dialect, losses: LossList) -> Block:
    """Say how calls are to be made: one at a time or several, streamed or whole."""
    fields: Block = {}
    if request.parallel_tool_calls is False:
        if "parallel_tool_calls" in dialect.refused:
            losses.dropped("parallel_tool_calls", "the provider cannot be held to one call a time")
        else:
            fields["parallel_tool_calls"] = False
    elif not dialect.parallel_default:
        fields["parallel_tool_calls"] = True
    if dialect.tool_stream and request.stream:
        fields["tool_stream"] = True
    return fields


def render_choice(
    choice: ToolChoice,
    kinds: dict[str, str],
    content: ContentRenderer,
    model: str,
    losses: LossList,
) -> str | Block:
    """Write the choice among the tools whose `kinds` are given by name."""
    dialect = content.dialect
    limit = forceable(dialect, model)
    if choice.allowed is not None and dialect.allowed_tools:
        tools = [
            {"type": kinds[name], kinds[name]: {"name": name}}
            for name in choice.allowed
            if name in kinds
        ]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": tools}}
    match choice.mode:
        case "auto" | "none":
            return choice.mode
        case "tool" if choice.name not in kinds:
            losses.dropped("tool_choice", "it names a tool that is not offered")
            return "auto"
        case "tool" if dialect.named_choice and limit == "any":
            kind = kinds[choice.name or ""]
            return {"type": kind, kind: {"name": choice.name}}
        case "required" if not dialect.required_choice and len(kinds) == 1 and limit == "any":
            ((name, kind),) = kinds.items()
            return {"type": kind, kind: {"name": name}}
        case "tool" | "required" if dialect.required_choice and limit != "nothing":
            if choice.mode == "tool":
                losses.approximated("tool_choice", "the model takes no named choice: `required`")
            return "required"
        case "tool" | "required":
            losses.approximated("tool_choice", "the model cannot be forced to call: `auto`")
            return "auto"


def _add_search(
    tool: WebSearchTool,
    content: ContentRenderer,
    model: str,
    tools: list[Block],
    fields: Block,
    losses: LossList,
) -> None:
    """Ask the provider to search the web, each in its own way."""
    style = content.dialect.web_search
    if style == "openai" and openai_model(model).searches:
        fields["web_search_options"] = _search_options(tool, losses)
        return
    if style == "glm":
        tools.append({"type": "web_search", "web_search": {"enable": True}})
    elif style == "qwen":
        fields["enable_search"] = True
    elif style == "openrouter":
        fields["plugins"] = [{"id": "web"}]
    else:
        losses.dropped("web_search", "the model cannot search the web in this API")
        return
    if tool != WebSearchTool():
        losses.dropped("tools.web_search", "the provider's search cannot be narrowed")


def _search_options(tool: WebSearchTool, losses: LossList) -> Block:
    options: Block = {}
    for name in ("allowed_domains", "blocked_domains"):
        if getattr(tool, name):
            losses.dropped(f"tools.web_search.{name}", "Chat has no filters for its search")
    if tool.context_size:
        options["search_context_size"] = tool.context_size
    place = {
        key: value
        for key in ("city", "region", "country", "timezone")
        if (value := getattr(tool, key))
    }
    if place:
        options["user_location"] = {"type": "approximate", "approximate": place}
    return options
