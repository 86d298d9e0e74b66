"""Requests that come again, a little longer each time.

Agents send the whole conversation with every call. Where a body begins as an earlier one did, its
messages and tools are left as they arrived, so that only those that nobody remembers need to be
decoded and read. A body that begins like none before is decoded as a whole, which costs less.
"""

from __future__ import annotations

from typing import Any

import msgspec

from addon.wire.memo import Memo

_BEGINNING = 1024
"""Bytes that tell one agent's requests from another's."""
_MOST_BEGINNINGS = 4096
_OBJECT, _ARRAY = ord("{"), ord("[")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

_begun: Memo[int, bool] = Memo(_MOST_BEGINNINGS)


class OpenedBody(msgspec.Struct, frozen=True):
    """A body whose messages and tools are still encoded."""

    rest: dict[str, Any]
    """All other members."""
    messages: list[bytes]
    """At least one; each begins as an object does."""
    tools: bytes | None
    """The array `tools`."""


def open_body(body: bytes, messages: str) -> OpenedBody | None:
    """Decode a body but for its messages and tools.

    Args:
        body: A request.
        messages: The member that holds the messages.

    Returns:
        The body; None where it begins as none did before, holds no messages, or is no JSON by
        strict rules. Then it is to be decoded as a whole.
    """
    beginning = hash(body[:_BEGINNING])
    if _begun.get(beginning) is None:
        _begun.put(beginning, value=True, weight=1)
        return None
    try:
        members = _members(body)
        elements = [bytes(element) for element in _elements(members.pop(messages))]
        tools = bytes(members["tools"]) if "tools" in members else b""
        if tools[:1] == b"[":
            del members["tools"]
        rest = {key: _decode.decode(member) for key, member in members.items()}
    except (msgspec.DecodeError, UnicodeError, RecursionError, KeyError):
        return None
    if not elements or any(element[0] != _OBJECT for element in elements):
        return None
    return OpenedBody(rest, elements, tools if tools[:1] == b"[" else None)
