"""Count tokens: `POST /v1/responses/input_tokens`.

Follows https://platform.openai.com/docs/api-reference/responses/input-tokens.
"""

from __future__ import annotations

from msgspec.structs import replace

from addon.formats.base import RenderedBody, RequestLine, TokenCounting
from addon.formats.openai_responses import request_parsing, request_rendering, rewriting
from addon.formats.openai_responses.reply_reading import read_reply
from addon.formats.openai_responses.retelling import needs_retelling
from addon.neutral import Request
from addon.wire.codec import decode_object, encode
from addon.wire.reading import integer

PATH = "/responses/input_tokens"

_FIELDS = frozenset(
    (
        "conversation",
        "input",
        "instructions",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    )
)


def parse_request(body: bytes, line: RequestLine) -> Request:
    """Read an agent's request."""
    return request_parsing.parse_request(body)


def render_request(request: Request, model: str, dialect: str) -> RenderedBody:
    """Write a request: what counts of one for an answer."""
    rendered = request_rendering.render_request(replace(request, stream=False), model, dialect)
    wire = decode_object(rendered.body) or {}
    kept = {name: value for name, value in wire.items() if name in _FIELDS}
    return replace(rendered, path=PATH, body=encode(kept))


def rewrite_request(body: bytes, line: RequestLine, model: str, dialect: str) -> RenderedBody:
    """Put `model` in the place of the agent's."""
    if needs_retelling(read_reply(body, 0), dialect):
        return render_request(parse_request(body, line), model, dialect)
    return replace(rewriting.rewrite_request(body, model), path=PATH)


def parse_count(body: bytes) -> int | None:
    """Read the provider's answer."""
    return integer((decode_object(body) or {}).get("input_tokens"))


def render_count(tokens: int) -> bytes:
    """Write the answer for the agent."""
    return encode({"object": "response.input_tokens", "input_tokens": tokens})


COUNTING = TokenCounting(
    fields=_FIELDS,
    parse_request=parse_request,
    render_request=render_request,
    rewrite_request=rewrite_request,
    parse_count=parse_count,
    render_count=render_count,
)
