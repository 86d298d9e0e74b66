"""The parts a message is made of.

Parts are values without identity: a renderer may repeat, reorder or split them, but never
changes one in place. Text inside a part is exactly what its author wrote.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

type ToolCallKind = Literal["function", "custom"]


class CacheBreakpoint(msgspec.Struct, frozen=True):
    """The author asks the provider to cache everything up to and including this part."""

    ttl: Literal["5m", "1h"] = "5m"


class OpaqueState(msgspec.Struct, frozen=True):
    """Bytes that only the provider who made them can read, to be returned unchanged.

    A renderer sends state only to the `format` that owns it and drops foreign state: providers
    refuse what they did not sign.
    """

    format: str
    """Name of the wire format that owns it, such as `anthropic`."""
    data: str
    """The payload exactly as received."""
    kind: Literal["signature", "redacted"] = "signature"
    """`signature` vouches for readable reasoning; `redacted` replaces the reasoning itself."""
    origin: str = ""
    """Who made it, as `PROVIDER:MODEL`, where Detour saw it being made."""


class Citation(msgspec.Struct, frozen=True):
    """A source named for a stretch of text."""

    url: str
    title: str = ""
    cited_text: str = ""
    start: int | None = None
    """First character (code point) of the stretch within its text part; None: the whole part."""
    end: int | None = None
    """One past the last character."""


class UrlMedia(msgspec.Struct, frozen=True):
    """Media that the provider fetches by itself."""

    url: str


class InlineMedia(msgspec.Struct, frozen=True):
    """Media sent within the request."""

    media_type: str
    """MIME type such as `image/png`; empty when the author did not say."""
    data: str
    """Base64, standard alphabet."""


class PlainText(msgspec.Struct, frozen=True):
    """A text document sent as text."""

    text: str


class FileReference(msgspec.Struct, frozen=True):
    """A file that lives at one provider and means nothing elsewhere."""

    format: str
    file_id: str


type MediaSource = UrlMedia | InlineMedia | PlainText | FileReference


class TextPart(msgspec.Struct, frozen=True):
    """Words."""

    text: str
    citations: tuple[Citation, ...] = ()
    cache_breakpoint: CacheBreakpoint | None = None
    state: OpaqueState | None = None
    """For providers that sign what they say rather than what they think (Gemini)."""


class ReasoningPart(msgspec.Struct, frozen=True):
    """What the model thought before it answered, as far as the provider shows it."""

    text: str
    state: OpaqueState | None = None


class RefusalPart(msgspec.Struct, frozen=True):
    """The model's own words for declining."""

    text: str


class ImagePart(msgspec.Struct, frozen=True):
    """A picture."""

    source: MediaSource
    detail: str | None = None
    """OpenAI's `low`, `high`, `auto`; other formats have no such knob."""
    cache_breakpoint: CacheBreakpoint | None = None


class FilePart(msgspec.Struct, frozen=True):
    """A document such as a PDF."""

    source: MediaSource
    filename: str | None = None
    context: str | None = None
    """What the author says about the document, beside its title."""
    citations_enabled: bool = False
    cache_breakpoint: CacheBreakpoint | None = None


class AudioPart(msgspec.Struct, frozen=True):
    """Sound, given by the agent."""

    source: MediaSource
    encoding: str
    """`wav`, `mp3`, ..."""


class ToolCallPart(msgspec.Struct, frozen=True):
    """The model asks for a tool to be run."""

    call_id: str
    name: str
    arguments: str
    """JSON text of an object for a `function`, the verbatim input for a `custom` tool.

    Kept as text so that nothing is reformatted and partial JSON stays representable.
    """
    kind: ToolCallKind = "function"
    cache_breakpoint: CacheBreakpoint | None = None
    state: OpaqueState | None = None
    """For providers that sign their calls rather than what they think (Gemini)."""


class ToolResultPart(msgspec.Struct, frozen=True):
    """What a tool gave back."""

    call_id: str
    content: tuple[TextPart | ImagePart | FilePart | NativePart, ...]
    is_error: bool = False
    cache_breakpoint: CacheBreakpoint | None = None


class HostedCallPart(msgspec.Struct, frozen=True):
    """The provider ran a tool of its own within its answer."""

    call_id: str
    tool: str
    """`web_search` or `code_execution`."""
    input: str = ""
    """What was searched for, or the code that was run."""
    output: str = ""
    """What the code printed."""
    sources: tuple[Citation, ...] = ()
    """The pages that were found."""
    failed: bool = False


class NativePart(msgspec.Struct, frozen=True):
    """A piece that exists in one format only, such as a provider-run search and its result.

    The owning format writes it back as it was; every other format drops it and says so.
    """

    format: str
    kind: str
    """The wire's own name for it, used in loss lists."""
    data: dict[str, Any]


type Part = (
    TextPart
    | ReasoningPart
    | RefusalPart
    | ImagePart
    | FilePart
    | AudioPart
    | ToolCallPart
    | ToolResultPart
    | HostedCallPart
    | NativePart
)
