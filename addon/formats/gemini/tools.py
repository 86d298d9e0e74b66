"""Tool definitions and tool choice, from the hub to the wire.

Follows https://ai.google.dev/gemini-api/docs/function-calling.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from addon.formats.gemini.models import GeminiModel
from addon.formats.gemini.names import NAME
from addon.formats.gemini.schema import tool_schema
from addon.neutral import (
    CodeExecutionTool,
    HostedTool,
    LossList,
    NativeTool,
    Request,
    Tool,
    ToolChoice,
    UnsupportedFeature,
    WebSearchTool,
)
from addon.wire.custom_tools import wrapper_description, wrapper_schema

_UNKNOWN_OF_SEARCH = (
    *("allowed_domains", "blocked_domains", "context_size"),
    *("city", "region", "country", "timezone"),
)
_HOSTED = {"googleSearch": "web_search", "codeExecution": "code_execution"}
"""What losses call the tools that other providers have too."""
_LEGAL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")


class Tools(msgspec.Struct, frozen=True):
    """The fields that a request gets."""

    tools: list[dict[str, Any]]
    configuration: dict[str, Any]
    """For `toolConfig`."""
    functions: bool
    """Whether functions are among the tools."""


def render_tools(request: Request, model: GeminiModel, losses: LossList) -> Tools:
    """Write the tools and the choice among them.

    Raises:
        UnsupportedFeature: A tool's name is one that the API refuses.
    """
    functions: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for tool in request.tools:
        match tool:
            case Tool():
                functions.append(_function(tool, losses))
            case _:
                _add_other(tool, others, losses)
    configuration: dict[str, Any] = {}
    if functions:
        configuration = _choice(request, functions, model, losses)
    elif request.tool_choice is not None and request.tool_choice.mode in ("required", "tool"):
        losses.dropped("tool_choice", "no function is left to choose")
    if functions and others:
        if model.search_with_functions:
            configuration["includeServerSideToolInvocations"] = True
        else:
            for kind in (key for other in others for key in other):
                name = _HOSTED.get(kind, kind)
                losses.dropped(f"tools.{name}", "the model takes it only without functions")
            others = []
    if request.parallel_tool_calls is False and functions:
        losses.dropped("parallel_tool_calls", "Gemini has no counterpart")
    tools = [{"functionDeclarations": functions}, *others] if functions else others
    return Tools(tools, configuration, bool(functions))


def _function(tool: Tool, losses: LossList) -> dict[str, Any]:
    if not _LEGAL_NAME.fullmatch(tool.name):
        raise UnsupportedFeature(
            "tools.name",
            "Gemini takes a letter or `_`, then up to 127 letters, digits, `_`, `.`, `:`, `-`, "
            f"not {tool.name!r}",
        )
    declaration: dict[str, Any] = {"name": tool.name}
    if tool.kind == "custom":
        losses.emulated("tools.custom", "offered as a function with one text argument")
        description, schema = wrapper_description(tool), wrapper_schema()
    else:
        description, schema = tool.description, tool_schema(tool.input_schema)
    if description:
        declaration["description"] = description
    declaration["parametersJsonSchema"] = schema
    return declaration


def _add_other(
    tool: HostedTool | NativeTool, others: list[dict[str, Any]], losses: LossList
) -> None:
    """Write a tool that the provider runs."""
    match tool:
        case WebSearchTool():
            _add_search(tool, others, losses)
        case CodeExecutionTool():
            others.append({"codeExecution": {}})
        case NativeTool(format, _, data) if format == NAME:
            others.append(dict(data))
        case NativeTool(_, kind, _):
            losses.dropped(f"tools.{kind}", "exists at its own provider only")


def _add_search(tool: WebSearchTool, others: list[dict[str, Any]], losses: LossList) -> None:
    if {"googleSearch": {}} not in others:
        others.append({"googleSearch": {}})
    for name in _UNKNOWN_OF_SEARCH:
        if getattr(tool, name):
            losses.dropped(f"tools.web_search.{name}", "Google Search cannot be narrowed")


def _choice(
    request: Request, functions: list[dict[str, Any]], model: GeminiModel, losses: LossList
) -> dict[str, Any]:
    names = [function["name"] for function in functions]
    wire = _calling(request.tool_choice, names, model, losses)
    strict = any(isinstance(tool, Tool) and tool.strict for tool in request.tools)
    if strict and model.validated_calls and wire.get("mode", "AUTO") == "AUTO":
        wire["mode"] = "VALIDATED"  # arguments then follow the schema
    elif strict and not model.validated_calls:
        losses.dropped("tools.strict", "arguments follow the schema without a guarantee")
    return {"functionCallingConfig": wire} if wire else {}


def _calling(
    choice: ToolChoice | None, names: list[str], model: GeminiModel, losses: LossList
) -> dict[str, Any]:
    match choice:
        case None:
            return {}
        case ToolChoice("none"):
            return {"mode": "NONE"}
        case ToolChoice("tool", name):
            if name in names:
                return {"mode": "ANY", "allowedFunctionNames": [name]}
            losses.dropped("tool_choice", "it names a tool that is not offered")
            return {}
        case ToolChoice(mode, _, allowed):
            required = mode == "required"
            wire: dict[str, Any] = {"mode": "ANY" if required else "AUTO"}
            kept = [name for name in allowed or () if name in names]
            if kept and (required or model.validated_calls):
                wire = {"mode": "ANY" if required else "VALIDATED", "allowedFunctionNames": kept}
            elif kept:
                losses.dropped("tool_choice.allowed_tools", "the model may call the others too")
            return wire
