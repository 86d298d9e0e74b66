"""Google's Gemini: `POST /v1beta/models/X:generateContent` and `:streamGenerateContent`.

Follows https://ai.google.dev/api/generate-content. The room for a change: `request_parsing` reads
requests with the help of `content_parsing` and `tool_parsing`; `request_rendering` writes them with
`turns`, `content`, `tools` and `thinking`; `models` knows the generations, `schema` the dialects of
JSON Schema; `stream_decoder` reads answers with `answer_parts`, `streamed_arguments`
and `grounding`; `stream_encoder` writes them; `errors` holds errors.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from addon.formats.base import (
    FormatName,
    Headers,
    RenderedBody,
    RenderedError,
    Reply,
    RequestLine,
    StreamDecoder,
    StreamEncoder,
    StreamRepairer,
)
from addon.formats.gemini import errors, request_parsing, request_rendering, response, rewriting
from addon.formats.gemini.names import NAME, field, is_generate_path, read_target
from addon.formats.gemini.stream_decoder import GeminiDecoder
from addon.formats.gemini.stream_encoder import JSON_ARRAY, GeminiEncoder, render_response
from addon.neutral import ErrorInfo, Loss, Request, Response
from addon.wire.codec import decode_object
from addon.wire.reading import mapping

__all__ = ["FORMAT", "NAME", "is_generate_path"]


_MIME_TYPE = re.compile(rb"response_?[mM]ime_?[tT]ype")


class GeminiFormat:
    """The four roles of Gemini's `generateContent`; see `addon.formats.base.Format`."""

    name: FormatName = "gemini"

    def parse_request(self, body: bytes, line: RequestLine) -> Request:
        """Read an agent's request."""
        return request_parsing.parse_request(body, line)

    def render_request(self, request: Request, model: str, dialect: str) -> RenderedBody:
        """Write a request; the dialect decides on the path alone."""
        return request_rendering.render_request(request, model, dialect)

    def rewrite_request(
        self, body: bytes, line: RequestLine, model: str, dialect: str
    ) -> RenderedBody:
        """Adapt a request that is in this format already, in place."""
        return rewriting.rewrite_request(body, line, model, dialect)

    def reply(self, body: bytes, line: RequestLine) -> Reply:
        """Read from the agent's request what shapes the answer."""
        target = read_target(line)
        wire = decode_object(body) or {} if _MIME_TYPE.search(body) else {}
        generation = mapping(field(wire, "generationConfig"))
        reply = Reply(
            model=target.model or None,
            stream=target.stream,
            json_answer=field(generation, "responseMimeType") == "application/json",
        )
        if target.stream and not target.server_sent_events:
            array = {JSON_ARRAY: True}
            reply = replace(reply, stream_type="application/json", extensions=array)
        return reply

    def parse_response(self, body: bytes) -> tuple[Response, tuple[Loss, ...]]:
        """Read a whole answer."""
        return response.parse_response(body)

    def render_response(self, response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
        """Write a whole answer."""
        return render_response(response, reply)

    def parse_error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo:
        """Read an error answer of whatever shape."""
        return errors.parse_error(status, headers, body)

    def find_error(self, body: bytes) -> ErrorInfo | None:
        """Return the error that a body with status 200 holds, or None."""
        return response.find_error(body)

    def render_error(self, error: ErrorInfo) -> RenderedError:
        """Write an error the way Google would."""
        return errors.render_error(error)

    def decoder(self) -> StreamDecoder:
        """Make a reader for one provider stream."""
        return GeminiDecoder()

    def encoder(self, reply: Reply) -> StreamEncoder:
        """Make a writer for one agent stream."""
        return GeminiEncoder(reply)

    def only_deltas(self, events: bytes) -> bool:
        """Return False: every chunk may tell usage, and most do."""
        return False

    def repairer(self, dialect: str, reply: Reply) -> StreamRepairer | None:
        """Return None: no provider is known to bend this format."""
        return None

    def repair_response(self, body: bytes, dialect: str, reply: Reply) -> bytes:
        """Return the answer as it is: no provider is known to bend this format."""
        return body


FORMAT = GeminiFormat()
