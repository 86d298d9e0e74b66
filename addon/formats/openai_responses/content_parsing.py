"""Read the content of a message or of a tool's output: a string, or a list of parts.

Parts of either side are accepted in any role: agents that rebuild a history mix `input_text` and
`output_text`, and some write Chat's `text`.
"""

from __future__ import annotations

from addon.formats.base import FormatName
from addon.neutral import (
    AudioPart,
    CacheBreakpoint,
    Citation,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    NativePart,
    Part,
    RefusalPart,
    TextPart,
)
from addon.wire.data_urls import parse_media
from addon.wire.reading import integer, mapping, sequence, text
from addon.wire.request_fields import Fields

NAME: FormatName = "openai-responses"

_TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_PARTS = (*_TEXTS, "refusal", "input_image", "input_file", "input_audio", "computer_screenshot")
_MARKED = frozenset(("prompt_cache_breakpoint", "type"))
_KNOWN_OF_TEXT = _MARKED | {"text"}
_KNOWN_OF_PART = {
    "refusal": _MARKED | {"refusal"},
    "input_image": _MARKED | {"detail", "file_id", "image_url"},
    "computer_screenshot": _MARKED | {"detail", "file_id", "image_url"},
    "input_file": _MARKED | {"file_data", "file_id", "file_url", "filename"},
    "input_audio": frozenset(("input_audio", "type")),
}
_KNOWN_OF_MARK = frozenset(("mode", "ttl"))
"""The one mode is the one that a mark stands for."""

_AUDIO_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def parse_content(holder: Fields, key: str = "content") -> tuple[Part, ...]:
    """Read the member `key`; absent and null are empty."""
    content = holder.value.get(key)
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content),)
    if not isinstance(content, list):
        holder.wrong_type(key, "one of a string or array of objects")
    return tuple(_parse_part(part) for part in holder.objects(key))


def parse_output(
    holder: Fields, key: str = "output"
) -> tuple[TextPart | ImagePart | FilePart | NativePart, ...]:
    """Read what a tool gave back."""
    content: list[TextPart | ImagePart | FilePart | NativePart] = []
    for part in parse_content(holder, key):
        if isinstance(part, (TextPart, ImagePart, FilePart)):
            content.append(part)
        else:
            holder.lose(key)
    return tuple(content)


def parse_annotations(wire: object) -> tuple[Citation, ...]:
    """Read the web sources among annotations; files and paths are passed over."""
    citations: list[Citation] = []
    for item in sequence(wire):
        source = mapping(item)
        url = text(source.get("url"))
        if source.get("type") == "url_citation" and url:
            end = integer(source.get("end_index")) or None
            start = integer(source.get("start_index")) if end else None
            citations.append(Citation(url, text(source.get("title")), start=start, end=end))
    return tuple(citations)


def _parse_part(part: Fields) -> Part:
    kind = part.required_text("type")
    if kind not in _PARTS:
        part.wrong_value("type", _PARTS)
    mark = _breakpoint(part)
    if kind in _TEXTS:
        part.knows(_KNOWN_OF_TEXT)
        return TextPart(part.required_text("text"), cache_breakpoint=mark)
    part.knows(_KNOWN_OF_PART[kind])
    match kind:
        case "refusal":
            return RefusalPart(part.required_text("refusal"))
        case "input_image" | "computer_screenshot":
            return _parse_image(part, mark)
        case "input_file":
            return _parse_file(part, mark)
        case _:
            audio = part.required_object("input_audio")
            encoding = audio.required_text("format")
            media_type = _AUDIO_TYPES.get(encoding, f"audio/{encoding}")
            return AudioPart(InlineMedia(media_type, audio.required_text("data")), encoding)


def _parse_image(part: Fields, mark: CacheBreakpoint | None) -> ImagePart:
    file_id = part.text("file_id")
    if file_id is not None:
        return ImagePart(FileReference(NAME, file_id), part.text("detail"), mark)
    address = part.value.get("image_url")
    if isinstance(address, dict):  # Chat's way of saying it
        url = part.required_object("image_url").required_text("url")
    else:
        url = part.required_text("image_url")
    return ImagePart(parse_media(url), part.text("detail"), mark)


def _parse_file(part: Fields, mark: CacheBreakpoint | None) -> FilePart:
    filename = part.text("filename")
    file_id = part.text("file_id")
    if file_id is not None:
        return FilePart(FileReference(NAME, file_id), filename, cache_breakpoint=mark)
    url = part.text("file_url") or part.required_text("file_data")
    return FilePart(parse_media(url), filename, cache_breakpoint=mark)


def _breakpoint(part: Fields) -> CacheBreakpoint | None:
    marker = part.object("prompt_cache_breakpoint")
    if marker is None:
        return None
    marker.knows(_KNOWN_OF_MARK)
    return CacheBreakpoint("5m" if marker.text("ttl") in (None, "5m", "in_memory") else "1h")
