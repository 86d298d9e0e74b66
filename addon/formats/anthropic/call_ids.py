"""Ids of tool calls that the API admits, whatever the agent or an earlier provider called them.

Ids of other providers may hold dots, colons, bars or hundreds of characters (`functions.read:0`).
A call and its result are renamed alike, and always to the same, so no map is needed; the agent goes
on knowing its own.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any

from addon.wire.codec import encode
from addon.wire.json_edit import Splice, edit_object, items, members, splice
from addon.wire.reading import mapping, sequence, text

_LEGAL_ID = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_FIELDS = {"tool_use": "id", "tool_result": "tool_use_id"}


@lru_cache(maxsize=4096)
def legal_call_id(call_id: str) -> str:
    """Return a call id that the API's pattern admits; the same one for the same input."""
    if _LEGAL_ID.fullmatch(call_id):
        return call_id
    digest = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"call_{digest[:32]}"


def with_legal_call_ids(body: bytes, wire: dict[str, Any]) -> bytes:
    """Return a request in which every call and result has an id that the API admits, in place.

    Args:
        body: The request.
        wire: The same, decoded.
    """
    messages = list(map(mapping, sequence(wire.get("messages"))))
    renamed = {index: ids for index, message in enumerate(messages) if (ids := _renamed(message))}
    if not renamed:
        return body
    place = next(member for member in reversed(members(body)) if member.key == "messages")
    spans = items(body, place.value_start)
    return splice(
        body,
        [
            Splice(*spans[index], _rename(body[slice(*spans[index])], renamed[index]))
            for index in renamed
        ],
    )


def _renamed(message: dict[str, Any]) -> dict[int, tuple[str, str]]:
    """Return field and new id of the blocks whose id is refused, by their place."""
    found: dict[int, tuple[str, str]] = {}
    for index, block in enumerate(map(mapping, sequence(message.get("content")))):
        field = _FIELDS.get(text(block.get("type")))
        if field and (call_id := text(block.get(field))):
            legal = legal_call_id(call_id)
            if legal != call_id:
                found[index] = field, legal
    return found


def _rename(span: bytes, renamed: dict[int, tuple[str, str]]) -> bytes:
    place = next(member for member in reversed(members(span)) if member.key == "content")
    content = span[place.value_start : place.value_end]
    spans = items(content)
    edited = splice(
        content,
        [
            Splice(
                *spans[index], edit_object(content[slice(*spans[index])], {field: encode(legal)})
            )
            for index, (field, legal) in renamed.items()
        ],
    )
    return edit_object(span, {"content": edited})
