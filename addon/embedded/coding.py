"""Content codings of an answer."""

from __future__ import annotations

import zlib
from typing import override


class Identity:
    """No coding."""

    headers: tuple[tuple[str, str], ...] = ()
    """What tells the client of the coding."""

    def pack(self, data: bytes) -> bytes:
        """Code a piece of the body so that the client can read it at once."""
        return data

    def finish(self) -> bytes:
        """Return what ends the body."""
        return b""


class Gzip(Identity):
    """RFC 1952, flushed after every piece."""

    headers = (("content-encoding", "gzip"),)

    def __init__(self) -> None:
        self._packer = zlib.compressobj(wbits=31)

    @override
    def pack(self, data: bytes) -> bytes:
        return self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    @override
    def finish(self) -> bytes:
        return self._packer.flush()
