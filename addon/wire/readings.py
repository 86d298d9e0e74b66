"""What pieces of earlier requests were read as."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import msgspec

from addon.neutral import Extra
from addon.wire.memo import Memo
from addon.wire.unread import Unread

_CAPACITY = 8 << 20
"""Bytes that each kind of piece may take."""
_OVERHEAD = 500
"""Bytes that a piece takes beside its text, about."""
_COPIES = 2
"""The piece is remembered, and so are the words that were read out of it."""

_decode: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

type Reading[T] = tuple[T, tuple[Extra, ...]]
"""What a piece says, and what of it the hub has no word for."""


class NotJson(ValueError):
    """A piece is no JSON by strict rules; the body has to be decoded as a whole."""


class Readings[T]:
    """Reads pieces of one kind, each of them once.

    What a piece is read as must depend on nothing but the piece and the context given with it, and
    nobody may change it.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Memo[tuple[Hashable, bytes], Reading[T]] = Memo(_CAPACITY)

    def read(
        self, data: bytes, context: Hashable, unread: Unread, parse: Callable[[Any, Unread], T]
    ) -> T:
        """Return what a piece says; like `look`, but what is left unread goes to `unread`.

        Raises:
            NotJson: It is not what strict rules allow.
        """
        said, extras = self.look(data, context, parse)
        unread.extend(extras)
        return said

    def look(self, data: bytes, context: Hashable, parse: Callable[[Any, Unread], T]) -> Reading[T]:
        """Return what a piece says, and what of it the hub has no word for.

        Args:
            data: The piece, encoded.
            context: What else the reading depends on.
            parse: Reads the decoded piece. What it raises is not remembered.

        Raises:
            NotJson: It is not what strict rules allow.
        """
        key = (context, data)
        known = self._known.get(key)
        if known is None:
            unread = Unread()
            known = parse(_decoded(data), unread), unread.extras
            self._known.put(key, known, _OVERHEAD + _COPIES * len(data))
        return known


def _decoded(data: bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type
    try:
        return _decode.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotJson(str(error)) from None
