"""The upgrade from HTTP to a WebSocket, on the side that is asked (RFC 6455, section 4.2)."""

from __future__ import annotations

import base64
import binascii

import msgspec
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import generate_accept_token, split_comma_header

from addon.engine import Head
from addon.formats.base import Headers, header

VERSION = "13"
"""The one version of the protocol there is."""


class Handshake(msgspec.Struct, frozen=True):
    """An upgrade that can be granted."""

    head: Head
    """The answer that grants it."""
    deflate: PerMessageDeflate | None
    """How messages are compressed, if they are."""


def shake_hands(headers: Headers) -> Handshake | None:
    """Answer a request for an upgrade; None where it is not a proper one."""
    key = header(headers, "sec-websocket-key") or ""
    connection = _split(header(headers, "connection"))
    if (
        header(headers, "sec-websocket-version") != VERSION
        or "upgrade" not in (token.lower() for token in connection)
        or not _is_nonce(key)
    ):
        return None
    fields = [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-accept", generate_accept_token(key.encode()).decode()),
    ]
    deflate = None
    for offer in _split(header(headers, "sec-websocket-extensions")):
        if (granted := _accept(offer)) is not None:
            deflate, answer = granted
            fields.append(("sec-websocket-extensions", answer))
            break
    return Handshake(Head(101, tuple(fields)), deflate)


def _split(value: str | None) -> list[str]:
    return split_comma_header((value or "").encode("ascii", "replace"))


def _is_nonce(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _accept(offer: str) -> tuple[PerMessageDeflate, str] | None:
    """Accept an offer to compress, with the parameters that it names, or None if it is odd."""
    if offer.split(";", 1)[0].strip() != PerMessageDeflate.name:
        return None
    deflate = PerMessageDeflate()
    try:
        parameters = deflate.accept(offer)
    except ValueError:
        return None
    if not isinstance(parameters, str):
        return None
    return deflate, f"{deflate.name}; {parameters}" if parameters else deflate.name
