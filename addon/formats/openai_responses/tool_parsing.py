"""Read tools, namespaces and the choice among them.

Follows https://platform.openai.com/docs/api-reference/responses/create (`tools`, `tool_choice`).
"""

from __future__ import annotations

from typing import Any, Literal, cast

from addon.formats.openai_responses.builtin_tools import builtin_tool
from addon.formats.openai_responses.content_parsing import NAME
from addon.formats.openai_responses.tool_names import Route, flat_name
from addon.neutral import (
    ClientRequestError,
    CodeExecutionTool,
    Extra,
    HostedTool,
    NativeTool,
    Tool,
    ToolChoice,
    ToolGrammar,
    WebSearchTool,
)
from addon.wire.readings import Readings
from addon.wire.request_fields import Fields
from addon.wire.unread import Unread

type AnyTool = Tool | HostedTool | NativeTool
type _Mode = Literal["none", "auto", "required"]
type _Size = Literal["low", "medium", "high"]

_MODES: tuple[_Mode, ...] = ("none", "auto", "required")
_ALLOWED_MODES: tuple[_Mode, ...] = ("auto", "required")
_SIZES: tuple[_Size, ...] = ("low", "medium", "high")
_KNOWN = {
    "function": frozenset(("description", "name", "parameters", "strict", "type")),
    "custom": frozenset(("description", "format", "name", "type")),
    "namespace": frozenset(("description", "name", "tools", "type")),
    "local_shell": frozenset(("type",)),
    "shell": frozenset(("environment", "type")),
    "apply_patch": frozenset(("type",)),
    "tool_search": frozenset(("description", "execution", "parameters", "type")),
}
_KNOWN_OF_PLACE_OF_WORK = frozenset(("type",))
_KNOWN_OF_INTERPRETER = frozenset(("container", "type"))
_KNOWN_OF_CONTAINER = frozenset(("type",))
_KNOWN_OF_SEARCH = frozenset((
    "external_web_access", "filters", "search_context_size", "type", "user_location"
))  # fmt: skip
_KNOWN_OF_FILTERS = frozenset(("allowed_domains", "blocked_domains", "excluded_domains"))
_KNOWN_OF_PLACE = frozenset(("city", "country", "region", "timezone", "type"))
_BUILT_IN = ("local_shell", "shell", "apply_patch", "tool_search")


class ToolBox:
    """Gathers the tools of a request, wherever they stand in it, each name once."""

    def __init__(self) -> None:
        self._tools: dict[str, AnyTool] = {}
        self.routes: dict[str, Route] = {}
        """How calls of each flat name are told to the agent."""

    def add_all(self, holder: Fields, namespace: str | None = None) -> None:
        """Take the `tools` of a request, an item or a namespace.

        Raises:
            ClientRequestError: A tool is not what the format allows.
        """
        for tool in holder.objects("tools"):
            self._add(tool, namespace)

    def add_encoded(self, data: bytes, unread: Unread) -> None:
        """Take the `tools` of a request; like `add_all`, but what was read before is not again.

        Raises:
            ClientRequestError: A tool is not what the format allows.
            NotJson: They are not even JSON by strict rules.
        """
        read = _readings.read(data, None, unread, _read_alone)
        self._tools |= read._tools
        self.routes |= read.routes

    def to_tuple(self) -> tuple[AnyTool, ...]:
        """Return what was gathered, in order."""
        return tuple(self._tools.values())

    def _add(self, tool: Fields, namespace: str | None) -> None:
        kind = tool.required_text("type")
        if kind in _KNOWN:
            tool.knows(_KNOWN[kind])
        if kind == "namespace":
            tool.lose("description")
            self.add_all(tool, tool.required_text("name"))
        elif kind in ("function", "custom"):
            self._add_own(tool, kind, namespace)
        elif (builtin := builtin_tool(kind, tool.value)) is not None and _is_local(tool):
            self._tools[builtin[0].name], self.routes[builtin[0].name] = builtin
        elif kind.startswith("web_search") and tool.value.get("external_web_access") is not False:
            self._tools["web_search"] = _parse_web_search(tool)
        elif kind == "code_interpreter":
            self._tools["code_execution"] = _parse_code_interpreter(tool)
        else:
            label = tool.value.get("server_label")
            self._tools[f"{kind} {label}"] = NativeTool(NAME, kind, tool.value)

    def _add_own(
        self, tool: Fields, kind: Literal["function", "custom"], namespace: str | None
    ) -> None:
        own = tool.required_text("name")
        name = flat_name(own, namespace)
        self.routes[name] = Route(kind, own, namespace)
        if kind == "custom":
            self._tools[name] = Tool(
                name,
                tool.text("description"),
                kind="custom",
                grammar=_parse_grammar(tool.object("format")),
            )
            return
        schema = tool.object("parameters")
        self._tools[name] = Tool(
            name,
            tool.text("description"),
            schema.value if schema is not None else None,
            tool.flag("strict"),
        )


def _read_alone(value: object, unread: Unread) -> ToolBox:
    alone = ToolBox()
    alone.add_all(Fields({"tools": value}, unread=unread))
    return alone


_readings: Readings[ToolBox] = Readings()


def _is_local(tool: Fields) -> bool:
    """Tell whether the agent itself runs a shell; the provider runs those in containers."""
    environment = tool.object("environment")
    if environment is None:
        return True
    environment.knows(_KNOWN_OF_PLACE_OF_WORK)
    return environment.text("type") == "local"


def parse_tool_choice(request: Fields) -> tuple[ToolChoice | None, tuple[Extra, ...]]:
    """Read `tool_choice`; also return what of it the hub has no word for."""
    choice = request.value.get("tool_choice")
    if choice is None:
        return None, ()
    if isinstance(choice, str):
        mode: _Mode | None = request.one_of("tool_choice", _MODES)
        return ToolChoice(mode or "auto"), ()
    if not isinstance(choice, dict):
        request.wrong_type("tool_choice", "one of a string or object")
    wish = Fields(cast("dict[str, Any]", choice), "tool_choice", request.unread)
    kind = wish.required_text("type")
    if kind in ("function", "custom"):
        name = flat_name(wish.required_text("name"), wish.text("namespace"))
        return ToolChoice("tool", name), ()
    if kind == "allowed_tools":
        return _parse_allowed(wish), ()
    if kind in _BUILT_IN:
        return ToolChoice("tool", kind), ()
    if hosted := _hosted_name(kind):
        return ToolChoice("tool", hosted), ()
    return None, (Extra(f"tool_choice.{kind}", wish.value),)


def _hosted_name(kind: str) -> str | None:
    if kind.startswith("web_search"):
        return "web_search"
    return "code_execution" if kind == "code_interpreter" else None


def _parse_allowed(wish: Fields) -> ToolChoice:
    mode: _Mode | None = wish.one_of("mode", _ALLOWED_MODES)
    names = tuple(
        flat_name(name, tool.text("namespace"))
        for tool in wish.objects("tools")
        if (name := tool.text("name") or tool.text("type"))
    )
    if not names:
        place = wish.place("tools")
        raise ClientRequestError(f"Invalid '{place}': empty array.", place)
    return ToolChoice(mode or "auto", allowed=names)


def _parse_grammar(wish: Fields | None) -> ToolGrammar | None:
    if wish is None or wish.one_of("type", ("text", "grammar")) != "grammar":
        return None
    return ToolGrammar(wish.required_text("syntax"), wish.required_text("definition"))


def _parse_code_interpreter(tool: Fields) -> CodeExecutionTool:
    """Read a tool whose container, if it is not a new one, lives at OpenAI only."""
    tool.knows(_KNOWN_OF_INTERPRETER)
    if isinstance(tool.value.get("container"), str):
        tool.lose("container")
    elif (container := tool.object("container")) is not None:
        container.knows(_KNOWN_OF_CONTAINER)
    return CodeExecutionTool()


def _parse_web_search(search: Fields) -> WebSearchTool:
    search.knows(_KNOWN_OF_SEARCH)
    filters = search.object("filters") or Fields({})
    filters.knows(_KNOWN_OF_FILTERS)
    place = search.object("user_location") or Fields({})
    place.knows(_KNOWN_OF_PLACE)
    size: _Size | None = search.one_of("search_context_size", _SIZES)
    return WebSearchTool(
        size,
        tuple(str(domain) for domain in filters.items("allowed_domains")),
        tuple(
            str(domain)
            for key in ("blocked_domains", "excluded_domains")
            for domain in filters.items(key)
        ),
        city=place.text("city"),
        region=place.text("region"),
        country=place.text("country"),
        timezone=place.text("timezone"),
    )
