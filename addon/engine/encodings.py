"""Undo content encodings, one bounded piece at a time.

Agents compress requests (Codex: zstd) and providers compress answers although asked not to. A body
of a few kilobytes may unpack to gigabytes, so no step here makes more than about a megabyte at
once, and whoever reads the pieces decides when it has seen enough.

The codings are those of RFC 9110 section 8.4.1 with br (RFC 7932) and zstd (RFC 8878). Several may
be stacked, and a body may consist of several gzip members or zstd frames one after the other.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast, override

import brotli  # pyright: ignore[reportMissingTypeStubs] - it has none

from addon.engine import zstd
from addon.neutral import DetourError

PIECE = 1 << 20
"""Most bytes, roughly, that one decoding step makes."""
MOST_LAYERS = 5
"""More codings than anyone stacks in good faith."""


class EncodingError(DetourError):
    """A body is not what its `content-encoding` says, or is in a coding that nobody here knows."""


class ContentDecoder(Protocol):
    """Undoes one coding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to, in bounded pieces.

        Raises:
            EncodingError: The bytes are not in this coding.
        """
        ...

    @property
    def complete(self) -> bool:
        """Whether the bytes so far end where the coding says that they may end."""
        ...


class _ZlibDecoder:
    """Gzip and deflate, the latter with or without its zlib wrapper: both occur."""

    name = "gzip"
    window = zlib.MAX_WBITS | 16

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(self.window)
        self._started = False

    @property
    def complete(self) -> bool:
        return self._decompressor.eof or not self._started

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decompressor.eof:
                self._decompressor = zlib.decompressobj(self.window)
            piece = self._decompress(data)
            self._started = True
            if piece:
                yield piece
            ended = self._decompressor.eof
            data = self._decompressor.unused_data if ended else self._decompressor.unconsumed_tail

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._decompressor.decompress(data, PIECE)
        except zlib.error as error:
            raise EncodingError(f"the body is not valid {self.name}: {error}") from error


class _DeflateDecoder(_ZlibDecoder):
    name = "deflate"
    window = zlib.MAX_WBITS

    @override
    def _decompress(self, data: bytes) -> bytes:
        if not self._started and data[0] & 0x0F != zlib.DEFLATED:
            self._decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        return super()._decompress(data)


class _Brotli(Protocol):
    """What is used of `brotli.Decompressor`."""

    def process(self, data: bytes, output_buffer_limit: int) -> bytes: ...

    def is_finished(self) -> bool: ...


_BrotliError = cast("type[Exception]", brotli.error)  # pyright: ignore[reportUnknownMemberType]


class _BrotliDecoder:
    def __init__(self) -> None:
        self._decompressor = cast("_Brotli", brotli.Decompressor())  # pyright: ignore[reportUnknownMemberType]
        self._started = False

    @property
    def complete(self) -> bool:
        return not self._started or self._decompressor.is_finished()

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._started = True
        while piece := self._decompress(data):
            yield piece
            data = b""

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._decompressor.process(data, output_buffer_limit=PIECE)
        except _BrotliError as error:
            raise EncodingError("the body is not valid br") from error


class _ZstdDecoder:
    def __init__(self) -> None:
        self._frame = zstd.FrameDecoder()
        self._started = False

    @property
    def complete(self) -> bool:
        return not self._started or self._frame.ended

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._frame.ended:
                self._frame = zstd.FrameDecoder()
            self._started = True
            try:
                yield from self._frame.decode(data)
            except zstd.Error as error:
                raise EncodingError(f"the body is not valid zstd: {error}") from error
            data = self._frame.rest


DECODERS: dict[str, Callable[[], ContentDecoder]] = {
    "gzip": _ZlibDecoder,
    "x-gzip": _ZlibDecoder,
    "deflate": _DeflateDecoder,
    "br": _BrotliDecoder,
    "zstd": _ZstdDecoder,
}


class StackedDecoder:
    """Undoes all codings of a body, the last applied first."""

    def __init__(self, content_encoding: str) -> None:
        """Prepare for the value of a `content-encoding` header.

        Raises:
            EncodingError: It names a coding that is not known, or too many.
        """
        names = [name.strip().lower() for name in content_encoding.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > MOST_LAYERS:
            raise EncodingError(f"content-encoding stacks {len(names)} codings")
        unknown = [name for name in names if name not in DECODERS]
        if unknown:
            raise EncodingError(f"content-encoding {unknown[0]!r} is not supported")
        self._layers = [DECODERS[name]() for name in reversed(names)]

    @property
    def complete(self) -> bool:
        """Whether the body so far ends where its codings say that it may end."""
        return all(layer.complete for layer in self._layers)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to, in bounded pieces.

        Raises:
            EncodingError: The bytes are not in the coding they should be in.
        """
        pieces: Iterable[bytes] = (data,)
        for layer in self._layers:
            pieces = _decode_each(layer, pieces)
        yield from pieces


def _decode_each(layer: ContentDecoder, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from layer.decode(piece)
