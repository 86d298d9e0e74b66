"""Write the parts of a message, one at a time."""

from __future__ import annotations

from typing import Any

from addon.formats.openai_responses.content_parsing import NAME
from addon.neutral import (
    AudioPart,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    LossList,
    NativePart,
    Part,
    PlainText,
    RefusalPart,
    TextPart,
    UnsupportedFeature,
    UrlMedia,
)
from addon.wire.data_urls import data_url
from addon.wire.unexpressed import lose_document_settings, lose_part

type Block = dict[str, Any]

_FILENAMES = {"application/pdf": "document.pdf", "text/plain": "document.txt"}


def render_part(part: Part, losses: LossList) -> Block | None:
    """Write a part of a user's message or of a tool's output; None where nothing is left of it.

    Raises:
        UnsupportedFeature: It cannot be expressed.
    """
    match part:
        case TextPart(text) | RefusalPart(text):
            return {"type": "input_text", "text": text} if text else None
        case ImagePart():
            return _render_image(part)
        case FilePart():
            return _render_file(part, losses)
        case AudioPart():
            raise UnsupportedFeature("input_audio", "the API takes no audio")
        case NativePart(_, kind, _):
            losses.dropped(kind, "exists at its own provider only")
        case _:
            lose_part(part, losses, "a user turn takes no calls or thoughts")
    return None


def _render_image(part: ImagePart) -> Block:
    image: Block = {"type": "input_image", "detail": part.detail or "auto"}
    match part.source:
        case UrlMedia(url):
            image["image_url"] = url
        case InlineMedia():
            image["image_url"] = data_url(part.source, "image/png")
        case FileReference(format, file_id) if format == NAME:
            image["file_id"] = file_id
        case FileReference():
            raise UnsupportedFeature("file_id", "the file lives at another provider")
        case PlainText():
            raise UnsupportedFeature("image_url", "text is no picture")
    return image


def _render_file(part: FilePart, losses: LossList) -> Block:
    lose_document_settings(part, losses)
    match part.source:
        case PlainText(text):
            titled = f"{part.filename}\n\n{text}" if part.filename else text
            return {"type": "input_text", "text": titled}
        case UrlMedia(url):
            if part.filename:
                losses.dropped("filename", "a document that is fetched keeps its own name")
            return {"type": "input_file", "file_url": url}
        case InlineMedia(media_type, data):
            if not media_type and data.startswith("JVBER"):  # "%PDF" in base64
                media_type = "application/pdf"
            filename = part.filename or _FILENAMES.get(media_type, "document")
            media = data_url(InlineMedia(media_type, data))
            return {"type": "input_file", "filename": filename, "file_data": media}
        case FileReference(format, file_id) if format == NAME:
            return {"type": "input_file", "file_id": file_id}
        case FileReference():
            raise UnsupportedFeature("file_id", "the file lives at another provider")
