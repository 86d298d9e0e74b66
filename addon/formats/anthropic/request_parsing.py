"""Read a request of `POST /v1/messages` into the hub.

Follows https://docs.anthropic.com/en/api/messages. Wrong types are answered in the API's manner: a
400 that names the path of the field.
"""

from __future__ import annotations

from typing import Any

from addon.formats.anthropic.content import (
    NAME,
    parse_cache_control,
    parse_citations,
    parse_media_source,
)
from addon.formats.anthropic.thinking import EFFORT_ORDER
from addon.neutral import (
    ClientRequestError,
    Effort,
    Extra,
    FilePart,
    ImagePart,
    MediaSource,
    Message,
    NativePart,
    NativeTool,
    OpaqueState,
    Part,
    ReasoningConfig,
    ReasoningPart,
    Request,
    ResponseFormat,
    Role,
    Sampling,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    WebSearchTool,
)
from addon.wire.codec import decode, encode_text
from addon.wire.reading import integer, mapping, number, sequence, text

_KNOWN = frozenset(
    (
        "model",
        "max_tokens",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "stop_sequences",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "thinking",
        "output_config",
        "metadata",
        "service_tier",
        "cache_control",
    )
)
_SERVICE_TIERS = {"auto": "auto", "standard_only": "default"}
_CHOICE_MODES = {"auto": "auto", "none": "none", "any": "required"}


def parse_request(body: bytes) -> Request:
    """Read a request.

    Raises:
        ClientRequestError: It is not what the API allows.
    """
    wire = _decode_body(body)
    if not isinstance(wire.get("model", ""), str):
        raise ClientRequestError("model: Input should be a valid string", "model")
    if not isinstance(wire.get("messages"), list):
        raise ClientRequestError("messages: Field required", "messages")
    choice = mapping(wire.get("tool_choice"))
    parallel_disabled = choice.get("disable_parallel_tool_use")
    tier = text(wire.get("service_tier"))
    cache = parse_cache_control(wire)
    return Request(
        model=wire.get("model", ""),  # Bedrock and Vertex keep it in the URL
        source_format=NAME,
        system=_parse_system(wire.get("system")),
        messages=_parse_messages(wire["messages"]),
        tools=tuple(
            _parse_tool(value, f"tools.{index}")
            for index, value in enumerate(sequence(wire.get("tools")))
        ),
        tool_choice=_parse_choice(choice),
        parallel_tool_calls=None if parallel_disabled is None else not parallel_disabled,
        sampling=Sampling(
            temperature=number(wire.get("temperature")),
            top_p=number(wire.get("top_p")),
            top_k=integer(wire.get("top_k")),
        ),
        stop=tuple(text(stop) for stop in sequence(wire.get("stop_sequences"))),
        max_output_tokens=integer(wire.get("max_tokens")),
        reasoning=_parse_reasoning(wire),
        response_format=_parse_format(mapping(wire.get("output_config"))),
        stream=wire.get("stream") is True,
        user_id=text(mapping(wire.get("metadata")).get("user_id")) or None,
        service_tier=_SERVICE_TIERS.get(tier),
        cache_ttl=cache.ttl if cache else None,
        extras=tuple(
            Extra(field, value)
            for field, value in wire.items()
            if field not in _KNOWN and value is not None
        ),
    )


def _decode_body(body: bytes) -> dict[str, Any]:
    try:
        wire = decode(body)
    except ValueError:
        raise ClientRequestError("the request body is not valid JSON") from None
    if not isinstance(wire, dict):
        raise ClientRequestError("the request body is not a JSON object")
    return mapping(wire)  # pyright: ignore[reportUnknownArgumentType] - just checked


def _parse_system(value: object) -> tuple[SystemMessage, ...]:
    if isinstance(value, str):
        return (SystemMessage((TextPart(value),)),) if value else ()
    return tuple(
        SystemMessage(
            (TextPart(text(block.get("text")), cache_breakpoint=parse_cache_control(block)),)
        )
        for block in map(mapping, sequence(value))
    )


class _Mistake(Exception):
    """Something that the API refuses, at a place that the callers complete from within."""

    def __init__(self, words: str, place: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.place = place

    def within(self, step: str) -> _Mistake:
        """Say that all of this happened within `step`."""
        return _Mistake(self.words, f"{step}.{self.place}" if self.place else step)


def _parse_messages(values: list[Any]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for index, value in enumerate(values):
        try:
            _parse_message(value, messages)
        except _Mistake as mistake:
            place = mistake.within(f"messages.{index}").place
            raise ClientRequestError(f"{place}: {mistake.words}", place) from None
    return tuple(messages)


def _parse_message(value: object, messages: list[Message]) -> None:
    """Read one turn; a user turn with tool results becomes a `tool` message and the rest."""
    wire = mapping(value)
    role = wire.get("role")
    if role not in ("user", "assistant", "system"):
        raise _Mistake("Input should be 'user' or 'assistant'", "role")
    content = wire.get("content")
    if isinstance(content, str):
        messages.append(Message(_role(role), (TextPart(content),)))
        return
    if not isinstance(content, list):
        raise _Mistake("Field required", "content")
    results: list[Part] = []
    others: list[Part] = []
    for part in _parse_blocks(sequence(wire["content"])):
        (results if isinstance(part, ToolResultPart) else others).append(part)
    if results:
        messages.append(Message("tool", tuple(results)))
    if others or not results:
        messages.append(Message(_role(role), tuple(others)))


def _parse_blocks(blocks: list[Any]) -> list[Part]:
    parts: list[Part] = []
    for index, block in enumerate(blocks):
        try:
            parts.append(_parse_block(mapping(block)))
        except _Mistake as mistake:
            raise mistake.within(f"content.{index}") from None
    return parts


def _role(role: str) -> Role:
    return "assistant" if role == "assistant" else "system" if role == "system" else "user"


def _parse_block(block: dict[str, Any]) -> Part:
    mark = parse_cache_control(block)
    match block.get("type"):
        case "text":
            return TextPart(text(block.get("text")), parse_citations(block.get("citations")), mark)
        case "image":
            return ImagePart(_parse_source(block), cache_breakpoint=mark)
        case "document":
            return _parse_document(block)
        case "thinking":
            signature = text(block.get("signature"))
            state = OpaqueState(NAME, signature) if signature else None
            return ReasoningPart(text(block.get("thinking")), state)
        case "redacted_thinking":
            return ReasoningPart("", OpaqueState(NAME, text(block.get("data")), "redacted"))
        case "tool_use":
            return ToolCallPart(
                text(block.get("id")),
                text(block.get("name")),
                encode_text(mapping(block.get("input"))),
                cache_breakpoint=mark,
            )
        case "tool_result":
            return _parse_result(block)
        case "search_result":
            return TextPart(_search_result_text(block), cache_breakpoint=mark)
        case str() as kind:
            return NativePart(NAME, kind, block)
        case _:
            raise _Mistake("Field required", "type")


def _parse_source(block: dict[str, Any]) -> MediaSource:
    source = parse_media_source(block.get("source"))
    if source is None:
        raise _Mistake("Input tag does not match any of the expected tags", "source.type")
    return source


def _parse_document(block: dict[str, Any]) -> FilePart:
    return FilePart(
        _parse_source(block),
        filename=text(block.get("title")) or None,
        context=text(block.get("context")) or None,
        citations_enabled=mapping(block.get("citations")).get("enabled") is True,
        cache_breakpoint=parse_cache_control(block),
    )


def _parse_result(block: dict[str, Any]) -> ToolResultPart:
    content = block.get("content")
    pieces: list[TextPart | ImagePart | FilePart | NativePart] = []
    if isinstance(content, str):
        pieces.append(TextPart(content))
    for part in _parse_blocks(sequence(content)):
        if isinstance(part, TextPart | ImagePart | FilePart | NativePart):
            pieces.append(part)
    return ToolResultPart(
        text(block.get("tool_use_id")),
        tuple(pieces),
        is_error=block.get("is_error") is True,
        cache_breakpoint=parse_cache_control(block),
    )


def _search_result_text(block: dict[str, Any]) -> str:
    words = [text(mapping(piece).get("text")) for piece in sequence(block.get("content"))]
    return "\n".join((text(block.get("title")), text(block.get("source")), *words))


def _parse_tool(value: object, path: str) -> Tool | WebSearchTool | NativeTool:
    wire = mapping(value)
    kind = text(wire.get("type"))
    if kind.startswith("web_search_"):
        location = mapping(wire.get("user_location"))
        return WebSearchTool(
            allowed_domains=tuple(map(text, sequence(wire.get("allowed_domains")))),
            blocked_domains=tuple(map(text, sequence(wire.get("blocked_domains")))),
            city=text(location.get("city")) or None,
            region=text(location.get("region")) or None,
            country=text(location.get("country")) or None,
            timezone=text(location.get("timezone")) or None,
        )
    if kind not in ("", "custom"):
        return NativeTool(NAME, kind, wire)
    if not isinstance(wire.get("name"), str):
        raise ClientRequestError(f"{path}.name: Field required", path)
    return Tool(
        name=wire["name"],
        description=text(wire.get("description")) or None,
        input_schema=mapping(wire.get("input_schema")) or None,
        strict=True if wire.get("strict") is True else None,
        cache_breakpoint=parse_cache_control(wire),
    )


def _parse_choice(choice: dict[str, Any]) -> ToolChoice | None:
    kind = text(choice.get("type"))
    if kind == "tool":
        return ToolChoice("tool", text(choice.get("name")))
    match _CHOICE_MODES.get(kind):
        case "auto":
            return ToolChoice("auto")
        case "none":
            return ToolChoice("none")
        case "required":
            return ToolChoice("required")
        case _:
            return None


def _parse_reasoning(wire: dict[str, Any]) -> ReasoningConfig | None:
    thinking = mapping(wire.get("thinking"))
    named = text(mapping(wire.get("output_config")).get("effort"))
    effort: Effort | None = next((known for known in EFFORT_ORDER if known == named), None)
    kind = text(thinking.get("type"))
    if not kind:
        return ReasoningConfig(effort=effort) if effort else None
    if kind == "disabled":
        return ReasoningConfig(effort="none", enabled=False)
    if kind == "between_tools":
        return ReasoningConfig(effort="low", enabled=True)
    display = text(thinking.get("display"))
    return ReasoningConfig(
        effort=effort,
        budget_tokens=integer(thinking.get("budget_tokens")),
        enabled=True,
        visible=None if not display else display != "omitted",
    )


def _parse_format(configuration: dict[str, Any]) -> ResponseFormat | None:
    wish = mapping(configuration.get("format"))
    if wish.get("type") != "json_schema":
        return None
    return ResponseFormat(
        "json_schema", name="output", schema=mapping(wish.get("schema")), strict=True
    )
