"""Encrypted reasoning: written by this provider, bound to the model, and verified when it returns.

Page followed: https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from addon.embedded.refusal import Refusal

_NONCE = 16


def seal(secret: bytes, model: str, turn: int) -> str:
    """Write the `encrypted_content` of a reasoning item."""
    nonce = hashlib.sha256(f"reasoning {turn}".encode()).digest()[:_NONCE]
    return base64.urlsafe_b64encode(b"\x80" + nonce + _tag(secret, model, nonce)).decode()


def check_seal(secret: bytes, model: str, identifier: str, sealed: str) -> None:
    """Check what an item brings back.

    Raises:
        Refusal: This provider did not write it, or wrote it for another model.
    """
    try:
        decoded = base64.b64decode(sealed, altchars=b"-_", validate=True)
    except binascii.Error:
        decoded = b""
    nonce, tag = decoded[1 : 1 + _NONCE], decoded[1 + _NONCE :]
    if not hmac.compare_digest(tag, _tag(secret, model, nonce)):
        raise Refusal(
            f"The encrypted content for item {identifier} could not be verified.",
            code="invalid_encrypted_content",
        )


def _tag(secret: bytes, model: str, nonce: bytes) -> bytes:
    return hmac.digest(secret, nonce + model.encode(), "sha256")
