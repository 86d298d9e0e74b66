"""Read a request of `POST /v1/messages` into the hub.

Follows https://docs.anthropic.com/en/api/messages. Wrong types are answered in the API's manner: a
400 that names the path of the field.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from addon.formats.anthropic.content import (
    NAME,
    parse_cache_control,
)
from addon.formats.anthropic.message_parsing import Conversation
from addon.formats.anthropic.thinking import EFFORT_ORDER
from addon.formats.anthropic.tool_parsing import parse_choice, parse_encoded_tools, parse_tools
from addon.neutral import (
    ClientRequestError,
    Effort,
    Extra,
    ReasoningConfig,
    Recurring,
    Request,
    ResponseFormat,
    Sampling,
)
from addon.wire.codec import decode
from addon.wire.opened_body import OpenedBody, open_body
from addon.wire.reading import integer, mapping, number, sequence, text
from addon.wire.readings import NotJson
from addon.wire.unread import Unread

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
        "output_format",
        "metadata",
        "service_tier",
        "cache_control",
    )
)
_KNOWN_OF_THINKING = frozenset(("budget_tokens", "display", "type"))
_KNOWN_OF_OUTPUT = frozenset(("effort", "format"))
_KNOWN_OF_METADATA = frozenset(("user_id",))
_SERVICE_TIERS = {"auto": "auto", "standard_only": "default"}


def parse_request(body: bytes) -> Request:
    """Read a request.

    Raises:
        ClientRequestError: It is not what the API allows.
    """
    if (opened := open_body(body, "messages")) is not None:
        with suppress(NotJson):
            return _parse(opened.rest, opened)
    return _parse(_decode_body(body), None)


def _parse(wire: dict[str, Any], opened: OpenedBody | None) -> Request:
    if not isinstance(wire.get("model", ""), str):
        raise ClientRequestError("model: Input should be a valid string", "model")
    unread = Unread()
    conversation = Conversation(unread)
    if opened is not None:
        conversation.add_encoded(opened.messages)
    elif isinstance(wire.get("messages"), list):
        conversation.add_all(wire["messages"])
    else:
        raise ClientRequestError("messages: Field required", "messages")
    choice = mapping(wire.get("tool_choice"))
    parallel_disabled = choice.get("disable_parallel_tool_use")
    tier = _SERVICE_TIERS.get(text(wire.get("service_tier")))
    if tier is None:
        unread.lose("service_tier", wire.get("service_tier"))
    metadata = mapping(wire.get("metadata"))
    unread.look(metadata, _KNOWN_OF_METADATA, "metadata")
    cache = parse_cache_control(wire)
    return Request(
        model=wire.get("model", ""),  # Bedrock and Vertex keep it in the URL
        source_format=NAME,
        system=conversation.system(wire.get("system")),
        messages=(tuple if opened is None else Recurring)(conversation.messages),
        tools=(
            parse_tools(wire.get("tools"), unread)
            if opened is None or opened.tools is None
            else parse_encoded_tools(opened.tools, unread)
        ),
        tool_choice=parse_choice(choice, unread),
        parallel_tool_calls=None if parallel_disabled is None else not parallel_disabled,
        sampling=Sampling(
            temperature=number(wire.get("temperature")),
            top_p=number(wire.get("top_p")),
            top_k=integer(wire.get("top_k")),
        ),
        stop=tuple(text(stop) for stop in sequence(wire.get("stop_sequences"))),
        max_output_tokens=integer(wire.get("max_tokens")),
        reasoning=parse_reasoning(wire, unread),
        response_format=_parse_format(wire),
        stream=wire.get("stream") is True,
        user_id=text(metadata.get("user_id")) or None,
        service_tier=tier,
        cache_ttl=cache.ttl if cache else None,
        extras=(*_extras(wire), *unread.extras),
    )


def _decode_body(body: bytes) -> dict[str, Any]:
    try:
        wire = decode(body)
    except ValueError:
        raise ClientRequestError("the request body is not valid JSON") from None
    if not isinstance(wire, dict):
        raise ClientRequestError("the request body is not a JSON object")
    return mapping(wire)  # pyright: ignore[reportUnknownArgumentType] - just checked


def _extras(wire: dict[str, Any]) -> list[Extra]:
    """Gather the parameters that the hub has no word for."""
    return [
        Extra(field, value)
        for field, value in wire.items()
        if field not in _KNOWN and value is not None
    ]


def parse_reasoning(wire: dict[str, Any], unread: Unread) -> ReasoningConfig | None:
    """Read how long the model shall think, out of `thinking` and `output_config`."""
    thinking = mapping(wire.get("thinking"))
    unread.look(thinking, _KNOWN_OF_THINKING, "thinking")
    configuration = mapping(wire.get("output_config"))
    unread.look(configuration, _KNOWN_OF_OUTPUT, "output_config")
    named = text(configuration.get("effort"))
    effort: Effort | None = next((known for known in EFFORT_ORDER if known == named), None)
    if effort is None:
        unread.lose("output_config.effort", named)
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


def _parse_format(wire: dict[str, Any]) -> ResponseFormat | None:
    """Read the answer's shape, also under the name that it had as a beta."""
    wish = mapping(mapping(wire.get("output_config")).get("format") or wire.get("output_format"))
    if wish.get("type") != "json_schema":
        return None
    return ResponseFormat(
        "json_schema", name="output", schema=mapping(wish.get("schema")), strict=True
    )
