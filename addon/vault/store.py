"""What a vault is: bytes by kind and key, kept for a while.

A vault knows nothing of what it keeps. It is a memory and not a ledger: losing an entry costs
quality, never correctness, so trouble with the disk or the network is logged and never raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a vault keeps; what was used longest ago goes first."""

    size: int = 512 << 20
    """Most bytes, what the storage needs for itself included where it can tell."""
    age: float = 30 * 86400.0
    """Seconds after which an entry that nobody asked for is forgotten."""


class Vault(Protocol):
    """A store of bytes by kind and key, safe to use from any thread."""

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep values, in place of older ones of the same key.

        Returns at once; `get` sees the values from now on, also before they are stored.
        """
        ...

    def get(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys, and count it as used; missing ones are absent."""
        ...

    def delete(self, kind: str, keys: Iterable[str]) -> None:
        """Forget these keys, known or not."""
        ...

    def close(self) -> None:
        """Store what is pending and let go of files and connections; the vault is done for."""
        ...
