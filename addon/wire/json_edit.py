"""Change fields of a JSON document and leave every other byte as it was.

A provider's prompt cache hits only while the prefix of the body stays the same to the byte, and
re-encoding a document changes spacing, escapes and number forms. So an edit here replaces spans of
the original text (decision D3).

Where values end is told by `msgspec.Raw`, which measures them at the speed of C. What msgspec
cannot measure (a key that stands twice, leniency, a part of a document) is scanned: one regular
expression swallows everything up to the next bracket, strings included, so the work in Python is
one step a bracket. The scanner trusts the document to be JSON; decode it first where that is in
doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from addon.wire.codec import decode, encode

_measure_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_measure_items = msgspec.json.Decoder(list[msgspec.Raw]).decode

_KEY = re.compile(rb'"((?:[^"\\]++|\\.)*+)"[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_BLANKS = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]++")
_TO_BRACKET = re.compile(
    rb'[^"\[\]{}]*+(?:"(?:[^"\\]++|\\.)*+"[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL
)


class Member(NamedTuple):
    """One `"key": value` of an object, as offsets into the document."""

    key: str
    start: int
    """Where the key's opening quote stands."""
    value_start: int
    value_end: int


class Splice(NamedTuple):
    """Replace the bytes `[start, end)` by `replacement`."""

    start: int
    end: int
    replacement: bytes


def members(document: bytes, start: int = 0) -> list[Member]:
    """Locate the members of the object that begins at `start` (blanks before it are skipped).

    Raises:
        ValueError: There is no JSON object.
    """
    if start == 0 and (measured := _measured_members(document)) is not None:
        return measured
    position = _open(document, start, b"{")
    found: list[Member] = []
    while document[position : position + 1] != b"}":
        key_end = _end_of_value(document, position)
        key = decode(document[position:key_end])
        colon = _skip_blanks(document, key_end)
        if document[colon : colon + 1] != b":" or not isinstance(key, str):
            raise ValueError(f"not a JSON object at byte {position}")
        value_start = _skip_blanks(document, colon + 1)
        value_end = _end_of_value(document, value_start)
        found.append(Member(key, position, value_start, value_end))
        position = _skip_separator(document, value_end, b"}")
    return found


def items(document: bytes, start: int = 0) -> list[tuple[int, int]]:
    """Locate the items of the array that begins at `start`, as `(start, end)` pairs.

    Raises:
        ValueError: There is no JSON array.
    """
    if start == 0 and (measured := _measured_items(document)) is not None:
        return measured
    position = _open(document, start, b"[")
    found: list[tuple[int, int]] = []
    while document[position : position + 1] != b"]":
        end = _end_of_value(document, position)
        found.append((position, end))
        position = _skip_separator(document, end, b"]")
    return found


def _measured_members(document: bytes) -> list[Member] | None:
    """Locate members by the lengths of their values; None where the lengths do not fit."""
    found: list[Member] = []
    try:
        values = _measure_members(document)
        position = _open(document, 0, b"{")
        for key, value in values.items():
            match = _KEY.match(document, position)
            if match is None or match[1] != key.encode():
                return None
            value_end = match.end() + len(value)
            found.append(Member(key, position, match.end(), value_end))
            position = _skip_separator(document, value_end, b"}")
    except (ValueError, RecursionError):
        return None
    return found if document[position:].rstrip() == b"}" else None


def _measured_items(document: bytes) -> list[tuple[int, int]] | None:
    """Locate items by their lengths; None where the lengths do not fit."""
    found: list[tuple[int, int]] = []
    try:
        position = _open(document, 0, b"[")
        for item in _measure_items(document):
            end = position + len(item)
            found.append((position, end))
            position = _skip_separator(document, end, b"]")
    except (ValueError, RecursionError):
        return None
    return found if document[position:].rstrip() == b"]" else None


def splice(document: bytes, splices: Iterable[Splice]) -> bytes:
    """Apply replacements that do not overlap, in any order."""
    pieces: list[bytes] = []
    position = 0
    for start, end, replacement in sorted(splices):
        pieces += (document[position:start], replacement)
        position = end
    pieces.append(document[position:])
    return b"".join(pieces)


def edit_object(document: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """Set or remove members of a JSON object.

    Args:
        document: The object's text, with nothing but blanks around it.
        changes: The new value of each key as JSON text, or None to remove the key. A key that is
            not there yet is added at the end; a key that stands there twice is changed twice.

    Returns:
        The document with only those spans changed.

    Raises:
        ValueError: The document is not a JSON object.
    """
    found = members(document)
    kept = [member for member in found if changes.get(member.key, b"") is not None]
    splices = [
        Splice(member.value_start, member.value_end, value)
        for member in kept
        if (value := changes.get(member.key)) is not None
    ]
    splices += _removals(document, found, changes)
    present = {member.key for member in found}
    additions = [
        encode(key) + b":" + value
        for key, value in changes.items()
        if value is not None and key not in present
    ]
    if additions:
        end = kept[-1].value_end if kept else _open(document, 0, b"{", skip=False)
        text = b",".join(additions)
        splices.append(Splice(end, end, b"," + text if kept else text))
    return splice(document, splices)


def _removals(
    document: bytes, found: list[Member], changes: Mapping[str, bytes | None]
) -> list[Splice]:
    """Cut members out together with the one comma that goes with each."""
    cuts: list[Splice] = []
    kept_end: int | None = None
    for position, member in enumerate(found):
        if changes.get(member.key, b"") is not None:
            kept_end = member.value_end
            continue
        if kept_end is not None:
            cuts.append(Splice(found[position - 1].value_end, member.value_end, b""))
        elif position + 1 < len(found):
            cuts.append(Splice(member.start, found[position + 1].start, b""))
        else:
            cuts.append(Splice(member.start, member.value_end, b""))
    return cuts


def _open(document: bytes, start: int, bracket: bytes, *, skip: bool = True) -> int:
    position = _skip_blanks(document, start)
    if document[position : position + 1] != bracket:
        kind = "object" if bracket == b"{" else "array"
        raise ValueError(f"not a JSON {kind} at byte {position}")
    return _skip_blanks(document, position + 1) if skip else position + 1


def _skip_blanks(document: bytes, position: int) -> int:
    match = _BLANKS.match(document, position)
    return match.end() if match else position


def _skip_separator(document: bytes, position: int, closing: bytes) -> int:
    position = _skip_blanks(document, position)
    character = document[position : position + 1]
    if character == b",":
        return _skip_blanks(document, position + 1)
    if character == closing:
        return position
    raise ValueError(f"expected a comma or {closing.decode()} at byte {position}")


def _end_of_value(document: bytes, start: int) -> int:
    first = document[start : start + 1]
    if first == b'"':
        match = _STRING.match(document, start)
    elif first in (b"{", b"["):
        return _end_of_container(document, start)
    else:
        match = _SCALAR.match(document, start)
    if match is None:
        raise ValueError(f"not JSON at byte {start}")
    return match.end()


def _end_of_container(document: bytes, start: int) -> int:
    depth = 0
    position = start
    while match := _TO_BRACKET.match(document, position):
        position = match.end()
        depth += 1 if match[1] in (b"{", b"[") else -1
        if depth == 0:
            return position
    raise ValueError(f"the value at byte {start} has no end")
