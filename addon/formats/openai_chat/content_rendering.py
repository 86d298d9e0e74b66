"""Write the parts of messages as content parts of Chat."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Any

from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.dialects import Dialect
from addon.neutral import (
    AudioPart,
    CacheBreakpoint,
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
from addon.wire.openai_models import openai_model
from addon.wire.unexpressed import lose_document_settings, lose_part

type Block = dict[str, Any]

TEXT_SEPARATOR = "\n\n"
"""Stands between texts that have to become one."""


class ContentRenderer:
    """Writes content for one provider and model."""

    def __init__(self, dialect: Dialect, model: str, losses: LossList) -> None:
        self.dialect = dialect
        self._model = model
        self._losses = losses
        self._markers = dialect.cache_markers
        if self._markers == "prompt_cache_breakpoint" and not openai_model(model).breakpoints:
            self._markers = "none"

    @property
    def target(self) -> tuple[Dialect, str]:
        """What the result depends on, beside the parts."""
        return self.dialect, self._markers

    def reporting_to(self, losses: LossList) -> ContentRenderer:
        """Return another renderer for the same provider and model."""
        return ContentRenderer(self.dialect, self._model, losses)

    @property
    def takes_markers(self) -> bool:
        """Whether the provider knows marks of what is to be cached."""
        return self._markers != "none"

    def texts(self, parts: Iterable[TextPart]) -> str | list[Block]:
        """Write text in the shortest form that keeps its parts and cache markers apart."""
        parts = list(parts)
        if len(parts) == 1 and parts[0].cache_breakpoint is None:
            return parts[0].text
        return self._content([self._text(part) for part in parts])

    def parts(self, parts: Iterable[Part]) -> str | list[Block]:
        """Write what a user says.

        Raises:
            UnsupportedFeature: A part cannot be expressed.
        """
        parts = list(parts)
        if len(parts) == 1 and type(sole := parts[0]) is TextPart and not sole.cache_breakpoint:
            return sole.text
        blocks = (self._part(part) for part in parts)
        return self._content([block for block in blocks if block is not None])

    def with_marker(self, block: Block, cache_breakpoint: CacheBreakpoint | None) -> Block:
        """Mark a block as the end of what is to be cached, where such marks are known."""
        if cache_breakpoint is None or self._markers == "none":
            return block
        if self._markers == "prompt_cache_breakpoint":
            return {**block, "prompt_cache_breakpoint": {"mode": "explicit"}}
        marker = {"type": "ephemeral"}
        if cache_breakpoint.ttl == "1h":
            marker["ttl"] = "1h"
        return {**block, "cache_control": marker}

    def _content(self, blocks: Sequence[Block]) -> str | list[Block]:
        if all(block.keys() == {"type", "text"} for block in blocks) and (
            len(blocks) < 2 or not self.dialect.text_lists
        ):
            return TEXT_SEPARATOR.join(block["text"] for block in blocks)
        return list(blocks)

    def _part(self, part: Part) -> Block | None:
        match part:
            case TextPart():
                return self._text(part)
            case RefusalPart(text):
                return {"type": "text", "text": text}
            case ImagePart():
                return self._image(part)
            case FilePart():
                return self._file(part)
            case AudioPart():
                return self._audio(part)
            case NativePart(_, kind, _):
                self._losses.dropped(kind, "exists at its own provider only")
            case _:
                lose_part(part, self._losses, "a user turn takes no calls and no thoughts")
        return None

    def _text(self, part: TextPart) -> Block:
        return self.with_marker({"type": "text", "text": part.text}, part.cache_breakpoint)

    def _image(self, part: ImagePart) -> Block:
        if self.dialect.images == "none":
            raise UnsupportedFeature("image_url", "the provider's models take no pictures")
        match part.source:
            case InlineMedia(media_type, data):
                url = f"data:{media_type or 'image/png'};base64,{data}"
            case UrlMedia(url):
                if self.dialect.images == "inline":
                    raise UnsupportedFeature(
                        "image_url", "the provider does not fetch pictures; send them as data URLs"
                    )
            case PlainText() | FileReference():
                raise UnsupportedFeature("image_url", "the picture lives at another provider")
        image = {"url": url}
        if part.detail is not None:
            image["detail"] = part.detail
        block = {"type": "image_url", "image_url": image}
        return self.with_marker(block, part.cache_breakpoint)

    def _file(self, part: FilePart) -> Block:
        if (text := _file_text(part)) is not None:
            if part.citations_enabled:
                self._losses.dropped("messages.document.citations", "Chat cites no documents")
            return self._text(TextPart(text, cache_breakpoint=part.cache_breakpoint))
        lose_document_settings(part, self._losses)
        if not self.dialect.files:
            raise UnsupportedFeature("file", "the provider takes no documents but plain text")
        file: dict[str, str] = {}
        match part.source:
            case InlineMedia(media_type, data):
                file["filename"] = part.filename or "document.pdf"
                file["file_data"] = f"data:{media_type or 'application/pdf'};base64,{data}"
            case FileReference(format, identifier) if format == NAME:
                file["file_id"] = identifier
            case _:
                raise UnsupportedFeature("file", "only files sent inline can be passed on")
        return self.with_marker({"type": "file", "file": file}, part.cache_breakpoint)

    def _audio(self, part: AudioPart) -> Block:
        if not self.dialect.audio or not isinstance(part.source, InlineMedia):
            raise UnsupportedFeature("input_audio", "the provider takes no audio")
        audio = {"data": part.source.data, "format": part.encoding}
        return {"type": "input_audio", "input_audio": audio}


def _file_text(part: FilePart) -> str | None:
    """Return the words of a text document, under its title; None for any other kind."""
    match part.source:
        case PlainText(text):
            pass
        case InlineMedia(media_type, data) if media_type.startswith("text/"):
            try:
                text = base64.b64decode(data).decode("utf-8", "replace")
            except binascii.Error:
                return None
        case _:
            return None
    title = f"{part.filename}:" if part.filename else None
    return "\n".join(line for line in (title, part.context, text) if line)
