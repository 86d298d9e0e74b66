"""Opaque state of a provider, packed so that an agent of another format carries it home.

Some formats have a field that agents return without reading it (`reasoning.encrypted_content` of
OpenAI's Responses). What must come back to the provider that made it (signatures, redacted
thoughts) travels there in an envelope of our own:

    "dt1." + base64url(zlib(JSON array of [text, format, data, kind, owner, origin]))

The envelope is no secret: whoever could read it is the agent, which has been shown the thoughts.
"""

from __future__ import annotations

import base64
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
BASE64_PREFIX = "ZHQxL"
"""How the base64 of an envelope begins."""
_LARGEST = 16 * 1024 * 1024
"""Most bytes that an envelope may unpack to."""


_NO_STATE = OpaqueState("", "", "signature")


class Carried(msgspec.Struct, frozen=True):
    """One piece of state, and the words that it vouches for."""

    text: str = ""
    """The readable thought exactly as the provider wrote it."""
    state: OpaqueState | None = None
    """None for a thought that nobody signed."""
    call_id: str = ""
    """The tool call that the state signs, for providers that sign calls; else empty.

    Without state, the piece only marks the call's place among the thoughts.
    """
    signs_text: bool = False
    """Whether the state signs the words said just before, for providers that sign those.

    Without state, the piece only marks the words' place among the thoughts.
    """


def mint(pieces: Iterable[Carried]) -> str:
    """Pack state into an envelope; the empty string when it would be longer than `LONGEST`."""
    packed = base64.urlsafe_b64encode(pack(pieces)).decode()
    return PREFIX + packed if len(packed) <= LONGEST else ""


def mint_base64(pieces: Iterable[Carried]) -> str:
    """Pack state into an envelope for a field that must be base64; empty when it is too long."""
    envelope = mint(pieces)
    return base64.b64encode(envelope.encode()).decode() if envelope else ""


def pack(pieces: Iterable[Carried]) -> bytes:
    """Pack state for a place that takes any bytes of any length."""
    rows: list[list[str]] = []
    for piece in pieces:
        owner = "text" if piece.signs_text else piece.call_id and f"call:{piece.call_id}"
        state = piece.state or _NO_STATE
        rows.append([piece.text, state.format, state.data, state.kind, owner, state.origin])
    return zlib.compress(encode(rows), 6)


def is_ours(envelope: str) -> bool:
    """Tell whether a text claims to be an envelope of ours."""
    return envelope.startswith((PREFIX, BASE64_PREFIX))


def read(envelope: str) -> tuple[Carried, ...] | None:
    """Unpack an envelope; None for text that is foreign, damaged or too large."""
    if not is_ours(envelope) or len(envelope) > 2 * LONGEST:
        return None
    try:
        if envelope.startswith(BASE64_PREFIX):
            # Clients that hold the field as bytes write it again in an alphabet of their own.
            text_bytes = envelope.replace("-", "+").replace("_", "/").encode()
            envelope = base64.b64decode(text_bytes + b"=" * (-len(text_bytes) % 4)).decode("ascii")
        return unpack(base64.b64decode(envelope[len(PREFIX) :].encode(), b"-_", validate=True))
    except ValueError:
        return None


def unpack(packed: bytes) -> tuple[Carried, ...] | None:
    """Undo `pack`; None for bytes that are damaged or too large."""
    try:
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(packed, _LARGEST)
        if not unpacker.eof:
            return None
        rows = decode(unpacked)
    except (ValueError, zlib.error):
        return None
    pieces = [_piece(sequence(row)) for row in sequence(rows)]
    return tuple(piece for piece in pieces if piece is not None) or None


def _piece(row: list[Any]) -> Carried | None:
    if not 5 <= len(row) <= 6 or not all(isinstance(value, str) for value in row):
        return None
    words, name, data, kind, owner, origin = (*map(text, row), "")[:6]
    state = None
    if name:
        state = OpaqueState(name, data, "redacted" if kind == "redacted" else "signature", origin)
    return Carried(words, state, owner.partition("call:")[2], owner == "text")
