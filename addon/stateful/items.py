"""Items of an input as the agent wrote them, byte for byte."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from addon.neutral import ClientRequestError
from addon.stateful.documents import Named, read_name
from addon.wire.codec import decode, decode_object, encode
from addon.wire.json_edit import items as spans
from addon.wire.reading import mapping, sequence, text

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "compaction": "cmp",
}


def split_input(value: bytes) -> list[bytes]:
    """Return the items of an `input`, which may be a text; none for null.

    Raises:
        ClientRequestError: It is neither text nor an array of objects.
    """
    match value[:1]:
        case b"n":
            return []
        case b'"':
            content = [{"type": "input_text", "text": decode(value)}]
            return [encode({"type": "message", "role": "user", "content": content})]
        case b"[":
            items = [value[start:end] for start, end in spans(value)]
        case _:
            raise ClientRequestError(
                "Invalid type for 'input': expected a string or an array.", "input"
            )
    for position, item in enumerate(items):
        if not item.startswith(b"{"):
            place = f"input[{position}]"
            raise ClientRequestError(f"Invalid type for '{place}': expected an object.", place)
    return items


def join_items(items: list[bytes]) -> bytes:
    """Write an `input`."""
    return b"[" + b",".join(items) + b"]"


def name_of(item: bytes) -> Named:
    """Read what identifies an item; nothing where it cannot be read."""
    try:
        return read_name(item)
    except msgspec.DecodeError:
        wire = decode_object(item) or {}
        known = {key: text(wire.get(key)) or None for key in ("id", "type", "role")}
        return Named(known["id"], known["type"], known["role"])


def reference(item: bytes) -> str | None:
    """Return the id that an item merely refers to; None for an item that stands for itself."""
    if b'"id"' not in item or len(item) > 1000:
        return None
    name = name_of(item)
    bare = name.type is None and name.role is None
    return name.id if name.type == "item_reference" or bare else None


def item_id(item: bytes, owner: str, position: int) -> str:
    """Return an item's own id, or the one that it has within its `owner`."""
    name = name_of(item)
    if name.id:
        return name.id
    seed = hashlib.sha256(owner.encode()).hexdigest()[:40]
    return f"{_PREFIXES.get(name.type or 'message', 'item')}_{seed}{position:05d}"


def shown(item: bytes, name: str) -> dict[str, Any]:
    """Return an item as lists show it: named, typed, and its text in parts."""
    wire = decode_object(item) or {}
    kind = text(wire.get("type")) or "message"
    shown: dict[str, Any] = {**wire, "id": name, "type": kind}
    if kind == "message":
        part = "output_text" if wire.get("role") == "assistant" else "input_text"
        shown["status"] = text(wire.get("status")) or "completed"
        shown["content"] = _parts(wire.get("content"), part)
    return shown


def _parts(content: object, kind: str) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [_part({"text": content}, kind)]
    return [_part(mapping(part), kind) for part in sequence(content)]


def _part(part: dict[str, Any], kind: str) -> dict[str, Any]:
    part = {"type": kind, **part}
    if part["type"] == "output_text":
        part = {"annotations": [], "logprobs": [], **part}
    return part
