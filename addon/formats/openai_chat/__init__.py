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
from addon.formats.openai_chat import (
    errors,
    repair,
    request_parsing,
    request_rendering,
    response_repair,
    rewriting,
)
from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.response import parse_response, render_response
from addon.formats.openai_chat.stream_decoder import ChatDecoder
from addon.formats.openai_chat.stream_encoder import ChatEncoder
from addon.neutral import ClientRequestError, ErrorInfo, Loss, Request, Response
from addon.wire import openai_errors

__all__ = ["FORMAT", "NAME"]


class OpenAIChatFormat:
    """The four roles of Chat Completions; see `addon.formats.base.Format`."""

    name: FormatName = NAME

    def parse_request(self, body: bytes, line: RequestLine) -> Request:
        """Read an agent's request."""
        return request_parsing.parse_request(body)

    def render_request(self, request: Request, model: str, dialect: str) -> RenderedBody:
        """Write a request for one provider."""
        try:
            return request_rendering.render_request(request, model, dialect)
        except RecursionError:
            raise ClientRequestError("The request is nested too deeply.") from None

    def rewrite_request(
        self, body: bytes, line: RequestLine, model: str, dialect: str
    ) -> RenderedBody:
        """Adapt a request that is in this format already, in place."""
        try:
            return rewriting.rewrite_request(body, model, dialect)
        except RecursionError:
            raise ClientRequestError("The request is nested too deeply.") from None

    def reply(self, body: bytes, line: RequestLine) -> Reply:
        """Read from the agent's request what shapes the answer."""
        return request_parsing.read_reply(body, int(time.time()))

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
        return ChatDecoder()

    def encoder(self, reply: Reply) -> StreamEncoder:
        """Make a writer for one agent stream."""
        return ChatEncoder(reply)

    def only_deltas(self, events: bytes) -> bool:
        """Tell at a glance that whole wire events hold nothing but more of the answer."""
        unfinished = events.count(b'"finish_reason":null')
        return (
            unfinished > 0
            and events.count(b"data:") == events.count(b'"finish_reason"') == unfinished
            and b'"usage":{' not in events
            and b'"error"' not in events
        )

    def repairer(self, dialect: str, reply: Reply) -> StreamRepairer | None:
        """Make a pass-through that mends a provider's dialect, or None for OpenAI itself."""
        return repair.repairer(dialect, reply)

    def repair_response(self, body: bytes, dialect: str, reply: Reply) -> bytes:
        """Mend a whole answer of a provider's dialect; the counterpart of `repairer`."""
        try:
            return response_repair.repair_response(body, dialect, reply)
        except RecursionError:
            return body


FORMAT = OpenAIChatFormat()
