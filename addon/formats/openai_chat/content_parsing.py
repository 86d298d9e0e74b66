"""Read the content of a message: a string, null, or a list of parts.

Beside OpenAI's own parts and cache markers (`prompt_cache_breakpoint`), the de-facto extensions of
other gateways are understood: `cache_control` on a part, and `thinking` parts.
"""

from __future__ import annotations

from typing import Literal

from addon.formats.base import FormatName
from addon.neutral import (
    AudioPart,
    CacheBreakpoint,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    MediaSource,
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
)
from addon.wire.data_urls import parse_media
from addon.wire.reading import mapping
from addon.wire.request_fields import Fields

type CacheTtl = Literal["5m", "1h"]

NAME: FormatName = "openai-chat"

USER_PARTS = ("text", "image_url", "input_audio", "file")
_FOREIGN_FILES = ("document_url", "file_url")
"""What Mistral and Perplexity call a document."""
ASSISTANT_PARTS = ("text", "refusal", "thinking")
SYSTEM_PARTS = ("text",)
TOOL_PARTS = ("text", "image_url", "file")
"""OpenAI allows text only; compatible providers take pictures too, so agents may send them."""

_MARKS = ("cache_control", "prompt_cache_breakpoint")
_CACHE_MARKS = frozenset(_MARKS)
_KNOWN: dict[str, frozenset[str]] = {
    kind: frozenset(("type", kind, *_MARKS))
    for kind in (*USER_PARTS, *ASSISTANT_PARTS, *_FOREIGN_FILES)
}
_KNOWN["document_url"] |= {"document_name"}
_KNOWN["input_audio"] = frozenset(("input_audio", "type"))
_KNOWN_OF_IMAGE = frozenset(("detail", "url"))
_KNOWN_OF_AUDIO = frozenset(("data", "format"))
_KNOWN_OF_FILE = frozenset(("file_data", "file_id", "filename"))

_AUDIO_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_SHORT_TTLS = ("5m", "in_memory")


def parse_content(
    message: Fields, allowed: tuple[str, ...], ttl: CacheTtl | None = None
) -> tuple[Part, ...]:
    """Read `content`.

    Args:
        message: The message that holds it.
        allowed: Types that parts may have in a message of this role.
        ttl: How long the request as a whole asks to be cached.
    """
    content = message.value.get("content")
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content, cache_breakpoint=parse_cache_breakpoint(message, ttl)),)
    if not isinstance(content, list):
        message.wrong_type("content", "one of a string or array of objects")
    return tuple(_parse_part(part, allowed, ttl) for part in message.objects("content"))


def parse_text_content(
    message: Fields, ttl: CacheTtl | None = None, allowed: tuple[str, ...] = SYSTEM_PARTS
) -> tuple[TextPart, ...]:
    """Read `content` that may hold nothing but text."""
    return tuple(
        part for part in parse_content(message, allowed, ttl) if isinstance(part, TextPart)
    )


def parse_tool_content(
    message: Fields, ttl: CacheTtl | None
) -> tuple[TextPart | ImagePart | FilePart | NativePart, ...]:
    """Read the `content` of a tool's result."""
    return tuple(
        part
        for part in parse_content(message, TOOL_PARTS, ttl)
        if isinstance(part, (TextPart, ImagePart, FilePart))
    )


def parse_cache_breakpoint(fields: Fields, ttl: CacheTtl | None) -> CacheBreakpoint | None:
    """Read a cache marker; one that gives no time inherits the request's."""
    if _CACHE_MARKS.isdisjoint(fields.value):
        return None
    marker = fields.object("prompt_cache_breakpoint") or fields.object("cache_control")
    if marker is None:
        return None
    own = marker.text("ttl")
    if own is None:
        return CacheBreakpoint(ttl or "5m")
    return CacheBreakpoint("5m" if own in _SHORT_TTLS else "1h")


def _parse_part(part: Fields, allowed: tuple[str, ...], ttl: CacheTtl | None) -> Part:
    kind = part.required_text("type")
    part.knows(_KNOWN.get(kind, frozenset()))
    cache_breakpoint = parse_cache_breakpoint(part, ttl)
    if kind in _FOREIGN_FILES and "file" in allowed:
        return FilePart(parse_media(_address(part, kind)), part.text("document_name"))
    if kind not in allowed:
        part.wrong_value("type", allowed)
    match kind:
        case "text":
            return TextPart(part.required_text("text"), cache_breakpoint=cache_breakpoint)
        case "image_url":
            detail = Fields(mapping(part.value.get(kind))).text("detail")
            return ImagePart(parse_media(_address(part, kind)), detail, cache_breakpoint)
        case "input_audio":
            audio = part.required_object("input_audio")
            audio.knows(_KNOWN_OF_AUDIO)
            encoding = audio.required_text("format")
            media_type = _AUDIO_TYPES.get(encoding, f"audio/{encoding}")
            return AudioPart(InlineMedia(media_type, audio.required_text("data")), encoding)
        case "file":
            return _parse_file(part.required_object("file"), cache_breakpoint)
        case "refusal":
            return RefusalPart(part.required_text("refusal"))
        case _:
            return ReasoningPart(_thinking(part))


def _address(part: Fields, key: str) -> str:
    """Read an address; OpenAI also accepts a bare string, which it does not document."""
    if isinstance(part.value.get(key), str):
        return part.required_text(key)
    address = part.required_object(key)
    address.knows(_KNOWN_OF_IMAGE)
    return address.required_text("url")


def _parse_file(file: Fields, cache_breakpoint: CacheBreakpoint | None) -> FilePart:
    file.knows(_KNOWN_OF_FILE)
    filename = file.text("filename")
    if (identifier := file.text("file_id")) is not None:
        source: MediaSource = FileReference(NAME, identifier)
    else:
        source = parse_media(file.required_text("file_data"))
    return FilePart(source, filename, cache_breakpoint=cache_breakpoint)


def _thinking(part: Fields) -> str:
    if isinstance(part.value.get("thinking"), str):
        return part.required_text("thinking")
    return "".join(piece.text("text") or "" for piece in part.objects("thinking"))
