"""Google's Gemini: `POST /v1beta/models/X:generateContent` and `:streamGenerateContent`.

Follows https://ai.google.dev/api/generate-content. The room for a change: `request_parsing` reads
requests with the help of `content_parsing` and `tool_parsing`; `request_rendering` writes them with
`turns`, `content`, `tools` and `thinking`; `models` knows the generations, `schema` the dialects of
JSON Schema; `stream_decoder` reads answers with `answer_parts`, `streamed_arguments`
and `grounding`; `stream_encoder` writes them; `errors` holds errors; `counting` counts tokens.
"""

from __future__ import annotations

import re

from addon.formats.base import EVENT_STREAM, Format, Reply, RequestLine
from addon.formats.gemini import (
    errors,
    refitting,
    request_parsing,
    request_rendering,
    response,
    rewriting,
)
from addon.formats.gemini.content import fetches
from addon.formats.gemini.continuation import continuation
from addon.formats.gemini.names import NAME, endpoint_for_path, field, read_target
from addon.formats.gemini.stream_decoder import GeminiDecoder
from addon.formats.gemini.stream_encoder import JSON_ARRAY, GeminiEncoder, render_response
from addon.wire.opened_body import glance
from addon.wire.reading import mapping

__all__ = ["FORMAT", "NAME", "endpoint_for_path"]


_SETTINGS = ("generationConfig", "generation_config")
_MIME_TYPE = re.compile(rb"response_?[mM]ime_?[tT]ype")


def _reply(body: bytes, line: RequestLine) -> Reply:
    target = read_target(line)
    wire = glance(body, _SETTINGS) if _MIME_TYPE.search(body) else {}
    generation = mapping(field(wire, "generationConfig"))
    array = target.stream and not target.server_sent_events
    return Reply(
        model=target.model or None,
        stream=target.stream,
        stream_type=JSON_ARRAY if array else EVENT_STREAM,
        json_answer=field(generation, "responseMimeType") == "application/json",
    )


FORMAT = Format(
    name=NAME,
    parse_request=request_parsing.parse_request,
    render_request=request_rendering.render_request,
    rewrite_request=rewriting.rewrite_request,
    refit_request=refitting.refit_request,
    wants_back=lambda _model, _dialect: "words",
    fetches=fetches,
    reply=_reply,
    parse_response=response.parse_response,
    render_response=render_response,
    parse_error=errors.parse_error,
    find_error=response.find_error,
    render_error=errors.render_error,
    decoder=GeminiDecoder,
    encoder=GeminiEncoder,
    continuation=continuation,
)
