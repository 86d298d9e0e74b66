"""Read a request of `POST /chat/completions`.

Follows https://platform.openai.com/docs/api-reference/chat/create. Every parameter has a place in
the hub or becomes an `Extra`; null counts as absent.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from addon.formats.base import Reply
from addon.formats.openai_chat.content_parsing import NAME, CacheTtl
from addon.formats.openai_chat.message_parsing import Conversation
from addon.formats.openai_chat.tool_parsing import parse_tool_choice, parse_tools
from addon.neutral import (
    ClientRequestError,
    Effort,
    Extra,
    LogprobsConfig,
    ReasoningConfig,
    Recurring,
    Request,
    ResponseFormat,
    Sampling,
)
from addon.wire.codec import decode
from addon.wire.openai_requests import EFFORTS, decode_body, read_cache_ttl, read_response_format
from addon.wire.opened_body import OpenedBody, encoded_member, glance, open_body
from addon.wire.reading import mapping, sequence, text
from addon.wire.readings import NotJson
from addon.wire.request_fields import Fields
from addon.wire.unread import Unread

_KNOWN_OF_STREAM = frozenset(("include_obfuscation", "include_usage"))
_KNOWN_OF_SCHEMA = frozenset(("description", "name", "schema", "strict"))

_UNDERSTOOD = frozenset((
    "frequency_penalty", "function_call", "functions", "logprobs", "max_completion_tokens",
    "max_tokens", "messages", "model", "n", "parallel_tool_calls", "presence_penalty",
    "prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "response_format",
    "safety_identifier", "seed", "service_tier", "stop", "stream", "stream_options", "temperature",
    "tool_choice", "tools", "top_k", "top_logprobs", "top_p", "user", "verbosity",
    "web_search_options",
))  # fmt: skip
"""Parameters that the hub has words for."""


def parse_request(body: bytes) -> Request:
    """Read a request.

    Raises:
        ClientRequestError: It is not what the format allows.
    """
    if (opened := open_body(body, "messages")) is not None:
        with suppress(NotJson):
            return _parse(opened.rest, opened)
    return _parse(decode_body(body), None)


def _parse(wire: dict[str, Any], opened: OpenedBody | None) -> Request:
    unread = Unread()
    fields = Fields(wire, unread=unread)
    if (options := fields.object("stream_options")) is not None:
        options.knows(_KNOWN_OF_STREAM)
    ttl = read_cache_ttl(fields)
    conversation = _conversation(fields, unread, ttl, opened)
    wanted = fields.integer("max_completion_tokens", 1)
    deprecated = fields.integer("max_tokens", 1)
    count = fields.integer("n", 1)
    effort: Effort | None = fields.one_of("reasoning_effort", EFFORTS)
    return Request(
        model=fields.text("model") or "",
        source_format=NAME,
        system=tuple(conversation.system),
        messages=(tuple if opened is None else Recurring)(conversation.messages),
        tools=parse_tools(fields, unread, ttl, opened.tools if opened is not None else None),
        tool_choice=parse_tool_choice(fields),
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        sampling=Sampling(
            temperature=fields.number("temperature"),
            top_p=fields.number("top_p"),
            top_k=fields.integer("top_k"),
            seed=fields.integer("seed"),
            presence_penalty=fields.number("presence_penalty"),
            frequency_penalty=fields.number("frequency_penalty"),
        ),
        stop=_stop(fields),
        max_output_tokens=wanted if wanted is not None else deprecated,
        reasoning=ReasoningConfig(effort=effort) if effort is not None else None,
        response_format=parse_response_format(fields.object("response_format")),
        stream=fields.flag("stream") or False,
        count=1 if count is None else count,
        logprobs=_logprobs(fields),
        user_id=fields.text("safety_identifier") or fields.text("user"),
        service_tier=fields.text("service_tier"),
        cache_ttl=ttl,
        verbosity=fields.one_of("verbosity", ("low", "medium", "high")),
        extras=(*_extras(fields), *unread.extras),
    )


_SHAPING = ("functions", "model", "response_format", "stream", "stream_options")


def read_reply(body: bytes, created: int) -> Reply:
    """Read what shapes the answer; never raises, and leaves out what makes no sense."""
    wire = glance(body, _SHAPING)
    declared = encoded_member(body, "tools")
    return Reply(
        model=text(wire.get("model")) or None,
        created=created,
        include_usage=mapping(wire.get("stream_options")).get("include_usage") is True,
        legacy_functions=bool(wire.get("functions")) and declared in (b"", b"null", b"[]"),
        custom_tools=_custom_tools(declared) if b'"custom"' in declared else frozenset(),
        stream=wire.get("stream") is True,
        json_answer=mapping(wire.get("response_format")).get("type")
        in ("json_schema", "json_object"),
    )


def _custom_tools(declared: bytes) -> frozenset[str]:
    tools = [mapping(tool) for tool in sequence(decode(declared))]
    names = (text(mapping(tool.get("custom")).get("name")) for tool in tools)
    return frozenset(name for name in names if name)


def _conversation(
    fields: Fields, unread: Unread, ttl: CacheTtl | None, opened: OpenedBody | None
) -> Conversation:
    conversation = Conversation(ttl, unread)
    if opened is not None:
        conversation.add_encoded(opened.messages, fields)
        return conversation
    if not fields.has("messages"):
        fields.missing("messages")
    if not fields.items("messages"):
        raise ClientRequestError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            "messages",
        )
    for message in fields.objects("messages"):
        conversation.add(message)
    return conversation


def _stop(fields: Fields) -> tuple[str, ...]:
    stop = fields.value.get("stop")
    if isinstance(stop, str):
        return (stop,)
    sequences = fields.items("stop")
    if not all(isinstance(item, str) for item in sequences):
        fields.wrong_type("stop", "a string or an array of strings")
    return tuple(sequences)


def parse_response_format(wish: Fields | None) -> ResponseFormat | None:
    """Read `response_format`."""
    return read_response_format(wish, _json_schema)


def _json_schema(wish: Fields) -> Fields:
    schema = wish.required_object("json_schema")
    schema.knows(_KNOWN_OF_SCHEMA)
    return schema


def _logprobs(fields: Fields) -> LogprobsConfig | None:
    top = fields.integer("top_logprobs", 0)
    return LogprobsConfig(top) if fields.flag("logprobs") else None


def _extras(fields: Fields) -> list[Extra]:
    """Gather the parameters that the hub has no word for."""
    extras: list[Extra] = []
    for key, value in fields.value.items():
        if key in _UNDERSTOOD or value is None:
            continue
        if key == "modalities":
            if value != ["text"]:
                extras.append(Extra(key, value, essential=True))
        else:
            extras.append(Extra(key, value, essential=key == "audio"))
    return extras
