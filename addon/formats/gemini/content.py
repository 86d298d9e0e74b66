"""Media, from parts to the wire.

Follows https://ai.google.dev/api/caching#Part: bytes travel as `inlineData`, places as `fileData`.
"""

from __future__ import annotations

import mimetypes
from typing import Any

from addon.formats.gemini.models import GeminiModel, gemini_model
from addon.formats.gemini.names import NAME
from addon.neutral import (
    AudioPart,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    LossList,
    MediaSource,
    PlainText,
    UnsupportedFeature,
    UrlMedia,
)
from addon.wire.unexpressed import lose_document_settings

type Wire = dict[str, Any]

_MAGIC = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", "application/pdf"),
)
"""How files begin, in base64."""
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
_SYNONYMS = {"image/jpg": "image/jpeg", "audio/mpeg": "audio/mp3", "audio/x-wav": "audio/wav"}
_AUDIO_TYPES = {"mpeg": "audio/mp3", "mp3": "audio/mp3", "wav": "audio/wav", "x-wav": "audio/wav"}
_OWN_HOSTS = ("generativelanguage.googleapis.com", "www.youtube.com", "youtube.com", "youtu.be")


def fetches(part: ImagePart | FilePart, model: str, dialect: str) -> bool:
    """Tell whether the API reads a medium at its address, whose ending must tell its type."""
    if not isinstance(part.source, UrlMedia):
        return True
    url = part.source.url
    public = url.startswith("https://") and gemini_model(model, dialect).public_urls
    return _is_own(url) or (public and "mimeType" in _file_data(url))


def render_image(part: ImagePart, model: GeminiModel, losses: LossList) -> Wire:
    """Write a picture.

    Raises:
        UnsupportedFeature: The model cannot reach the picture's place, or takes no such picture.
    """
    if part.detail not in (None, "auto"):
        losses.dropped("image_url.detail", "Gemini chooses the resolution")
    if unseen := unseen_type(part):
        taken = "PNG, JPEG, WebP and HEIC"
        raise UnsupportedFeature("image_url", f"Gemini takes {taken}, not {unseen}")
    return _render_source(part.source, "image_url", model)


def render_audio(part: AudioPart, model: GeminiModel) -> Wire:
    """Write sound.

    Raises:
        UnsupportedFeature: The model cannot reach the sound's place.
    """
    source = part.source
    if isinstance(source, InlineMedia):
        media_type = _AUDIO_TYPES.get(part.encoding, f"audio/{part.encoding}")
        return {"inlineData": {"mimeType": media_type, "data": source.data}}
    return _render_source(source, "input_audio", model)


def render_file(part: FilePart, model: GeminiModel, losses: LossList) -> Wire:
    """Write a document; one that is text becomes a text part with its name.

    Raises:
        UnsupportedFeature: The model cannot reach the document's place.
    """
    if isinstance(part.source, PlainText):
        words = [part.filename, part.context, part.source.text]
        if part.citations_enabled:
            losses.dropped("messages.document.citations", "the provider cites no documents")
        return {"text": "\n".join(word for word in words if word) or "."}
    lose_document_settings(part, losses)
    if part.filename:
        losses.dropped("filename", "Gemini's files have no names")
    return _render_source(part.source, "file", model)


def unseen_type(part: ImagePart | FilePart) -> str:
    """Return the type of a picture that no Gemini takes; empty for any other medium."""
    match part.source:
        case InlineMedia(media_type, data):
            media_type = _media_type(media_type, data)
        case UrlMedia(url):
            media_type = _file_data(url).get("mimeType", "")
        case _:
            return ""
    unseen = media_type.startswith("image/") and media_type not in _IMAGE_TYPES
    return media_type if unseen else ""


def _render_source(source: MediaSource, feature: str, model: GeminiModel) -> Wire:
    match source:
        case InlineMedia(media_type, data):
            media_type = _media_type(media_type, data)
            if not media_type:
                raise UnsupportedFeature(feature, "Gemini must be told the type of the data")
            return {"inlineData": {"mimeType": media_type, "data": data}}
        case UrlMedia(url):
            if not url.startswith(("https://", "gs://")):
                raise UnsupportedFeature(feature, "Gemini reads https and gs addresses only")
            if not model.public_urls and not _is_own(url):
                raise UnsupportedFeature(
                    feature, "this model reads no addresses; send the data itself (base64)"
                )
            return {"fileData": _file_data(url)}
        case FileReference(format, uri) if format == NAME:
            return {"fileData": _file_data(uri)}
        case FileReference():
            raise UnsupportedFeature("file_id", "the file lives at another provider")
        case PlainText(text):
            return {"text": text}


def _media_type(media_type: str, data: str) -> str:
    media_type = media_type.split(";", 1)[0].strip().lower()
    if media_type in ("", "application/octet-stream", "image/*"):
        return next((known for magic, known in _MAGIC if data.startswith(magic)), "")
    return _SYNONYMS.get(media_type, media_type)


def _is_own(url: str) -> bool:
    """Tell whether a place is one that every generation can read."""
    host = url.removeprefix("https://").split("/", 1)[0].lower()
    return url.startswith("gs://") or host in _OWN_HOSTS


def _file_data(url: str) -> Wire:
    guessed = mimetypes.guess_type(url.split("?", 1)[0].split("#", 1)[0])[0]
    return {"mimeType": guessed, "fileUri": url} if guessed else {"fileUri": url}
