"""OpenAI's Responses: `POST /v1/responses` (https://platform.openai.com/docs/api-reference/responses).

The room for a change: `request_parsing` with `item_parsing`, `content_parsing` and `tool_parsing`
reads requests; `request_rendering` with `item_rendering` and `tool_rendering` writes them;
`rewriting` edits those that need no translation, `retelling` serves providers that do not know all
kinds of tools. `answer_reader` reads answers, plain (`response`) and streamed (`stream_decoder`);
`stream_encoder` writes both with `item_writing` and `response_object`. `tool_names` and
`builtin_tools` know the kinds of tools that exist here only.
"""

from __future__ import annotations

import itertools
import re
import time
from typing import Literal

from addon.formats.base import Format, RenderedBody, RenderedError, Reply, RequestLine
from addon.formats.openai_responses import (
    errors,
    reply_reading,
    request_parsing,
    request_rendering,
    rewriting,
)
from addon.formats.openai_responses.content_parsing import NAME
from addon.formats.openai_responses.dialects import dialect
from addon.formats.openai_responses.response import parse_response, render_response
from addon.formats.openai_responses.retelling import (
    needs_retelling,
    repairer,
    retell_response,
)
from addon.formats.openai_responses.stream_decoder import ResponsesDecoder
from addon.formats.openai_responses.stream_encoder import ResponsesEncoder
from addon.wire import openai_errors

__all__ = ["FORMAT", "NAME"]

_NUMBER = re.compile(rb'"sequence_number":\s*(\d+)')


def _rewrite_request(body: bytes, line: RequestLine, model: str, dialect: str) -> RenderedBody:
    if needs_retelling(_reply(body, line), dialect):
        return request_rendering.render_request(request_parsing.parse_request(body), model, dialect)
    return rewriting.rewrite_request(body, model)


def _wants_back(_model: str, dialect_name: str) -> Literal["nothing", "calls"]:
    provider = dialect(dialect_name)
    return "calls" if provider.encrypted or provider.open_thoughts else "nothing"


def _reply(body: bytes, _line: RequestLine) -> Reply:
    return reply_reading.read_reply(body, int(time.time()))


def _only_deltas(events: bytes) -> bool:
    deltas = events.count(b".delta\ndata:")
    if not events.startswith(b"event: ") or events.count(b"event: ") != deltas:
        return False
    return events.count(b"\ndata:") == deltas > 0


def _follow(passed: bytes, frame: bytes) -> bytes:
    """Go on with the numbers where the provider stopped."""
    told = _NUMBER.findall(passed)
    if not told:
        return frame
    numbers = itertools.count(int(told[-1]) + 1)
    return _NUMBER.sub(lambda _: b'"sequence_number":%d' % next(numbers), frame)


FORMAT = Format(
    name=NAME,
    parse_request=lambda body, _line: request_parsing.parse_request(body),
    render_request=request_rendering.render_request,
    rewrite_request=_rewrite_request,
    refit_request=rewriting.refit_request,
    wants_back=_wants_back,
    reply=_reply,
    parse_response=parse_response,
    render_response=render_response,
    parse_error=openai_errors.parse_error,
    find_error=errors.find_error,
    render_error=lambda error: RenderedError(*openai_errors.render_error(error)),
    decoder=ResponsesDecoder,
    encoder=ResponsesEncoder,
    only_deltas=_only_deltas,
    follow=_follow,
    repairer=repairer,
    repair_response=retell_response,
)
