"""One zstd frame, with whichever library is there.

Python 3.14 has one of its own; below it mitmproxy brings one along, `backports.zstd` from version
12.3 on and `zstandard` before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any, Protocol, cast

PIECE = 1 << 20
"""Most bytes, roughly, that one decoding step makes."""
BLOCK = 128 * 1024
"""Most bytes that a block makes, of which a header of three bytes and one more may be the whole."""
SLICE = 4 * PIECE // BLOCK
"""Bytes to feed at once to a library that cannot be told how much to make."""


class _Bounded(Protocol):
    """The decompressor of `compression.zstd`."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Unbounded(Protocol):
    """The decompressor of `zstandard`."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes) -> bytes: ...


class _Maker(Protocol):
    """What makes it."""

    def decompressobj(self) -> _Unbounded: ...


class _BoundedFrame:
    def __init__(self, make: Callable[[], _Bounded]) -> None:
        self._decompressor = make()

    @property
    def ended(self) -> bool:
        return self._decompressor.eof

    @property
    def rest(self) -> bytes:
        return self._decompressor.unused_data if self.ended else b""

    def decode(self, data: bytes) -> Iterator[bytes]:
        while True:
            if piece := self._decompressor.decompress(data, PIECE):
                yield piece
            if self.ended or self._decompressor.needs_input:
                return
            data = b""


class _UnboundedFrame:
    def __init__(self, make: Callable[[], _Maker]) -> None:
        self._decompressor = make().decompressobj()
        self.rest = b""

    @property
    def ended(self) -> bool:
        return self._decompressor.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), SLICE):
            if piece := self._decompressor.decompress(data[start : start + SLICE]):
                yield piece
            if self.ended:
                self.rest = self._decompressor.unused_data + data[start + SLICE :]
                return


class Frame(Protocol):
    """Decodes one frame."""

    @property
    def ended(self) -> bool:
        """Whether the frame is complete."""
        ...

    @property
    def rest(self) -> bytes:
        """What was fed beyond the frame's end."""
        ...

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to, in bounded pieces; raises `Error`."""
        ...


def _load() -> tuple[Callable[[], Frame], type[Exception]]:
    names = ["backports.zstd", "zstandard"]
    if sys.version_info >= (3, 14):
        names.insert(0, "compression.zstd")
    for name in names:
        try:
            library = cast("Any", import_module(name))
        except ImportError:
            continue
        if name != "zstandard":
            return partial(_BoundedFrame, library.ZstdDecompressor), library.ZstdError
        # One decompressor each: those of one parent share its state.
        make = partial(library.ZstdDecompressor, max_window_size=1 << 27)
        return partial(_UnboundedFrame, make), library.ZstdError
    raise ImportError("mitmproxy has come without a zstd library")


FrameDecoder, Error = _load()
"""Makes a decoder for one frame; what it raises."""
