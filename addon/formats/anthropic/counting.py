"""Count tokens: `POST /v1/messages/count_tokens`.

Follows https://docs.anthropic.com/en/api/messages-count-tokens.
"""

from __future__ import annotations

from msgspec.structs import replace

from addon.formats.anthropic import request_parsing, request_rendering, rewriting
from addon.formats.base import RenderedBody, RequestLine, TokenCounting
from addon.neutral import Request
from addon.wire.codec import decode_object, encode
from addon.wire.reading import integer

PATH = "/v1/messages/count_tokens"

_FIELDS = frozenset(
    (
        "cache_control",
        "messages",
        "model",
        "output_config",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    )
)


def parse_request(body: bytes, line: RequestLine) -> Request:
    """Read an agent's request."""
    return request_parsing.parse_request(body)


def render_request(request: Request, model: str, dialect: str) -> RenderedBody:
    """Write a request: what counts of one for an answer."""
    rendered = request_rendering.render_request(replace(request, stream=False), model)
    wire = decode_object(rendered.body) or {}
    kept = {name: value for name, value in wire.items() if name in _FIELDS}
    return replace(rendered, path=PATH, body=encode(kept))


def rewrite_request(body: bytes, line: RequestLine, model: str, dialect: str) -> RenderedBody:
    """Put `model` in the place of the agent's, and fit the request to it."""
    path = line.path or PATH
    return rewriting.rewrite_request(body, RequestLine(path, line.query), model, dialect)


def parse_count(body: bytes) -> int | None:
    """Read the provider's answer."""
    return integer((decode_object(body) or {}).get("input_tokens"))


def render_count(tokens: int) -> bytes:
    """Write the answer for the agent."""
    return encode({"input_tokens": tokens})


COUNTING = TokenCounting(
    fields=_FIELDS,
    parse_request=parse_request,
    render_request=render_request,
    rewrite_request=rewrite_request,
    parse_count=parse_count,
    render_count=render_count,
)
