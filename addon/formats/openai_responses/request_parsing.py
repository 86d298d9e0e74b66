"""Read a request of `POST /v1/responses`.

Follows https://platform.openai.com/docs/api-reference/responses/create. Every parameter has a place
in the hub or becomes an `Extra`; null counts as absent.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from addon.formats.openai_responses.content_parsing import NAME
from addon.formats.openai_responses.item_parsing import Conversation
from addon.formats.openai_responses.tool_parsing import ToolBox, parse_tool_choice
from addon.neutral import (
    ClientRequestError,
    Effort,
    Extra,
    LogprobsConfig,
    ReasoningConfig,
    Request,
    ResponseFormat,
    Sampling,
    SystemMessage,
    TextPart,
)
from addon.wire.kept_messages import keep
from addon.wire.openai_requests import EFFORTS, decode_body, read_cache_ttl, read_response_format
from addon.wire.opened_body import OpenedBody, open_body
from addon.wire.readings import NotJson
from addon.wire.request_fields import Fields
from addon.wire.unread import Unread

ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"

_KNOWN_OF_STREAM = frozenset(("include_obfuscation", "include_usage"))
_KNOWN_OF_REASONING = frozenset(("effort", "generate_summary", "summary"))
_KNOWN_OF_TEXT = frozenset(("format", "verbosity"))
_KNOWN_OF_FORMAT = frozenset(("description", "name", "schema", "strict", "type"))

_UNDERSTOOD = frozenset((
    "include", "input", "instructions", "max_output_tokens", "metadata", "model",
    "parallel_tool_calls", "prompt_cache_options", "prompt_cache_retention", "reasoning",
    "safety_identifier", "service_tier", "stream", "stream_options", "temperature", "text",
    "tool_choice", "tools", "top_logprobs", "top_p", "user",
))  # fmt: skip
"""Parameters that the hub has words for, or that the answer echoes."""

_ESSENTIAL = frozenset(("background", "conversation", "prompt"))
"""Parameters that stand for content, or promise, which only OpenAI holds."""

_HARMLESS: dict[str, object] = {"background": False, "store": False, "truncation": "disabled"}
"""Values that ask for nothing."""


def parse_request(body: bytes) -> Request:
    """Read a request.

    Raises:
        ClientRequestError: It is not what the format allows, or it builds on an answer that is
            not here.
    """
    if (opened := open_body(body, "input")) is not None:
        with suppress(NotJson):
            return _parse(opened.rest, opened)
    return _parse(decode_body(body), None)


def _parse(wire: dict[str, Any], opened: OpenedBody | None) -> Request:
    unread = Unread()
    fields = Fields(wire, unread=unread)
    _refuse_state(fields)
    tools = ToolBox()
    if opened is not None and opened.tools is not None:
        tools.add_encoded(opened.tools, unread)
    else:
        tools.add_all(fields)
    conversation = _conversation(fields, tools, opened)
    messages = conversation.to_messages()
    wish = Fields({**fields.value, **conversation.updates}, unread=unread)
    choice, lost = parse_tool_choice(fields)
    words = wish.object("text") or Fields({})
    words.knows(_KNOWN_OF_TEXT)
    if (options := fields.object("stream_options")) is not None:
        options.knows(_KNOWN_OF_STREAM)
    return Request(
        model=fields.text("model") or "",
        source_format=NAME,
        system=(*_instructions(fields), *conversation.system),
        messages=messages if opened is None else keep(messages),
        tools=tools.to_tuple(),
        tool_choice=choice,
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        sampling=Sampling(temperature=fields.number("temperature"), top_p=fields.number("top_p")),
        max_output_tokens=fields.integer("max_output_tokens", 1),
        reasoning=_reasoning(wish.object("reasoning")),
        response_format=_response_format(words.object("format")),
        stream=fields.flag("stream") or False,
        logprobs=_logprobs(fields),
        user_id=fields.text("safety_identifier") or fields.text("user"),
        service_tier=fields.text("service_tier"),
        cache_ttl=read_cache_ttl(fields),
        verbosity=words.one_of("verbosity", ("low", "medium", "high")),
        extras=(*_extras(fields), *lost, *conversation.extras, *unread.extras),
    )


def _refuse_state(fields: Fields) -> None:
    """Refuse to go on from an answer that is not known, in the words that agents act on."""
    previous = fields.text("previous_response_id")
    if previous is not None:
        raise ClientRequestError(
            f"Previous response with id '{previous}' not found.",
            "previous_response_id",
            "previous_response_not_found",
        )


def _instructions(fields: Fields) -> tuple[SystemMessage, ...]:
    words = fields.text("instructions")
    return (SystemMessage((TextPart(words),)),) if words else ()


def _conversation(fields: Fields, tools: ToolBox, opened: OpenedBody | None) -> Conversation:
    conversation = Conversation(tools)
    if opened is not None:
        conversation.add_encoded(opened.messages, fields)
        return conversation
    given = fields.value.get("input")
    if isinstance(given, str):
        said = {"role": "user", "content": given}
        conversation.add(Fields(said, "input", fields.unread))
        return conversation
    if given is None and not any(fields.has(name) for name in ("prompt", "conversation")):
        fields.missing("input")
    for item in fields.objects("input"):
        conversation.add(item)
    return conversation


def _reasoning(wish: Fields | None) -> ReasoningConfig | None:
    if wish is None:
        return None
    wish.knows(_KNOWN_OF_REASONING)
    effort: Effort | None = wish.one_of("effort", EFFORTS)
    summary = wish.text("summary") or wish.text("generate_summary")
    visible = None if summary is None else summary != "none"
    if effort is None and visible is None:
        return None
    return ReasoningConfig(effort=effort, visible=visible)


def _response_format(wish: Fields | None) -> ResponseFormat | None:
    if wish is not None:
        wish.knows(_KNOWN_OF_FORMAT)
    return read_response_format(wish, lambda wish: wish)


def _logprobs(fields: Fields) -> LogprobsConfig | None:
    top = fields.integer("top_logprobs", 0)
    return LogprobsConfig(top) if top or _LOGPROBS in fields.items("include") else None


def _extras(fields: Fields) -> list[Extra]:
    """Gather the parameters that the hub has no word for."""
    extras = [
        Extra(key, value, essential=key in _ESSENTIAL)
        for key, value in fields.value.items()
        if key not in _UNDERSTOOD
        and value is not None
        and (key not in _HARMLESS or value != _HARMLESS[key])
    ]
    extras += (
        Extra(f"include.{wanted}", True)
        for wanted in fields.items("include")
        if wanted not in (ENCRYPTED, _LOGPROBS)
    )
    return extras
