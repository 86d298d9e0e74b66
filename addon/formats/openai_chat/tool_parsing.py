"""Read tools and the choice among them, the old `functions` included."""

from __future__ import annotations

from typing import Any, Literal, cast

from addon.formats.openai_chat.content_parsing import NAME, CacheTtl, parse_cache_breakpoint
from addon.neutral import (
    CacheBreakpoint,
    ClientRequestError,
    NativeTool,
    Tool,
    ToolChoice,
    ToolGrammar,
    WebSearchTool,
)
from addon.wire.readings import Readings
from addon.wire.request_fields import Fields
from addon.wire.unread import Unread

_TOOL_TYPES = ("function", "custom")
_SEARCH_TYPES = ("openrouter:web_search", "web_search", "web_search_preview")
_CHOICE_TYPES = ("function", "custom", "allowed_tools")

type _Size = Literal["low", "medium", "high"]
_SIZES: tuple[_Size, ...] = ("low", "medium", "high")

type _Mode = Literal["none", "auto", "required"]
_MODES: tuple[_Mode, ...] = ("none", "auto", "required")
_ALLOWED_MODES: tuple[_Mode, ...] = ("auto", "required")
_OLD_MODES: tuple[_Mode, ...] = ("none", "auto")

_KNOWN = frozenset((
    "cache_control", "custom", "function", "parameters", "prompt_cache_breakpoint", "type"
))  # fmt: skip
_KNOWN_OF_FUNCTION = frozenset(("description", "name", "parameters", "strict"))
_KNOWN_OF_CUSTOM = frozenset(("description", "format", "name"))
_PLACE = ("city", "country", "region", "timezone")
_KNOWN_OF_SEARCH = frozenset((
    "allowed_domains", "excluded_domains", "search_context_size", "type", "user_location"
))  # fmt: skip
_KNOWN_OF_PLACE = frozenset(("approximate", "type", *_PLACE))

type _AnyTool = Tool | WebSearchTool | NativeTool


_readings: Readings[tuple[_AnyTool, ...]] = Readings()


def parse_tools(
    request: Fields, unread: Unread, ttl: CacheTtl | None = None, encoded: bytes | None = None
) -> tuple[_AnyTool, ...]:
    """Read `tools`, `functions` and `web_search_options`.

    Tools of other types, which gateways offer, count as native to this format.

    Args:
        request: The request.
        unread: Receives what the hub has no word for.
        ttl: How long the request as a whole asks to be cached.
        encoded: The array `tools`, where it has not been decoded.

    Raises:
        ClientRequestError: A tool is not what the format allows.
        NotJson: The array is not even JSON by strict rules.
    """

    def parse(value: object, unread: Unread) -> tuple[_AnyTool, ...]:
        holder = Fields({"tools": value}, unread=unread)
        return tuple(_parse_tool(tool, ttl) for tool in holder.objects("tools"))

    if encoded is not None:
        tools = list(_readings.read(encoded, ttl, unread, parse))
    else:
        tools = list(parse(request.value.get("tools"), unread))
    tools += [_parse_function(function) for function in request.objects("functions")]
    if (search := request.object("web_search_options")) is not None:
        tools.append(_parse_web_search(search))
    return tuple(tools)


def parse_tool_choice(request: Fields) -> ToolChoice | None:
    """Read `tool_choice`, or `function_call`, which it replaced."""
    choice = request.value.get("tool_choice")
    if choice == "any":
        return ToolChoice("required")  # Mistral's word for it
    if isinstance(choice, str):
        mode: _Mode | None = request.one_of("tool_choice", _MODES)
        return ToolChoice(mode or "auto")
    if isinstance(choice, dict):
        return _parse_choice_object(
            Fields(cast("dict[str, Any]", choice), "tool_choice", request.unread)
        )
    if choice is not None:
        request.wrong_type("tool_choice", "one of a string or object")
    return _parse_function_choice(request)


def _parse_tool(tool: Fields, ttl: CacheTtl | None) -> _AnyTool:
    cache_breakpoint = parse_cache_breakpoint(tool, ttl)
    kind = tool.text("type")
    if kind is None and not tool.has("function"):
        tool.missing("type")
    if kind in _SEARCH_TYPES:
        # Gateways write the search's settings under `parameters` or beside `type`.
        return _parse_web_search(tool.object("parameters") or tool)
    if kind is not None and kind not in _TOOL_TYPES:
        return NativeTool(NAME, kind, tool.value)
    tool.knows(_KNOWN)
    if kind != "custom":
        return _parse_function(tool.required_object("function"), cache_breakpoint)
    custom = tool.required_object("custom")
    custom.knows(_KNOWN_OF_CUSTOM)
    return Tool(
        custom.required_text("name"),
        custom.text("description"),
        kind="custom",
        grammar=_parse_grammar(custom.object("format")),
        cache_breakpoint=cache_breakpoint,
    )


def _parse_function(function: Fields, cache_breakpoint: CacheBreakpoint | None = None) -> Tool:
    function.knows(_KNOWN_OF_FUNCTION)
    schema = function.object("parameters")
    return Tool(
        function.required_text("name"),
        function.text("description"),
        schema.value if schema is not None else None,
        function.flag("strict"),
        cache_breakpoint=cache_breakpoint,
    )


def _parse_grammar(wish: Fields | None) -> ToolGrammar | None:
    if wish is None or wish.one_of("type", ("text", "grammar")) != "grammar":
        return None
    grammar = wish.required_object("grammar")
    return ToolGrammar(grammar.required_text("syntax"), grammar.required_text("definition"))


def _parse_web_search(search: Fields) -> WebSearchTool:
    search.knows(_KNOWN_OF_SEARCH)
    location = search.object("user_location") or Fields({})
    location.knows(_KNOWN_OF_PLACE)
    place = location.object("approximate") or location
    size: _Size | None = search.one_of("search_context_size", _SIZES)
    return WebSearchTool(
        size,
        tuple(str(domain) for domain in search.items("allowed_domains")),
        tuple(str(domain) for domain in search.items("excluded_domains")),
        city=place.text("city"),
        region=place.text("region"),
        country=place.text("country"),
        timezone=place.text("timezone"),
    )


def _parse_choice_object(choice: Fields) -> ToolChoice:
    kind = choice.one_of("type", _CHOICE_TYPES)
    if kind is None:
        choice.missing("type")
    if kind != "allowed_tools":
        return ToolChoice("tool", choice.required_object(kind).required_text("name"))
    allowed = choice.required_object("allowed_tools")
    mode: _Mode | None = allowed.one_of("mode", _ALLOWED_MODES)
    names = tuple(_allowed_name(tool) for tool in allowed.objects("tools"))
    if not names:
        place = allowed.place("tools")
        raise ClientRequestError(f"Invalid '{place}': empty array.", place)
    return ToolChoice(mode or "auto", allowed=names)


def _allowed_name(tool: Fields) -> str:
    kind = tool.one_of("type", _TOOL_TYPES) or "function"
    return tool.required_object(kind).required_text("name")


def _parse_function_choice(request: Fields) -> ToolChoice | None:
    choice = request.value.get("function_call")
    if choice is None:
        return None
    if isinstance(choice, str):
        mode: _Mode | None = request.one_of("function_call", _OLD_MODES)
        return ToolChoice(mode or "auto")
    return ToolChoice("tool", request.required_object("function_call").required_text("name"))
