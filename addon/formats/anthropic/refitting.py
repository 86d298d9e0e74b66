"""Take thoughts out of a request whose provider did not think them, in place.

An agent returns every thought that it was shown, also those of a provider that answered earlier. An
API refuses signatures that are not its own, so those blocks go; all other bytes stay (decision D3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from addon.formats.anthropic.foreign_sources import without_foreign_sources
from addon.formats.base import Past
from addon.wire.carrier import is_ours
from addon.wire.codec import decode_object
from addon.wire.json_edit import Splice, edit_object, items, members, splice
from addon.wire.reading import mapping, sequence, text

_BOUND = b"The block is bound to a different conversation"
_INVALID = b"Invalid `signature` in `thinking` block"
_EMPTY = b'[{"type":"text","text":"."}]'
"""Stands for a turn that held thoughts alone: an empty one is refused."""


def refit_request(body: bytes, _model: str, _dialect: str, past: Past) -> bytes:
    """Return the request without thoughts that the destination did not think.

    Nor with sources that others found.
    """
    body = without_foreign_sources(body)
    document = _document(body)
    states = [state for message in _messages(document) for state in _states(message)]
    own = [state for state in states if state and not is_ours(state)]
    foreign = {"", *(past.foreign(own) if own else ())}  # what nobody signed is refused
    return _without(body, document, foreign.__contains__) if states else body


def without_envelopes(body: bytes) -> bytes:
    """Return the request without thoughts that Detour brought along from other formats."""
    return _without(body, _document(body), is_ours)


def without_refused_thoughts(body: bytes, error: bytes) -> bytes | None:
    """Return the request without the thoughts of earlier turns, where they are what is refused.

    Newer models bind a thought to all that stands before it, which agents change when they compact
    a history; they go on well without.
    """
    if _BOUND not in error and _INVALID not in error:
        return None
    edited = _without(body, _document(body), lambda _: True)
    return edited if edited != body else None


def _document(body: bytes) -> dict[str, Any]:
    if b'"signature"' not in body and b"redacted_thinking" not in body:
        return {}
    return decode_object(body) or {}


def _without(body: bytes, document: dict[str, Any], leaves: Callable[[str], bool]) -> bytes:
    messages = _messages(document)
    changed = {
        index
        for index, message in enumerate(messages)
        if any(leaves(state) for state in _states(message))
    }
    if not changed:
        return body
    place = next(member for member in members(body) if member.key == "messages")
    spans = items(body, place.value_start)
    edited = splice(
        body,
        [
            Splice(*spans[index], _edit_message(body[slice(*spans[index])], message, leaves))
            for index, message in enumerate(messages)
            if index in changed
        ],
    )
    if _thinks_by_budget(document) and _last_turn(messages) in changed:
        # The loop under way would have to begin with a thought while thinking is on.
        return edit_object(edited, {"thinking": None})
    return edited


def _edit_message(span: bytes, message: dict[str, Any], leaves: Callable[[str], bool]) -> bytes:
    place = next(member for member in members(span) if member.key == "content")
    content = span[place.value_start : place.value_end]
    kept = [
        content[start:end]
        for block, (start, end) in zip(sequence(message["content"]), items(content), strict=True)
        if not any(leaves(state) for state in _states_of(mapping(block)))
    ]
    return edit_object(span, {"content": b"[" + b",".join(kept) + b"]" if kept else _EMPTY})


def _messages(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [mapping(message) for message in sequence(document.get("messages"))]


def _states(message: dict[str, Any]) -> list[str]:
    if message.get("role") != "assistant":
        return []
    blocks = map(mapping, sequence(message.get("content")))
    return [state for block in blocks for state in _states_of(block)]


def _states_of(block: dict[str, Any]) -> list[str]:
    match block.get("type"):
        case "thinking":
            return [text(block.get("signature"))]
        case "redacted_thinking":
            return [text(block.get("data"))]
        case _:
            return []


def _thinks_by_budget(document: dict[str, Any]) -> bool:
    return mapping(document.get("thinking")).get("type") == "enabled"


def _last_turn(messages: list[dict[str, Any]]) -> int | None:
    """Return the place of the model's last turn."""
    turns = [index for index, message in enumerate(messages) if message.get("role") == "assistant"]
    return turns[-1] if turns else None
