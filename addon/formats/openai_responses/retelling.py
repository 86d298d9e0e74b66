"""Answers of a provider that offers the format but not all its kinds of tools.

Custom tools, namespaces and built-in tools of the agent's own are known to OpenAI alone; elsewhere
the request goes out with plain functions in their place (see `rewriting`), and the answer has to be
told again with the tools that the agent declared.
"""

from __future__ import annotations

from addon.formats.base import Reply
from addon.formats.openai_responses.dialects import dialect
from addon.formats.openai_responses.reply_reading import wishes_of
from addon.formats.openai_responses.response import parse_response, render_response
from addon.formats.openai_responses.stream_decoder import ResponsesDecoder
from addon.formats.openai_responses.stream_encoder import ResponsesEncoder
from addon.neutral import Event, ProviderResponseError


def needs_retelling(reply: Reply, dialect_name: str) -> bool:
    """Tell whether an answer cannot pass as it is.

    The request uses kinds of tools that the provider has never heard of, or the response bears an
    id of ours.
    """
    if wishes_of(reply).response_id:
        return True
    if dialect(dialect_name).custom_tools:
        return False
    routes = wishes_of(reply).routes.values()
    return any(route.kind != "function" or route.namespace for route in routes)


class Retelling:
    """Reads a stream and writes it again in the agent's own terms."""

    def __init__(self, reply: Reply) -> None:
        self._decoder = ResponsesDecoder()
        self._encoder = ResponsesEncoder(reply)

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return whole wire events."""
        return self._write(self._decoder.feed(data))

    def close(self) -> bytes:
        """Return what ends the agent's stream, in an error unless the answer was complete."""
        return self._write(self._decoder.feed_eof())

    def _write(self, events: list[Event]) -> bytes:
        return b"".join(map(self._encoder.encode, events))


def repairer(dialect_name: str, reply: Reply) -> Retelling | None:
    """Make a reteller for a provider that does not know all of the agent's kinds of tools."""
    return Retelling(reply) if needs_retelling(reply, dialect_name) else None


def retell_response(body: bytes, dialect_name: str, reply: Reply) -> bytes:
    """Write a whole answer again where `repairer` does; the same bytes where it cannot be read."""
    if not needs_retelling(reply, dialect_name):
        return body
    try:
        response, _ = parse_response(body)
    except ProviderResponseError:
        return body
    return render_response(response, reply)[0]
