"""Read a request of `models/X:generateContent` or `:streamGenerateContent` into the hub.

Follows https://ai.google.dev/api/generate-content. The model and whether to stream stand in the
request line. Fields may be written in `camelCase` or `snake_case`, enumerations as words or as
numbers.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from addon.formats.base import RequestLine
from addon.formats.gemini.content_parsing import Conversation, content_parts
from addon.formats.gemini.names import NAME, Target, camel_case, field, look, read_target
from addon.formats.gemini.schema import from_json_schema, from_openapi
from addon.formats.gemini.thinking import EFFORT_ORDER
from addon.formats.gemini.tool_parsing import parse_encoded_tools, parse_tool_choice, parse_tools
from addon.neutral import (
    ClientRequestError,
    Effort,
    Extra,
    LogprobsConfig,
    Message,
    ReasoningConfig,
    Request,
    ResponseFormat,
    Sampling,
    SystemMessage,
    TextPart,
)
from addon.wire.codec import decode
from addon.wire.kept_messages import keep
from addon.wire.opened_body import OpenedBody, open_body
from addon.wire.reading import integer, mapping, number, sequence, text
from addon.wire.readings import NotJson
from addon.wire.unread import Unread

_KNOWN = frozenset((
    "contents", "generationConfig", "model", "serviceTier", "systemInstruction", "toolConfig",
    "tools",
))  # fmt: skip
_ESSENTIAL = frozenset(("cachedContent", "continuationToken"))
_GENERATION_KNOWN = frozenset((
    "candidateCount", "frequencyPenalty", "logprobs", "maxOutputTokens", "presencePenalty",
    "responseJsonSchema", "responseLogprobs", "responseMimeType", "responseModalities",
    "responseSchema", "seed", "stopSequences", "temperature", "thinkingConfig", "topK", "topP",
))  # fmt: skip
_KNOWN_OF_INSTRUCTION = frozenset(("text", "thought"))
_KNOWN_OF_THINKING = frozenset(("includeThoughts", "thinkingBudget", "thinkingLevel"))
_SERVICE_TIERS = {"standard": "default", "flex": "flex", "priority": "priority"}
_LEVELS = ("", "low", "medium", "high", "minimal")
_TEXT_MODALITIES = ("TEXT", "MODALITY_UNSPECIFIED", 0, 1)


def parse_request(body: bytes, line: RequestLine) -> Request:
    """Read a request.

    Raises:
        ClientRequestError: It is not what the API allows.
    """
    target = read_target(line)
    if (opened := open_body(body, "contents")) is not None:
        with suppress(NotJson):
            return _parse(opened.rest, target, opened)
    return _parse(_decode_body(body), target, None)


def _parse(wire: dict[str, Any], target: Target, opened: OpenedBody | None) -> Request:
    unread = Unread()
    messages = _parse_contents(wire, unread, opened)
    generation = mapping(field(wire, "generationConfig"))
    return Request(
        model=_model(wire, target),
        source_format=NAME,
        system=_parse_system(field(wire, "systemInstruction"), unread),
        messages=messages,
        tools=(
            parse_tools(wire.get("tools"), unread)
            if opened is None or opened.tools is None
            else parse_encoded_tools(opened.tools, unread)
        ),
        tool_choice=parse_tool_choice(mapping(field(wire, "toolConfig")), unread),
        sampling=_parse_sampling(generation),
        stop=tuple(text(stop) for stop in sequence(field(generation, "stopSequences"))),
        max_output_tokens=integer(field(generation, "maxOutputTokens")),
        reasoning=parse_reasoning(mapping(field(generation, "thinkingConfig")), unread),
        response_format=_parse_format(generation),
        stream=target.stream,
        count=integer(field(generation, "candidateCount")) or 1,
        logprobs=_parse_logprobs(generation),
        service_tier=_parse_tier(text(field(wire, "serviceTier")), unread),
        extras=(*_extras(wire), *_generation_extras(generation), *unread.extras),
    )


def _decode_body(body: bytes) -> dict[str, Any]:
    try:
        wire = decode(body)
    except ValueError:
        raise ClientRequestError("Invalid JSON payload received.") from None
    if not isinstance(wire, dict):
        raise ClientRequestError("Invalid JSON payload received: an object is required.")
    return cast("dict[str, Any]", wire)


def _parse_contents(
    wire: dict[str, Any], unread: Unread, opened: OpenedBody | None
) -> tuple[Message, ...]:
    conversation = Conversation(unread)
    if opened is not None:
        conversation.add_encoded(opened.messages)
        return keep(conversation.finish())
    contents = wire.get("contents")
    if not isinstance(contents, list) or not contents:
        raise ClientRequestError("contents: contents are required", "contents")
    for index, content in enumerate(cast("list[object]", contents)):
        if not isinstance(content, dict):
            raise ClientRequestError(f"contents[{index}]: an object is required", "contents")
        conversation.add(cast("object", content), index)
    return conversation.finish()


def _model(wire: dict[str, Any], target: Target) -> str:
    return target.model or text(wire.get("model")).rsplit("models/", 1)[-1]


def _parse_tier(tier: str, unread: Unread) -> str | None:
    """Read the tier; clients of other languages write `SERVICE_TIER_FLEX` for `flex`."""
    known = _SERVICE_TIERS.get(tier.lower().removeprefix("service_tier_"))
    if known is None:
        unread.lose("serviceTier", tier)
    return known


def _parse_system(value: object, unread: Unread) -> tuple[SystemMessage, ...]:
    if isinstance(value, str):
        return (SystemMessage((TextPart(value),)),) if value else ()
    for part in content_parts(mapping(value)):
        look(unread, mapping(part), _KNOWN_OF_INSTRUCTION, "systemInstruction.parts")
    words = [text(mapping(part).get("text")) for part in content_parts(mapping(value))]
    return tuple(SystemMessage((TextPart(word),)) for word in words if word)


def _parse_sampling(generation: dict[str, Any]) -> Sampling:
    return Sampling(
        temperature=number(generation.get("temperature")),
        top_p=number(field(generation, "topP")),
        top_k=integer(field(generation, "topK")),
        seed=integer(generation.get("seed")),
        presence_penalty=number(field(generation, "presencePenalty")),
        frequency_penalty=number(field(generation, "frequencyPenalty")),
    )


def parse_reasoning(thinking: dict[str, Any], unread: Unread) -> ReasoningConfig | None:
    """Read a `thinkingConfig`; None where it says nothing."""
    if not thinking:
        return None
    look(unread, thinking, _KNOWN_OF_THINKING, "generationConfig.thinkingConfig")
    level = field(thinking, "thinkingLevel")
    place = integer(level)
    word = _LEVELS[place] if place and 0 < place < len(_LEVELS) else text(level).lower()
    effort: Effort | None = next((known for known in EFFORT_ORDER if known == word), None)
    budget = integer(field(thinking, "thinkingBudget"))
    shown = field(thinking, "includeThoughts")
    visible = shown if isinstance(shown, bool) else None
    if budget == 0:
        return ReasoningConfig(effort="none", enabled=False, visible=visible)
    return ReasoningConfig(
        effort=effort,
        budget_tokens=budget if budget is not None and budget > 0 else None,
        enabled=True if effort or budget else None,
        visible=visible,
    )


def _parse_format(generation: dict[str, Any]) -> ResponseFormat | None:
    json_schema = from_json_schema(mapping(field(generation, "responseJsonSchema")))
    openapi = mapping(field(generation, "responseSchema"))
    schema = json_schema or (from_openapi(openapi) if openapi else {})
    media_type = text(field(generation, "responseMimeType"))
    if schema and media_type != "text/x.enum":
        return ResponseFormat("json_schema", name="output", schema=schema, strict=True)
    return ResponseFormat("json_object") if media_type == "application/json" else None


def _parse_logprobs(generation: dict[str, Any]) -> LogprobsConfig | None:
    if field(generation, "responseLogprobs") is not True:
        return None
    return LogprobsConfig(integer(generation.get("logprobs")))


def _extras(wire: dict[str, Any]) -> list[Extra]:
    """Gather the fields that the hub has no word for."""
    named = ((camel_case(key), value) for key, value in wire.items())
    return [
        Extra(name, value, essential=name in _ESSENTIAL)
        for name, value in named
        if name not in _KNOWN and value not in (None, [], {})
    ]


def _generation_extras(generation: dict[str, Any]) -> list[Extra]:
    extras: list[Extra] = []
    for key, value in generation.items():
        name = camel_case(key)
        path = f"generationConfig.{name}"
        if name == "responseModalities":
            if any(modality not in _TEXT_MODALITIES for modality in sequence(value)):
                extras.append(Extra(path, value, essential=True))
        elif name == "responseMimeType":
            if value == "text/x.enum":
                extras.append(Extra(path, value, essential=True))
            elif value not in ("text/plain", "application/json"):
                extras.append(Extra(path, value))
        elif name not in _GENERATION_KNOWN and value is not None:
            extras.append(Extra(path, value))
    return extras
