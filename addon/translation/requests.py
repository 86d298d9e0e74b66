"""Translate an agent's request."""

from __future__ import annotations

import msgspec

from addon.formats import FORMATS, find_format
from addon.formats.base import FormatName, RenderedBody, RequestLine
from addon.neutral import DetourError, Loss, Request
from addon.providers import BUILT_IN, Destination, Provider
from addon.translation.media import NO_MEDIA, Media, media_losses, with_media
from addon.translation.origins import origin_of
from addon.translation.recalling import Memory

DEFAULT_PROVIDER: dict[FormatName, str] = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
}
"""Who is meant when only a format is named."""


class RenderedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request ready to be sent, but for the key."""

    method: str = "POST"
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    losses: tuple[Loss, ...] = ()
    origin: str = ""
    """Who makes the answer, where opaque state in it holds for such a request only."""


def translate_request(
    body: bytes,
    source: FormatName,
    target: FormatName,
    model: str | None = None,
    provider: str | None = None,
) -> RenderedRequest:
    """Translate a request from one format to another.

    Args:
        body: The agent's request.
        source: The format it is in.
        target: The format to write.
        model: The provider's name of the model; None keeps the agent's.
        provider: Id of a built-in provider; None takes the one that the target format comes from.

    Raises:
        ClientRequestError: The body cannot be read.
        UnsupportedFeature: It holds content that the target cannot express.
        DetourError: A format or the provider is unknown, or it does not offer the target format.
    """
    for name in (source, target):
        find_format(name)
    name = provider or DEFAULT_PROVIDER[target]
    chosen = BUILT_IN.get(name)
    if chosen is None:
        raise DetourError(f"unknown provider {name!r}; known are {', '.join(BUILT_IN)}")
    base_url = chosen.base_urls.get(target)
    if base_url is None:
        raise DetourError(f"provider {name!r} does not offer the format {target}")
    line = RequestLine()
    if model is None:
        model = FORMATS[source].reply(body, line).model or ""
    destination = Destination(chosen, target, base_url, model)
    return render_for(source, body, line, destination)


def render_for(
    agent_format: FormatName,
    body: bytes,
    line: RequestLine,
    destination: Destination,
    parsed: Request | None = None,
    memory: Memory | None = None,
    media: Media = NO_MEDIA,
) -> RenderedRequest:
    """Write an agent's request for a destination.

    Headers that rules.yaml adds come with the key (`Provider.auth_headers`): both may be secret.

    Args:
        agent_format: The format that the agent speaks.
        body: The agent's request, after the rule's own edits.
        line: Its request line.
        destination: Where it goes.
        parsed: The request, where it has been parsed already.
        memory: What is known of earlier turns; None leaves the agent's request as it is.
        media: Media that the destination cannot fetch by itself, see `media_to_fetch`.

    Raises:
        ClientRequestError: The body cannot be read.
        UnsupportedFeature: It holds content that the destination cannot express.
    """
    rendered = _render(agent_format, body, line, destination, parsed, memory, media)
    return locate(rendered, destination, media_losses(media))


def render_parsed(request: Request, destination: Destination) -> RenderedRequest:
    """Write a request of our own for a destination.

    Raises:
        UnsupportedFeature: It holds content that the destination cannot express.
    """
    dialect = dialect_of(destination.provider)
    written = FORMATS[destination.format].render_request(request, destination.model, dialect)
    return locate(written, destination)


def locate(
    rendered: RenderedBody, destination: Destination, losses: tuple[Loss, ...] = ()
) -> RenderedRequest:
    """Add the destination's address to a request, and further losses."""
    url = destination.base_url.rstrip("/") + rendered.path
    if query := destination.provider.query:
        url += ("&" if "?" in rendered.path else "?") + query
    return RenderedRequest(
        url=url,
        headers=list(rendered.headers),
        body=rendered.body,
        losses=(*rendered.losses, *losses),
        origin=rendered.origin,
    )


def _render(
    agent_format: FormatName,
    body: bytes,
    line: RequestLine,
    destination: Destination,
    parsed: Request | None,
    memory: Memory | None,
    media: Media,
) -> RenderedBody:
    dialect = dialect_of(destination.provider)
    if agent_format == destination.format:
        spoken = FORMATS[agent_format]
        if memory is not None:
            past = memory.past(agent_format, destination)
            body = spoken.refit_request(body, destination.model, dialect, past)
        if media:
            body = spoken.inline_media(body, media)
        return spoken.rewrite_request(body, line, destination.model, dialect)
    request = parsed or FORMATS[agent_format].parse_request(body, line)
    if memory is not None:
        request = memory.recall(request, destination)
    request = with_media(request, media)
    rendered = FORMATS[destination.format].render_request(request, destination.model, dialect)
    return msgspec.structs.replace(rendered, origin=origin_of(destination, request))


def dialect_of(provider: Provider) -> str:
    """Name the provider whose habits this one shares."""
    return provider.dialect or provider.id
