"""What kind of medium some bytes are, by how they begin rather than by what they are called."""

from __future__ import annotations

import re

_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"....ftyp(?:heic|heix)", re.DOTALL), "image/heic"),
    (re.compile(rb"....ftyp(?:mif1|msf1)", re.DOTALL), "image/heif"),
    (re.compile(rb"\s{0,64}%PDF-"), "application/pdf"),
)
_TEXT_TYPES = ("text/csv", "text/markdown", "text/plain")


def recognise(data: bytes, declared: str) -> str | None:
    """Return the media type of a picture, a PDF or a text; None for anything else.

    Args:
        data: The whole medium.
        declared: The content type that its server gives, perhaps empty. Nothing about a text tells
            its kind, so this is believed for texts alone.
    """
    for magic, media_type in _MAGIC:
        if magic.match(data):
            return media_type
    claimed = declared.partition(";")[0].strip().lower()
    return claimed if claimed in _TEXT_TYPES and _is_text(data) else None


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False
