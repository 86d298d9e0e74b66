"""Media that an agent names by their address, for providers that read no addresses.

Which ones those are, a format knows; somebody else has to fetch them. Here the address of a medium
gives way to the medium itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from addon.formats import FORMATS
from addon.neutral import (
    FilePart,
    ImagePart,
    InlineMedia,
    Loss,
    Message,
    Part,
    Request,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    UrlMedia,
)
from addon.providers import Destination

type Media = Mapping[str, InlineMedia]
"""Media by the address that the agent gave."""
type Wanted = Mapping[str, str]
"""Addresses of media, and what each must turn out to be: `image` or `file`."""

NO_MEDIA: Media = {}

_SAMPLE = ImagePart(UrlMedia("https://host.invalid/picture.png"))


def media_to_fetch(request: Request, destination: Destination) -> Wanted:
    """Name the media in a request that its destination cannot fetch by itself."""
    provider = destination.provider
    fetches = FORMATS[destination.format].fetches
    wanted: dict[str, str] = {}
    for part in _media(request):
        if isinstance(part.source, UrlMedia):
            url = part.source.url
            known = fetches(part, destination.model, provider.dialect)
            if not known and url.startswith(("http://", "https://")):
                wanted[url] = "image" if isinstance(part, ImagePart) else "file"
    return wanted


def fetches_pictures(destination: Destination) -> bool:
    """Tell whether a destination reads pictures at addresses like any other."""
    fetches = FORMATS[destination.format].fetches
    return fetches(_SAMPLE, destination.model, destination.provider.dialect)


def with_media(request: Request, media: Media) -> Request:
    """Put media in the place of their addresses."""
    if not media:
        return request
    messages = [
        Message(
            message.role,
            tuple(_fill(part, media) for part in message.parts),
            message.name,
            message.developer,
        )
        for message in request.messages
    ]
    return replace(request, messages=tuple(messages))


def media_losses(media: Media) -> tuple[Loss, ...]:
    """Say which media travel otherwise than the agent meant; of an address, only the host."""
    return tuple(
        Loss("media", f"fetched from {host_of(url)} by Detour and sent along", "emulated")
        for url in media
    )


def stand_ins(wanted: Wanted) -> Media:
    """Return something in the place of each medium, to show what a request would look like."""
    types = {"image": "image/png", "file": "application/pdf"}
    return {
        url: InlineMedia(types[kind], f"(fetched from {host_of(url)})")
        for url, kind in wanted.items()
    }


def host_of(url: str) -> str:
    """Name the host of an address, which is all of it that may be shown: the rest may be secret."""
    try:
        return urlsplit(url).hostname or "an unnamed host"
    except ValueError:
        return "an unreadable address"


def _media(request: Request) -> list[ImagePart | FilePart]:
    """Return what is shown to the model, results of tools included."""
    found: list[ImagePart | FilePart] = []
    for message in request.messages:
        for part in message.parts:
            # By their very types: hundreds of parts are looked at, and few are media.
            kind = type(part)
            if kind is TextPart or kind is ToolCallPart:
                continue
            for piece in part.content if type(part) is ToolResultPart else (part,):
                if type(piece) is ImagePart or type(piece) is FilePart:
                    found.append(piece)
    return found


def _fill[Kind: Part](part: Kind, media: Media) -> Kind:
    match part:
        case ImagePart(UrlMedia(url)) if url in media:
            return replace(part, source=media[url])
        case FilePart(UrlMedia(url)) if url in media:
            return replace(part, source=media[url], filename=part.filename or _file_name(url))
        case ToolResultPart():
            return replace(part, content=tuple(_fill(piece, media) for piece in part.content))
        case _:
            return part


def _file_name(url: str) -> str | None:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or None
