"""What pieces of earlier requests were read as."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import msgspec

from addon.neutral import Extra
from addon.wire.memo import Memo
from addon.wire.unread import Unread

_CAPACITY = 16 << 20
"""Bytes that each kind of piece may take."""
_OVERHEAD = 500
"""Bytes that a piece takes beside its text, about."""
_COPIES = 2
"""The piece is remembered, and so are the words that were read out of it."""

_decode: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class NotJson(ValueError):
    """A piece is no JSON by strict rules; the body has to be decoded as a whole."""


class Readings[T]:
    """Reads pieces of one kind, each of them once.

    What a piece is read as must depend on nothing but the piece and the context given with it.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Memo[tuple[Hashable, bytes], tuple[T, tuple[Extra, ...]]] = Memo(_CAPACITY)

    def read(
        self,
        data: bytes,
        context: Hashable,
        unread: Unread,
        parse: Callable[[Any, Unread], T],
    ) -> T:
        """Return what a piece says.

        Args:
            data: The piece, encoded.
            context: What else the reading depends on.
            unread: Receives what the hub has no word for.
            parse: Reads the decoded piece. What it raises is not remembered.

        Raises:
            NotJson: It is not what strict rules allow.
        """
        only = self.read_all([data], context, unread, lambda value, _, own: parse(value, own))
        return next(only)

    def read_all(
        self,
        pieces: Iterable[bytes],
        context: Hashable,
        unread: Unread,
        parse: Callable[[Any, int, Unread], T],
    ) -> Iterator[T]:
        """Return what each of several pieces says, one after the other.

        Args:
            pieces: The pieces, encoded.
            context: What else the readings depend on.
            unread: Receives what the hub has no word for.
            parse: Reads a decoded piece, whose position only complaints may depend on.

        Raises:
            NotJson: A piece is not what strict rules allow.
        """
        remembered = self._known
        for position, data in enumerate(pieces):
            key = (context, data)
            known = remembered.get(key)
            if known is None:
                own = Unread()
                known = parse(_decoded(data), position, own), own.extras
                remembered.put(key, known, _OVERHEAD + _COPIES * len(data))
            said, extras = known
            if extras:
                unread.extend(extras)
            yield said


def _decoded(data: bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type
    try:
        return _decode.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotJson(str(error)) from None
