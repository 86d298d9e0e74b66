"""Content blocks, one at a time: from the wire to parts and from parts to the wire.

Follows https://docs.anthropic.com/en/api/messages (`content`) and the types of the vendor's SDK.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from addon.formats.base import FormatName
from addon.neutral import (
    CacheBreakpoint,
    ClientRequestError,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    LossList,
    MediaSource,
    PlainText,
    TextPart,
    UnsupportedFeature,
    UrlMedia,
)
from addon.wire.codec import decode_object
from addon.wire.reading import mapping, sequence, text

NAME: FormatName = "anthropic"

IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_IMAGE_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)

type Block = dict[str, Any]


def render_text(part: TextPart) -> Block:
    """Write a text block; the caller leaves blank ones out, which the API refuses."""
    return with_cache_control({"type": "text", "text": part.text}, part.cache_breakpoint)


def fetches(part: ImagePart | FilePart, _model: str, _dialect: str) -> bool:
    """Tell whether the API reads a medium at its address."""
    return not isinstance(part.source, UrlMedia) or part.source.url.startswith("https://")


def render_image(part: ImagePart, losses: LossList) -> Block:
    """Write an image block.

    Raises:
        UnsupportedFeature: The picture's place or type is one that the API cannot take.
    """
    if part.detail not in (None, "auto"):
        losses.dropped("image_url.detail", "Anthropic looks at pictures as they are")
    source: dict[str, Any]
    match part.source:
        case UrlMedia(url) if url.startswith("https://"):
            source = {"type": "url", "url": url}
        case UrlMedia(url):
            scheme = url.split(":", 1)[0]
            raise UnsupportedFeature("image_url", f"Anthropic fetches https only, not {scheme}")
        case InlineMedia(media_type, data):
            media_type = _image_type(media_type, data)
            source = {"type": "base64", "media_type": media_type, "data": data}
        case FileReference(format, file_id) if format == NAME:
            source = {"type": "file", "file_id": file_id}
        case FileReference():
            raise UnsupportedFeature("file_id", "the file lives at another provider")
        case PlainText():
            raise UnsupportedFeature("image_url", "text is no picture")
    return with_cache_control({"type": "image", "source": source}, part.cache_breakpoint)


def render_file(part: FilePart) -> Block:
    """Write a document block.

    Raises:
        UnsupportedFeature: The document's place or type is one that the API cannot take.
    """
    block: Block = {"type": "document", "source": _document_source(part.source)}
    if part.filename:
        block["title"] = part.filename
    if part.context:
        block["context"] = part.context
    if part.citations_enabled:
        block["citations"] = {"enabled": True}
    return with_cache_control(block, part.cache_breakpoint)


def with_cache_control(block: Block, breakpoint: CacheBreakpoint | None) -> Block:
    """Mark a block as the end of a stretch to cache."""
    if breakpoint is not None:
        block["cache_control"] = cache_control(breakpoint.ttl)
    return block


def cache_control(ttl: str | None) -> dict[str, str]:
    """Write a cache mark; five minutes are the API's default and left unsaid."""
    return {"type": "ephemeral", "ttl": "1h"} if ttl == "1h" else {"type": "ephemeral"}


def render_tool_input(arguments: str, losses: LossList) -> dict[str, Any]:
    """Turn a call's argument text into the object that the API demands.

    Text that is no JSON object (a call cut off, a model's slip) is kept under `_raw`: dropping the
    call would leave its result without a question.
    """
    if not arguments.strip():
        return {}
    parsed = decode_object(arguments)
    if parsed is None:
        losses.approximated("tool_calls.arguments", "not a JSON object; kept as text under `_raw`")
        return {"_raw": arguments}
    return parsed


def parse_cache_control(block: Block) -> CacheBreakpoint | None:
    """Read a block's cache mark."""
    mark = mapping(block.get("cache_control")) if "cache_control" in block else None
    if not mark:
        return None
    return CacheBreakpoint("1h" if mark.get("ttl") == "1h" else "5m")


def parse_media_source(value: object) -> MediaSource | None:
    """Read the `source` of an image or document block; None when it is of no known kind."""
    source = mapping(value)
    match source.get("type"):
        case "base64":
            return InlineMedia(text(source.get("media_type")), text(source.get("data")))
        case "url":
            return UrlMedia(text(source.get("url")))
        case "text":
            return PlainText(text(source.get("data")))
        case "file":
            return FileReference(NAME, text(source.get("file_id")))
        case "content":
            content = source.get("content")
            pieces = [content] if isinstance(content, str) else sequence(content)
            joined = "\n".join(
                piece if isinstance(piece, str) else text(mapping(piece).get("text"))
                for piece in pieces
            )
            return PlainText(joined)
        case _:
            return None


def _image_type(media_type: str, data: str) -> str:
    if media_type in IMAGE_TYPES:
        return media_type
    if media_type == "image/jpg":
        return "image/jpeg"
    try:
        head = base64.b64decode(data[:16])
    except (binascii.Error, ValueError):
        head = b""
    for magic, known in _IMAGE_MAGIC:
        if head.startswith(magic):
            return known
    raise UnsupportedFeature(
        "image_url", f"Anthropic takes PNG, JPEG, GIF and WebP, not {media_type or 'unknown data'}"
    )


def _document_source(source: MediaSource) -> dict[str, Any]:
    match source:
        case PlainText(content):
            return {"type": "text", "media_type": "text/plain", "data": content}
        case InlineMedia(media_type, data) if media_type == "application/pdf":
            return {"type": "base64", "media_type": media_type, "data": data}
        case InlineMedia(media_type, data) if media_type.startswith("text/"):
            return {"type": "text", "media_type": "text/plain", "data": _decode_text(data)}
        case InlineMedia(media_type, data):
            if data.startswith("JVBER"):  # "%PDF" in base64
                return {"type": "base64", "media_type": "application/pdf", "data": data}
            raise UnsupportedFeature(
                "file",
                f"Anthropic takes PDF and text documents, not {media_type or 'unknown data'}",
            )
        case UrlMedia(url) if url.startswith("https://"):
            return {"type": "url", "url": url}
        case UrlMedia():
            raise UnsupportedFeature("file_url", "Anthropic fetches documents over https only")
        case FileReference(format, file_id) if format == NAME:
            return {"type": "file", "file_id": file_id}
        case FileReference():
            raise UnsupportedFeature("file_id", "the file lives at another provider")


def _decode_text(data: str) -> str:
    try:
        return base64.b64decode(data, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise ClientRequestError("the file's data is not base64", "file_data") from None
