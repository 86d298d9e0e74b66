"""Anthropic's Messages: `POST /v1/messages` (https://docs.anthropic.com/en/api/messages).

The room for a change: `request_parsing` reads requests; `request_rendering` writes them with the
help of `turns`, `tools`, `thinking` and `structured_output`; `models` knows the generations;
`response`, `stream_decoder` and `stream_encoder` hold answers, `continuation` goes on with those
that are suspended; `errors` holds errors, `counting` counts tokens.
"""

from __future__ import annotations

from addon.formats.anthropic import (
    errors,
    refitting,
    request_parsing,
    request_rendering,
    rewriting,
)
from addon.formats.anthropic.content import NAME, fetches
from addon.formats.anthropic.continuation import continuation
from addon.formats.anthropic.models import claude_model
from addon.formats.anthropic.response import parse_response, render_response
from addon.formats.anthropic.stream_decoder import AnthropicDecoder
from addon.formats.anthropic.stream_encoder import AnthropicEncoder
from addon.formats.base import Format, Reply, RequestLine
from addon.wire.opened_body import glance
from addon.wire.reading import mapping, text

__all__ = ["FORMAT", "NAME"]


def _reply(body: bytes, _line: RequestLine) -> Reply:
    wire = glance(body, ("model", "output_config", "stream"))
    wish = mapping(mapping(wire.get("output_config")).get("format"))
    return Reply(
        model=text(wire.get("model")) or None,
        stream=wire.get("stream") is True,
        json_answer=wish.get("type") == "json_schema",
    )


def _only_deltas(events: bytes) -> bool:
    deltas = events.count(b"event: content_block_delta\n")
    whole = deltas > 0 and events.count(b"event: ") == deltas
    return whole and b'"signature_delta"' not in events


FORMAT = Format(
    name=NAME,
    parse_request=lambda body, _line: request_parsing.parse_request(body),
    # What may be said depends on the model alone, not on the dialect.
    render_request=lambda request, model, _: request_rendering.render_request(request, model),
    rewrite_request=rewriting.rewrite_request,
    binds_state=lambda model: claude_model(model).bound_thinking,
    without_refused_state=refitting.without_refused_thoughts,
    refit_request=refitting.refit_request,
    wants_back=lambda model, _: "nothing" if claude_model(model).thinking == "none" else "calls",
    fetches=fetches,
    reply=_reply,
    parse_response=parse_response,
    render_response=render_response,
    parse_error=errors.parse_error,
    find_error=errors.find_error,
    render_error=errors.render_error,
    decoder=AnthropicDecoder,
    encoder=AnthropicEncoder,
    continuation=continuation,
    only_deltas=_only_deltas,
)
