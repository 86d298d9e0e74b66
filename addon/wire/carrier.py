"""Opaque state of a provider, packed so that an agent of another format carries it home.

Some formats have a field that agents return without reading it (`reasoning.encrypted_content` of
OpenAI's Responses). What must come back to the provider that made it (signatures, redacted
thoughts) travels there in an envelope of our own:

    "dt1." + base64url(zlib(JSON array of [text, format, data, kind, call id]))

The envelope is no secret: whoever could read it is the agent, which has been shown the thoughts.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from addon.neutral import OpaqueState
from addon.wire.codec import decode, encode
from addon.wire.reading import sequence, text

PREFIX = "dt1."
"""Marks an envelope; the figure is the version of its contents."""

LONGEST = 1024 * 1024
"""Most characters of an envelope; agents and validators choke on more."""
_LARGEST = 16 * 1024 * 1024
"""Most bytes that an envelope may unpack to."""


class Carried(msgspec.Struct, frozen=True):
    """One piece of state, and the words that it vouches for."""

    text: str = ""
    """The readable thought exactly as the provider wrote it."""
    state: OpaqueState | None = None
    """None for a thought that nobody signed."""
    call_id: str = ""
    """The tool call that the state signs, for providers that sign calls; else empty."""
    signs_text: bool = False
    """Whether the state signs the words said just before, for providers that sign those."""


def mint(pieces: Iterable[Carried]) -> str:
    """Pack state into an envelope; the empty string when it would be longer than `LONGEST`."""
    rows: list[list[str]] = []
    for piece in pieces:
        state = piece.state
        owner = "text" if piece.signs_text else piece.call_id and f"call:{piece.call_id}"
        if state is None:
            rows.append([piece.text, "", "", "", owner])
        else:
            rows.append([piece.text, state.format, state.data, state.kind, owner])
    packed = base64.urlsafe_b64encode(zlib.compress(encode(rows), 6)).decode()
    return PREFIX + packed if len(packed) <= LONGEST else ""


def is_ours(envelope: str) -> bool:
    """Tell whether a text claims to be an envelope of ours."""
    return envelope.startswith(PREFIX)


def read(envelope: str) -> tuple[Carried, ...] | None:
    """Unpack an envelope; None for text that is foreign, damaged or too large."""
    if not is_ours(envelope) or len(envelope) > LONGEST + len(PREFIX):
        return None
    try:
        packed = base64.b64decode(envelope[len(PREFIX) :].encode(), b"-_", validate=True)
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(packed, _LARGEST)
        if not unpacker.eof:
            return None
        rows = decode(unpacked)
    except (ValueError, zlib.error, binascii.Error):
        return None
    pieces = [_piece(sequence(row)) for row in sequence(rows)]
    return tuple(piece for piece in pieces if piece is not None) or None


def _piece(row: list[Any]) -> Carried | None:
    if len(row) != 5 or not all(isinstance(value, str) for value in row):
        return None
    words, name, data, kind, owner = (text(value) for value in row)
    state = None
    if name:
        state = OpaqueState(name, data, "redacted" if kind == "redacted" else "signature")
    return Carried(words, state, owner.partition("call:")[2], owner == "text")
