"""Anthropic's Messages: `POST /v1/messages` (https://docs.anthropic.com/en/api/messages).

The room for a change: `request_parsing` reads requests; `request_rendering` writes them with the
help of `turns`, `tools`, `thinking` and `structured_output`; `models` knows the generations;
`response`, `stream_decoder` and `stream_encoder` hold answers; `errors` errors.
"""

from __future__ import annotations

from addon.formats.anthropic import errors, request_parsing, request_rendering, rewriting
from addon.formats.anthropic.content import NAME
from addon.formats.anthropic.response import parse_response, render_response
from addon.formats.anthropic.stream_decoder import AnthropicDecoder
from addon.formats.anthropic.stream_encoder import AnthropicEncoder
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
from addon.neutral import ErrorInfo, Loss, Request, Response
from addon.wire.codec import decode_object
from addon.wire.reading import mapping, text

__all__ = ["FORMAT", "NAME"]


class AnthropicFormat:
    """The four roles of Anthropic's Messages; see `addon.formats.base.Format`."""

    name: FormatName = "anthropic"

    def parse_request(self, body: bytes, line: RequestLine) -> Request:
        """Read an agent's request."""
        return request_parsing.parse_request(body)

    def render_request(self, request: Request, model: str, dialect: str) -> RenderedBody:
        """Write a request; what may be said depends on the model alone, not on the dialect."""
        return request_rendering.render_request(request, model)

    def rewrite_request(
        self, body: bytes, line: RequestLine, model: str, dialect: str
    ) -> RenderedBody:
        """Adapt a request that is in this format already, in place."""
        return rewriting.rewrite_request(body, line, model)

    def reply(self, body: bytes, line: RequestLine) -> Reply:
        """Read from the agent's request what shapes the answer."""
        wire = decode_object(body) or {}
        wish = mapping(mapping(wire.get("output_config")).get("format"))
        return Reply(
            model=text(wire.get("model")) or None,
            stream=wire.get("stream") is True,
            json_answer=wish.get("type") == "json_schema",
        )

    def parse_response(self, body: bytes) -> tuple[Response, tuple[Loss, ...]]:
        """Read a whole answer."""
        return parse_response(body)

    def render_response(self, response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
        """Write a whole answer."""
        return render_response(response, reply)

    def parse_error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo:
        """Read an error answer of whatever shape."""
        return errors.parse_error(status, headers, body)

    def find_error(self, body: bytes) -> ErrorInfo | None:
        """Return the error that a body with status 200 holds, or None."""
        return errors.find_error(body)

    def render_error(self, error: ErrorInfo) -> RenderedError:
        """Write an error the way Anthropic would."""
        return errors.render_error(error)

    def decoder(self) -> StreamDecoder:
        """Make a reader for one provider stream."""
        return AnthropicDecoder()

    def encoder(self, reply: Reply) -> StreamEncoder:
        """Make a writer for one agent stream."""
        return AnthropicEncoder(reply)

    def only_deltas(self, events: bytes) -> bool:
        """Tell at a glance that whole wire events hold nothing but more of the answer."""
        deltas = events.count(b"event: content_block_delta\n")
        return deltas > 0 and events.count(b"event: ") == deltas

    def repairer(self, dialect: str, reply: Reply) -> StreamRepairer | None:
        """Return None: no provider is known to bend this format."""
        return None

    def repair_response(self, body: bytes, dialect: str, reply: Reply) -> bytes:
        """Return the answer as it is: no provider is known to bend this format."""
        return body


FORMAT = AnthropicFormat()
