"""Messages and the parts they are made of, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from addon.neutral import (
    AudioPart,
    FilePart,
    FileReference,
    HostedCallPart,
    ImagePart,
    InlineMedia,
    Message,
    NativePart,
    Part,
    PlainText,
    ReasoningPart,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    UrlMedia,
)
from addon.neutral.parts import MediaSource
from addon.views.json_text import write_body
from addon.views.page import LONGEST_TEXT, Page, shorten, size

INDENT = 2
LONGEST_ADDRESS = 200


def write_message(page: Page, message: Message | SystemMessage, names: dict[str, str]) -> None:
    """Write one message under the name of its author.

    Args:
        page: Where to.
        message: The message.
        names: The names of the tools that were called so far, by the ids of their calls.
    """
    author = message.role
    if isinstance(message, Message):
        author = f"{author} {message.name}" if message.name else author
        if message.developer:
            author = "developer"
    page.add(f"{author}:")
    write_parts(page, message.parts, names)
    page.add()


def write_parts(page: Page, parts: Sequence[Part], names: dict[str, str] | None = None) -> None:
    """Write the parts of a message, one below the other."""
    names = {} if names is None else names
    for part in parts:
        _write_part(page, part, names)


def tool_names(messages: Iterable[Message]) -> dict[str, str]:
    """Return which tool each call was of, by the call's id."""
    return {
        part.call_id: part.name
        for message in messages
        for part in message.parts
        if isinstance(part, ToolCallPart)
    }


def describe_medium(source: MediaSource) -> str:
    """Say what a medium is and how large, but not what is in it."""
    match source:
        case InlineMedia():
            return f"{source.media_type or 'of unknown type'}, {size(len(source.data) * 3 // 4)}"
        case UrlMedia():
            return f"at {shorten(source.url, LONGEST_ADDRESS)}"
        case PlainText():
            return f"text, {len(source.text):,} characters"
        case FileReference():
            return f"kept by the provider as {source.file_id}"


def _write_part(page: Page, part: Part, names: dict[str, str]) -> None:
    match part:
        case TextPart():
            page.add_prose(shorten(part.text), INDENT)
            for citation in part.citations:
                page.add(f"[source: {citation.title or citation.url} {citation.url}]", INDENT)
        case ReasoningPart():
            _write_thought(page, part)
        case RefusalPart():
            page.add("refuses:", INDENT)
            page.add_prose(shorten(part.text), 2 * INDENT)
        case ToolCallPart():
            page.add(f"calls {part.name}:  # {part.call_id}", INDENT)
            _write_arguments(page, part)
        case ToolResultPart():
            _write_result(page, part, names)
        case HostedCallPart():
            _write_hosted(page, part)
        case ImagePart() | FilePart() | AudioPart():
            page.add(f"[{_describe(part)}, {describe_medium(part.source)}]", INDENT)
        case NativePart():
            page.add(f"[{part.kind}]", INDENT)


def _write_thought(page: Page, part: ReasoningPart) -> None:
    if part.text:
        page.add("thinks:", INDENT)
        page.add_prose(shorten(part.text), 2 * INDENT)
    elif part.state is not None:
        page.add(f"[thoughts that only {part.state.format} can read]", INDENT)


def _write_arguments(page: Page, call: ToolCallPart) -> None:
    arguments = call.arguments
    if call.kind == "custom" or len(arguments) > LONGEST_TEXT:
        page.add_prose(shorten(arguments), 2 * INDENT)
    elif arguments.strip():
        write_body(page, arguments.encode("utf-8", "replace"), 2 * INDENT)


def _write_result(page: Page, part: ToolResultPart, names: dict[str, str]) -> None:
    name = names.get(part.call_id, "a tool")
    failed = ", failed" if part.is_error else ""
    page.add(f"{name} returns:  # {part.call_id}{failed}", INDENT)
    for inner in part.content:
        if isinstance(inner, TextPart):
            page.add_prose(shorten(inner.text), 2 * INDENT)
        else:
            _write_part(page, inner, names)


def _describe(part: ImagePart | FilePart | AudioPart) -> str:
    match part:
        case ImagePart():
            return "picture"
        case FilePart():
            return f"file {part.filename}" if part.filename else "file"
        case AudioPart():
            return f"sound, {part.encoding}"


def _write_hosted(page: Page, part: HostedCallPart) -> None:
    failed = ", which failed" if part.failed else ""
    page.add(f"the provider runs {part.tool}{failed}:", INDENT)
    for text in (part.input, part.output):
        if text:
            page.add_prose(shorten(text), 2 * INDENT)
    for source in part.sources:
        page.add(f"[found: {source.title or source.url} {source.url}]", 2 * INDENT)
