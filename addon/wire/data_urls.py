"""Media given as a URL: a `data:` URL, an address to fetch, or bare base64."""

from __future__ import annotations

import base64
from urllib.parse import unquote_to_bytes

from addon.neutral import InlineMedia, MediaSource, UrlMedia


def parse_media(url: str) -> MediaSource:
    """Read a `data:` URL, another URL, or bare base64."""
    if not url.startswith("data:"):
        if url.startswith(("http://", "https://", "gs://", "file://")):
            return UrlMedia(url)
        return InlineMedia("", url)
    head, _, data = url[5:].partition(",")
    media_type, *parameters = head.split(";")
    if "base64" not in parameters:
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return InlineMedia(media_type.lower(), data)


def data_url(media: InlineMedia, media_type: str = "application/octet-stream") -> str:
    """Write media as a `data:` URL, of `media_type` unless it names its own."""
    return f"data:{media.media_type or media_type};base64,{media.data}"
