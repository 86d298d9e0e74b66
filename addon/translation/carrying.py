"""Requests to endpoints in which nothing is translated: they go on with another model and address.

Embeddings have two wire formats, OpenAI's and Gemini's; filling in between two texts has several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from addon.formats.base import FormatName, Headers, RenderedBody, RequestLine
from addon.formats.embeddings import gemini, openai
from addon.formats.embeddings.request import parse_request
from addon.formats.endpoints import COMPLETIONS, EMBEDDINGS, path_below
from addon.formats.gemini.models import VERTEX
from addon.formats.openai_chat.infill import WAYS, has_suffix, render_infill
from addon.neutral import Loss, UnsupportedFeature
from addon.providers import Destination
from addon.translation.model_fields import with_model
from addon.translation.requests import RenderedRequest, locate

OPENAI_FORMATS: tuple[FormatName, ...] = ("openai-chat", "openai-responses")
_BATCHES = "batches"
_OTHER_MODELS = Loss(
    "model", "each line of the batch's file keeps the model that it names", "dropped"
)
_FORWARDED = ("accept", "content-type", "openai-beta")
"""Headers of the agent that say what it sends and wants; no other one goes on."""


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """A request ready to be sent, but for the key."""

    destination: Destination
    """Where it goes, with the base URL and format that the endpoint is in."""
    rendered: RenderedRequest
    following: tuple[bytes, ...] = ()
    """Bodies of further requests, to be sent one after the other."""
    join: Callable[[Sequence[bytes]], bytes] | None = None
    """Makes the agent's answer of the answers; None: there is one, and it passes as it is."""


def carry(
    method: str, line: RequestLine, headers: Headers, body: bytes, destination: Destination
) -> Carried:
    """Write an agent's request for a destination.

    Args:
        method: The agent's.
        line: Its path, below `/v1`, and query.
        headers: Its headers; only what says how the body is to be read goes on.
        body: Its body, after the rule's own edits.
        destination: Where it goes, as rules say it.

    Raises:
        ClientRequestError: The body cannot be read.
        UnsupportedFeature: The destination cannot be called in this way.
    """
    path = path_below(line.path)
    if path == EMBEDDINGS and method == "POST":
        return _carry_embeddings(body, destination)
    if path == COMPLETIONS and (way := WAYS.get(destination.provider.dialect)) and has_suffix(body):
        there = _in_openai_format(destination, path)
        there = Destination(there.provider, there.format, way.base_url(there.base_url), there.model)
        rendered = render_infill(body, there.model, way)
        return Carried(destination=there, rendered=locate(rendered, there))
    destination = _in_openai_format(destination, path)
    body, line = with_model(body, headers, line, destination.model)
    unnamed = path == _BATCHES and method == "POST" and destination.model
    rendered = RenderedBody(
        path=f"/{path}" + (f"?{line.query}" if line.query else ""),
        headers=tuple((n.lower(), v) for n, v in headers if n.lower() in _FORWARDED),
        body=body,
        losses=(_OTHER_MODELS,) if unnamed else (),
    )
    located = msgspec.structs.replace(locate(rendered, destination), method=method)
    return Carried(destination=destination, rendered=located)


def _carry_embeddings(body: bytes, destination: Destination) -> Carried:
    urls = destination.provider.base_urls
    if destination.provider.dialect == VERTEX:
        raise UnsupportedFeature("embeddings", "Detour does not know those of Vertex AI")
    if destination.provider.dialect == "google" and "gemini" in urls:
        request = parse_request(body)
        there = Destination(destination.provider, "gemini", urls["gemini"], destination.model)
        rendered = gemini.render_requests(request, destination.model)
        return _several(there, rendered, partial(gemini.join_answers, request))
    there = _in_openai_format(destination, EMBEDDINGS)
    dialect = destination.provider.dialect
    habits = openai.habits(dialect)
    if habits.none:
        rendered = openai.rewrite_request(body, destination.model)
        return Carried(destination=there, rendered=locate(rendered, there))
    request = parse_request(body)
    rendered = openai.render_requests(body, request, destination.model, dialect)
    return _several(there, rendered, partial(openai.join_answers, request))


def _several(
    destination: Destination,
    rendered: Sequence[RenderedBody],
    join: Callable[[Sequence[bytes]], bytes],
) -> Carried:
    first, *others = rendered
    return Carried(
        destination=destination,
        rendered=locate(first, destination),
        following=tuple(other.body for other in others),
        join=join,
    )


def _in_openai_format(destination: Destination, path: str) -> Destination:
    """Take the base URL of the provider that OpenAI's other endpoints lie below."""
    if destination.format in OPENAI_FORMATS:
        return destination
    urls = destination.provider.base_urls
    for name in OPENAI_FORMATS:
        if name in urls:
            return Destination(destination.provider, name, urls[name], destination.model)
    reason = f"{destination.provider.id} has no base_url in OpenAI's format"
    raise UnsupportedFeature(path, reason)
