"""The body of a request, opened no further than needed.

The conversation makes up most of a body, and most of that came with earlier requests too: agents
send all of it with every call. Where a body begins as an earlier one did, its messages and tools
are left as they arrived, so that only those that nobody remembers need to be decoded and read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from addon.wire.codec import decode_object
from addon.wire.memo import Memo

_BEGINNING = 1024
"""Bytes that tell one agent's requests from another's."""
_MOST_BEGINNINGS = 4096
_BROKEN = (msgspec.DecodeError, UnicodeError, RecursionError)

type _Members = dict[str, msgspec.Raw]

_decode_members: msgspec.json.Decoder[_Members] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

_begun: Memo[int, bool] = Memo(_MOST_BEGINNINGS)
_latest: tuple[bytes, _Members] = (b"", {})


class OpenedBody(msgspec.Struct, frozen=True):
    """A body whose messages and tools are still encoded."""

    rest: dict[str, Any]
    """All other members."""
    messages: bytes
    """An array."""
    tools: bytes | None
    """The array `tools`."""


def glance(body: bytes, names: Iterable[str]) -> dict[str, Any]:
    """Decode a few members of a body; those that are not there or make no sense are left out."""
    try:
        members = _members(body)
        return {name: _decoder.decode(members[name]) for name in names if name in members}
    except _BROKEN:
        wire = decode_object(body) or {}
        return {name: wire[name] for name in names if name in wire}


def encoded_member(body: bytes, name: str) -> bytes:
    """Return a member as it arrived; empty where there is none, or no JSON by strict rules."""
    try:
        return bytes(_members(body).get(name, b""))
    except _BROKEN:
        return b""


def open_body(body: bytes, messages: str) -> OpenedBody | None:
    """Decode a body but for its messages and tools.

    Args:
        body: A request.
        messages: The member that holds the messages.

    Returns:
        The body; None where it begins as none did before, since to decode it as a whole costs less
        then, and where it holds no array of messages or is no JSON by strict rules.
    """
    beginning = hash(body[:_BEGINNING])
    if _begun.get(beginning) is None:
        _begun.put(beginning, value=True, weight=1)
        return None
    try:
        members = _members(body)
        array = bytes(members[messages])
        tools = bytes(members["tools"]) if "tools" in members else b""
        encoded = (messages, "tools") if tools[:1] == b"[" else (messages,)
        rest = {name: _decoder.decode(members[name]) for name in members if name not in encoded}
    except (*_BROKEN, KeyError):
        return None
    if array[:1] != b"[":
        return None
    return OpenedBody(rest, array, None if "tools" in rest else tools or None)


def _members(body: bytes) -> _Members:
    """Split a body; one that is looked at several times in a row is split once."""
    global _latest
    latest, members = _latest
    if latest is not body:
        members = _decode_members.decode(body)
        _latest = body, members
    return members
