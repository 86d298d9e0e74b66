"""OpenAI's Chat Completions: `POST /chat/completions`.

Also the format of every OpenAI-compatible provider; see `dialects` for how they differ.

The room for a change: `request_parsing` with `message_parsing`, `content_parsing` and
`tool_parsing` reads requests; `request_rendering` with `message_rendering`, `content_rendering`,
`tool_rendering` and `reasoning` writes them; `rewriting` edits those that need no translation.
`answer_reader` reads answers, plain (`response`) and streamed (`stream_decoder`); `stream_encoder`
writes streams; `repair` mends the streams of providers that bend the format.
"""

from __future__ import annotations

import time
from typing import Literal

from addon.formats.base import Format, RenderedBody, RenderedError, Reply, RequestLine
from addon.formats.openai_chat import (
    errors,
    refitting,
    repair,
    request_parsing,
    request_rendering,
    response_repair,
    rewriting,
)
from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.dialects import dialect
from addon.formats.openai_chat.media import fetches, inline_media
from addon.formats.openai_chat.response import parse_response, render_response
from addon.formats.openai_chat.stream_decoder import ChatDecoder
from addon.formats.openai_chat.stream_encoder import ChatEncoder
from addon.neutral import ClientRequestError, Request
from addon.wire import openai_errors

__all__ = ["FORMAT", "NAME"]


def _render_request(request: Request, model: str, dialect: str) -> RenderedBody:
    try:
        return request_rendering.render_request(request, model, dialect)
    except RecursionError:
        raise ClientRequestError("The request is nested too deeply.") from None


def _rewrite_request(body: bytes, _line: RequestLine, model: str, dialect: str) -> RenderedBody:
    try:
        return rewriting.rewrite_request(body, model, dialect)
    except RecursionError:
        raise ClientRequestError("The request is nested too deeply.") from None


def _wants_back(_model: str, dialect_name: str) -> Literal["nothing", "calls"]:
    provider = dialect(dialect_name)
    wants = provider.echo != "none" or provider.thought_signatures
    return "calls" if wants else "nothing"


def _only_deltas(events: bytes) -> bool:
    unfinished = events.count(b'"finish_reason":null')
    return (
        unfinished > 0
        and events.count(b"data:") == events.count(b'"finish_reason"') == unfinished
        and b'"usage":{' not in events
        and b'"error"' not in events
    )


def _repair_response(body: bytes, dialect: str, reply: Reply) -> bytes:
    try:
        return response_repair.repair_response(body, dialect, reply)
    except RecursionError:
        return body


FORMAT = Format(
    name=NAME,
    parse_request=lambda body, _line: request_parsing.parse_request(body),
    render_request=_render_request,
    rewrite_request=_rewrite_request,
    refit_request=refitting.refit_request,
    wants_back=_wants_back,
    fetches=fetches,
    inline_media=inline_media,
    reply=lambda body, _line: request_parsing.read_reply(body, int(time.time())),
    parse_response=parse_response,
    render_response=render_response,
    parse_error=openai_errors.parse_error,
    find_error=errors.find_error,
    render_error=lambda error: RenderedError(*openai_errors.render_error(error)),
    decoder=ChatDecoder,
    encoder=ChatEncoder,
    only_deltas=_only_deltas,
    repairer=repair.repairer,
    repair_response=_repair_response,
)
