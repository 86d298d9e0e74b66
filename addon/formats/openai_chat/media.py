"""Pictures that the agent names by their address, for providers that fetch none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from addon.formats.openai_chat.dialects import dialect
from addon.neutral import FilePart, ImagePart, InlineMedia, UrlMedia
from addon.wire.codec import decode_object, encode
from addon.wire.data_urls import data_url
from addon.wire.json_edit import edit_object
from addon.wire.reading import mapping, sequence


def fetches(part: ImagePart | FilePart, _model: str, dialect_name: str) -> bool:
    """Tell whether a medium may be sent by its address, or could not be sent anyhow."""
    if not isinstance(part.source, UrlMedia):
        return True
    provider = dialect(dialect_name)
    return provider.images != "inline" if isinstance(part, ImagePart) else not provider.files


def inline_media(body: bytes, media: Mapping[str, InlineMedia]) -> bytes:
    """Put pictures in the place of their addresses; nothing but `messages` changes."""
    document = decode_object(body) or {}
    messages = sequence(document.get("messages"))
    changed = False
    for message in messages:
        for part in map(mapping, sequence(mapping(message).get("content"))):
            image = part.get("image_url")
            holder, key = (part, "image_url") if isinstance(image, str) else (mapping(image), "url")
            changed |= _replace(holder, key, media)
    return edit_object(body, {"messages": encode(messages)}) if changed else body


def _replace(holder: dict[str, Any], key: str, media: Mapping[str, InlineMedia]) -> bool:
    found = media.get(str(holder.get(key)))
    if found is not None:
        holder[key] = data_url(found)
    return found is not None
