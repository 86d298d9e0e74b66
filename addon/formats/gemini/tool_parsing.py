"""Read tool definitions and tool choice (https://ai.google.dev/api/caching#Tool)."""

from __future__ import annotations

from typing import Any

from addon.formats.gemini.names import NAME, camel_case, field, look
from addon.formats.gemini.schema import from_json_schema, from_openapi
from addon.neutral import (
    ClientRequestError,
    CodeExecutionTool,
    HostedTool,
    NativeTool,
    Tool,
    ToolChoice,
    WebSearchTool,
)
from addon.wire.reading import integer, mapping, sequence, text
from addon.wire.readings import Readings
from addon.wire.unread import Unread

_KNOWN_OF_FUNCTION = frozenset((
    "description", "name", "parameters", "parametersJsonSchema"
))  # fmt: skip
_KNOWN_OF_SEARCH = frozenset(("excludeDomains",))
_KNOWN_OF_CONFIGURATION = frozenset(("functionCallingConfig", "includeServerSideToolInvocations"))
_KNOWN_OF_CALLING = frozenset(("allowedFunctionNames", "mode"))
_MODES = ("", "AUTO", "ANY", "NONE", "VALIDATED")


type _AnyTool = Tool | HostedTool | NativeTool

_readings: Readings[tuple[_AnyTool, ...]] = Readings()


def parse_encoded_tools(data: bytes, unread: Unread) -> tuple[_AnyTool, ...]:
    """Read `tools`; like `parse_tools`, but what was read before is not read again.

    Raises:
        ClientRequestError: A function has no name.
        NotJson: They are not even JSON by strict rules.
    """
    return _readings.read(data, None, unread, parse_tools)


def parse_tools(value: object, unread: Unread) -> tuple[_AnyTool, ...]:
    """Read `tools`: an array of objects, each of which may hold several kinds of tools.

    Args:
        value: What the request holds under `tools`; a single object counts as an array of one.
        unread: Receives what the hub has no word for.

    Raises:
        ClientRequestError: A function has no name.
    """
    tools: list[_AnyTool] = []
    single = mapping(value)
    items = [single] if single else sequence(value)
    for index, item in enumerate(items):
        for key, setting in mapping(item).items():
            kind = camel_case(key)
            if setting is None:
                continue
            if kind == "functionDeclarations":
                path = f"tools[{index}].functionDeclarations"
                declarations = sequence(setting) or [setting]
                tools += [
                    _parse_function(mapping(declaration), f"{path}[{number}]", unread)
                    for number, declaration in enumerate(declarations)
                ]
            elif kind == "googleSearch":
                tools.append(_parse_search(mapping(setting), unread))
            elif kind == "codeExecution":
                tools.append(CodeExecutionTool())
            else:
                tools.append(NativeTool(NAME, kind, {kind: setting}))
    return tuple(tools)


def parse_tool_choice(configuration: dict[str, Any], unread: Unread) -> ToolChoice | None:
    """Read `toolConfig`."""
    look(unread, configuration, _KNOWN_OF_CONFIGURATION, "toolConfig")
    calling = mapping(field(configuration, "functionCallingConfig"))
    look(unread, calling, _KNOWN_OF_CALLING, "toolConfig.functionCallingConfig")
    mode = calling.get("mode")
    number = integer(mode)
    word = text(mode).upper() if number is None else _MODES[number] if 0 <= number <= 4 else ""
    names = tuple(map(text, sequence(field(calling, "allowedFunctionNames"))))
    match word:
        case "NONE":
            return ToolChoice("none")
        case "ANY" if len(names) == 1:
            return ToolChoice("tool", names[0])
        case "ANY":
            return ToolChoice("required", allowed=names or None)
        case "VALIDATED":
            return ToolChoice("auto", allowed=names or None)
        case "AUTO":
            return ToolChoice("auto")
        case _:
            return None


def _parse_function(wire: dict[str, Any], path: str, unread: Unread) -> Tool:
    name = wire.get("name")
    if not isinstance(name, str) or not name:
        raise ClientRequestError(f"{path}.name: a function name is required", f"{path}.name")
    look(unread, wire, _KNOWN_OF_FUNCTION, "tools.functionDeclarations")
    schema = from_json_schema(mapping(field(wire, "parametersJsonSchema")))
    parameters = mapping(wire.get("parameters"))
    return Tool(
        name=name,
        description=text(wire.get("description")) or None,
        input_schema=schema or (from_openapi(parameters) if parameters else None),
    )


def _parse_search(wire: dict[str, Any], unread: Unread) -> WebSearchTool:
    look(unread, wire, _KNOWN_OF_SEARCH, "tools.googleSearch")
    blocked = tuple(map(text, sequence(field(wire, "excludeDomains"))))
    return WebSearchTool(blocked_domains=blocked)
