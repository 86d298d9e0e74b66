"""Ids that look like the real APIs' and are the same in every run."""

from __future__ import annotations

import base64
import hashlib


def unique_name(prefix: str, *parts: object) -> str:
    """Make up an id; the same parts give the same id."""
    digest = hashlib.sha256(repr((prefix, parts)).encode()).digest()
    return prefix + base64.b32encode(digest).decode()[:22]
