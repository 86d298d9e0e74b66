"""OpenAI's Responses: `POST /v1/responses` (https://platform.openai.com/docs/api-reference/responses).

The room for a change: `request_parsing` with `item_parsing`, `content_parsing` and `tool_parsing`
reads requests; `request_rendering` with `item_rendering` and `tool_rendering` writes them;
`rewriting` edits those that need no translation, `retelling` serves providers that do not know all
kinds of tools. `answer_reader` reads answers, plain (`response`) and streamed (`stream_decoder`);
`stream_encoder` writes both with `item_writing` and `response_object`. `tool_names` and
`builtin_tools` know the kinds of tools that exist here only.
"""

from __future__ import annotations

import time

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
from addon.formats.openai_responses import (
    errors,
    reply_reading,
    request_parsing,
    request_rendering,
    rewriting,
)
from addon.formats.openai_responses.response import parse_response, render_response
from addon.formats.openai_responses.retelling import (
    Retelling,
    needs_retelling,
    retell_response,
)
from addon.formats.openai_responses.stream_decoder import ResponsesDecoder
from addon.formats.openai_responses.stream_encoder import ResponsesEncoder
from addon.neutral import ErrorInfo, Loss, Request, Response
from addon.wire import openai_errors

NAME: FormatName = "openai-responses"

__all__ = ["FORMAT", "NAME"]


class OpenAIResponsesFormat:
    """The four roles of Responses; see `addon.formats.base.Format`."""

    name: FormatName = NAME

    def parse_request(self, body: bytes, line: RequestLine) -> Request:
        """Read an agent's request."""
        return request_parsing.parse_request(body)

    def render_request(self, request: Request, model: str, dialect: str) -> RenderedBody:
        """Write a request for one provider."""
        return request_rendering.render_request(request, model, dialect)

    def rewrite_request(
        self, body: bytes, line: RequestLine, model: str, dialect: str
    ) -> RenderedBody:
        """Adapt a request that is in this format already, in place."""
        if needs_retelling(self.reply(body, line), dialect):
            return self.render_request(self.parse_request(body, line), model, dialect)
        return rewriting.rewrite_request(body, model)

    def reply(self, body: bytes, line: RequestLine) -> Reply:
        """Read from the agent's request what shapes the answer."""
        return reply_reading.read_reply(body, int(time.time()))

    def parse_response(self, body: bytes) -> tuple[Response, tuple[Loss, ...]]:
        """Read a whole answer."""
        return parse_response(body)

    def render_response(self, response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
        """Write a whole answer."""
        return render_response(response, reply)

    def parse_error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo:
        """Read an error answer of whatever shape."""
        return openai_errors.parse_error(status, headers, body)

    def find_error(self, body: bytes) -> ErrorInfo | None:
        """Return the error that a body with status 200 holds, or None."""
        return errors.find_error(body)

    def render_error(self, error: ErrorInfo) -> RenderedError:
        """Write an error the way OpenAI would."""
        return RenderedError(*openai_errors.render_error(error))

    def decoder(self) -> StreamDecoder:
        """Make a reader for one provider stream."""
        return ResponsesDecoder()

    def encoder(self, reply: Reply) -> StreamEncoder:
        """Make a writer for one agent stream."""
        return ResponsesEncoder(reply)

    def only_deltas(self, events: bytes) -> bool:
        """Tell at a glance that whole wire events hold nothing but more of the answer."""
        deltas = events.count(b".delta\ndata:")
        if not events.startswith(b"event: ") or events.count(b"event: ") != deltas:
            return False
        return events.count(b"\ndata:") == deltas > 0

    def repairer(self, dialect: str, reply: Reply) -> StreamRepairer | None:
        """Make a reteller for providers that do not know all kinds of tools, else None."""
        return Retelling(reply) if needs_retelling(reply, dialect) else None

    def repair_response(self, body: bytes, dialect: str, reply: Reply) -> bytes:
        """Tell a whole answer again; the counterpart of `repairer`."""
        return retell_response(body, reply) if needs_retelling(reply, dialect) else body


FORMAT = OpenAIResponsesFormat()
