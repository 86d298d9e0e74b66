"""Read the turns of a conversation, block by block.

Follows https://docs.anthropic.com/en/api/messages (`messages`) and the types of the vendor's SDK.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from addon.formats.anthropic.account_block import FIELD, is_account_block
from addon.formats.anthropic.content import NAME, parse_cache_control, parse_media_source
from addon.neutral import (
    ClientRequestError,
    FilePart,
    ImagePart,
    MediaSource,
    Message,
    NativePart,
    OpaqueState,
    Part,
    ReasoningPart,
    Role,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from addon.wire.codec import encode_text
from addon.wire.reading import mapping, sequence, text
from addon.wire.restoring import open_envelopes
from addon.wire.transcripts import Transcripts
from addon.wire.unread import Unread

_MARKED = frozenset(("cache_control", "type"))
_KNOWN = {
    "text": _MARKED | {"text"},
    "image": _MARKED | {"source"},
    "document": _MARKED | {"citations", "context", "source", "title"},
    "thinking": frozenset(("signature", "thinking", "type")),
    "redacted_thinking": frozenset(("data", "type")),
    "tool_use": _MARKED | {"id", "input", "name"},
    "tool_result": _MARKED | {"content", "is_error", "tool_use_id"},
    "search_result": _MARKED | {"content", "source", "title"},
    "tool_reference": _MARKED | {"tool_name"},
}
"""What is understood of each kind of block; of any other kind nothing is."""
_KNOWN_OF_MESSAGE = frozenset(("content", "role"))
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


class _Mistake(Exception):
    """Something that the API refuses, at a place that the callers complete from within."""

    def __init__(self, words: str, place: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.place = place

    def within(self, step: str) -> _Mistake:
        """Say that all of this happened within `step`."""
        return _Mistake(self.words, f"{step}.{self.place}" if self.place else step)


class Conversation:
    """Reads the turns of one request."""

    def __init__(self, unread: Unread) -> None:
        """Prepare.

        Args:
            unread: Receives what the hub has no word for.
        """
        self._unread = unread
        self.messages: list[Message] = []

    def add_all(self, values: Iterable[Any]) -> None:
        """Take the turns, each of them decoded.

        Raises:
            ClientRequestError: One is not what the API allows.
        """
        for index, value in enumerate(values):
            self.add(mapping(value), index)

    def add_encoded(self, values: bytes) -> None:
        """Take the turns; like `add_all`, but what was read before is not read again.

        Args:
            values: The array of the turns, encoded.

        Raises:
            ClientRequestError: One is not what the API allows.
            NotJson: They are not even JSON by strict rules.
        """
        for messages in _transcripts.read(values, None, self._unread, _read_alone):
            self.messages += messages

    def system(self, value: object) -> tuple[SystemMessage, ...]:
        """Read the instructions before the conversation."""
        if isinstance(value, str):
            return (SystemMessage((TextPart(value),)),) if value else ()
        messages: list[SystemMessage] = []
        for block in map(mapping, sequence(value)):
            if is_account_block(block):
                self._unread.lose(FIELD, block["text"])
                continue
            self._unread.look(block, _KNOWN["text"], "system")
            part = TextPart(text(block.get("text")), cache_breakpoint=parse_cache_control(block))
            messages.append(SystemMessage((part,)))
        return tuple(messages)

    def add(self, wire: dict[str, Any], index: int) -> None:
        """Take one turn.

        Args:
            wire: The turn.
            index: Where it stands; only complaints depend on it.

        Raises:
            ClientRequestError: It is not what the API allows.
        """
        try:
            self._add(wire)
        except _Mistake as mistake:
            place = mistake.within(f"messages.{index}").place
            raise ClientRequestError(f"{place}: {mistake.words}", place) from None

    def _add(self, wire: dict[str, Any]) -> None:
        """Read one turn; a user turn with tool results becomes a `tool` message and the rest."""
        role = _ROLES.get(text(wire.get("role")))
        if role is None:
            raise _Mistake("Input should be 'user' or 'assistant'", "role")
        self._unread.look(wire, _KNOWN_OF_MESSAGE, "messages")
        content = wire.get("content")
        if isinstance(content, str):
            self.messages.append(Message(role, (TextPart(content),)))
            return
        if not isinstance(content, list):
            raise _Mistake("Field required", "content")
        results: list[Part] = []
        others: list[Part] = []
        for part in self._blocks(sequence(wire["content"])):
            if role == "system" and not isinstance(part, TextPart):
                kind = part.kind if isinstance(part, NativePart) else "media"
                self._unread.lose(f"messages.content.{kind}", value=True)
            else:
                (results if isinstance(part, ToolResultPart) else others).append(part)
        if results:
            self.messages.append(Message("tool", tuple(results)))
        if others or not results:
            parts = open_envelopes(others) if role == "assistant" else tuple(others)
            self.messages.append(Message(role, parts))

    def _blocks(self, blocks: list[Any]) -> list[Part]:
        parts: list[Part] = []
        for index, block in enumerate(blocks):
            try:
                parts.append(self._block(mapping(block)))
            except _Mistake as mistake:
                raise mistake.within(f"content.{index}") from None
        return parts

    def _block(self, block: dict[str, Any]) -> Part:
        kind = block.get("type")
        if not isinstance(kind, str):
            raise _Mistake("Field required", "type")
        known = _KNOWN.get(kind)
        if known is None:
            return NativePart(NAME, kind, block)
        self._unread.look(block, known, f"messages.content.{kind}")
        mark = parse_cache_control(block)
        match kind:
            case "text":
                return TextPart(text(block.get("text")), cache_breakpoint=mark)
            case "image":
                return ImagePart(self._source(block), cache_breakpoint=mark)
            case "document":
                return self._document(block)
            case "thinking":
                signature = text(block.get("signature"))
                state = OpaqueState(NAME, signature) if signature else None
                return ReasoningPart(text(block.get("thinking")), state)
            case "redacted_thinking":
                return ReasoningPart("", OpaqueState(NAME, text(block.get("data")), "redacted"))
            case "tool_use":
                call_id, name = text(block.get("id")), text(block.get("name"))
                arguments = encode_text(mapping(block.get("input")))
                return ToolCallPart(call_id, name, arguments, cache_breakpoint=mark)
            case "tool_result":
                return self._result(block)
            case "tool_reference":
                # Elsewhere all tools are offered from the start.
                words = f"Found the tool `{text(block.get('tool_name'))}`."
                return TextPart(words, cache_breakpoint=mark)
            case _:
                return TextPart(_search_result_text(block), cache_breakpoint=mark)

    def _source(self, block: dict[str, Any]) -> MediaSource:
        source = parse_media_source(block.get("source"))
        if source is None:
            raise _Mistake("Input tag does not match any of the expected tags", "source.type")
        return source

    def _document(self, block: dict[str, Any]) -> FilePart:
        pieces = sequence(mapping(block.get("source")).get("content"))
        if any(mapping(piece).get("type") == "image" for piece in pieces):
            self._unread.lose("messages.content.document.source.image", pieces)
        return FilePart(
            self._source(block),
            filename=text(block.get("title")) or None,
            context=text(block.get("context")) or None,
            citations_enabled=mapping(block.get("citations")).get("enabled") is True,
            cache_breakpoint=parse_cache_control(block),
        )

    def _result(self, block: dict[str, Any]) -> ToolResultPart:
        content = block.get("content")
        pieces: list[TextPart | ImagePart | FilePart | NativePart] = []
        if isinstance(content, str):
            pieces.append(TextPart(content))
        for part in self._blocks(sequence(content)):
            if isinstance(part, TextPart | ImagePart | FilePart | NativePart):
                pieces.append(part)
            else:
                self._unread.lose("messages.content.tool_result.content", value=True)
        return ToolResultPart(
            text(block.get("tool_use_id")),
            tuple(pieces),
            is_error=block.get("is_error") is True,
            cache_breakpoint=parse_cache_control(block),
        )


def _search_result_text(block: dict[str, Any]) -> str:
    words = [text(mapping(piece).get("text")) for piece in sequence(block.get("content"))]
    return "\n".join((text(block.get("title")), text(block.get("source")), *words))


def _read_alone(index: int, value: object, unread: Unread) -> list[Message]:
    """Read one turn, which says the same in any conversation."""
    alone = Conversation(unread)
    alone.add(mapping(value), index)
    return alone.messages


_transcripts: Transcripts[list[Message]] = Transcripts()
