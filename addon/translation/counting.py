"""Translate an agent's request for a count of tokens, and the answer to it."""

from __future__ import annotations

from addon.formats import COUNTING, FORMATS
from addon.formats.base import FormatName, RequestLine
from addon.neutral import Request, UnsupportedFeature
from addon.providers import Destination
from addon.translation.recalling import Memory
from addon.translation.requests import RenderedRequest, dialect_of, locate


def render_count_for(
    agent_format: FormatName,
    body: bytes,
    line: RequestLine,
    destination: Destination,
    parsed: Request | None = None,
    memory: Memory | None = None,
) -> RenderedRequest | None:
    """Write an agent's request for a count at a destination.

    Args:
        agent_format: The format that the agent speaks.
        body: The agent's request, after the rule's own edits.
        line: Its request line.
        destination: Who is to count.
        parsed: The request, where it has been parsed already.
        memory: What is known of earlier turns, which count too.

    Returns:
        The request; None where the destination cannot count it.

    Raises:
        ClientRequestError: The body cannot be read.
    """
    counting = COUNTING.get(destination.format)
    if counting is None:
        return None
    dialect = dialect_of(destination.provider)
    try:
        if agent_format == destination.format:
            if memory is not None:
                past = memory.past(agent_format, destination)
                body = FORMATS[agent_format].refit_request(body, destination.model, dialect, past)
            rendered = counting.rewrite_request(body, line, destination.model, dialect)
        else:
            request = parsed or COUNTING[agent_format].parse_request(body, line)
            if memory is not None:
                request = memory.recall(request, destination)
            rendered = counting.render_request(request, destination.model, dialect)
    except UnsupportedFeature:
        return None
    return locate(rendered, destination)


def translate_count(body: bytes, source: FormatName, target: FormatName) -> bytes | None:
    """Write a provider's count for the agent; None where the provider's answer holds none."""
    tokens = COUNTING[source].parse_count(body)
    if tokens is None:
        return None
    return body if source == target else COUNTING[target].render_count(tokens)
