"""What Detour may fetch for providers that read no addresses themselves."""

from __future__ import annotations

import msgspec


class MediaPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on pictures and documents that an agent names by their address."""

    fetch: bool = True
    """Whether anything is fetched at all."""
    max_mb: float = 10
    """Most megabytes of one medium; all of one request may have twice as much."""
    allow_http: bool = False
    """Whether addresses without TLS may be fetched."""
    allow_private: bool = False
    """Whether hosts may be fetched from that only this network can reach."""

    @property
    def most_bytes(self) -> int:
        """Most bytes of one medium."""
        return int(self.max_mb * 1_000_000)
