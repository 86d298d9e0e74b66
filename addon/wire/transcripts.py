"""What the messages of conversations were read as, as far as they have come.

Most requests are the one before with a few messages more. Then their beginning is compared as a
whole, and only what follows is looked at message by message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any

import msgspec

from addon.wire.memo import Memo
from addon.wire.readings import NotJson, Reading, Readings
from addon.wire.unread import Unread

_CAPACITY = 8 << 20
"""Bytes that the conversations of one format may take."""
_OVERHEAD = 200
"""Bytes that a message takes here beside its text, about."""
_BEGINNING = 4096
"""Bytes that tell one conversation from another; where they do not, the last one is remembered."""
_OBJECT = b"{"

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Transcript[T](msgspec.Struct, frozen=True):
    """A conversation as it was sent last."""

    array: bytes
    """The encoded array, up to the end of its last message."""
    ends: list[int]
    """Where each message ends in it; at least one."""
    readings: list[Reading[T]]

    def agrees(self, array: bytes) -> int:
        """Return how many messages another array has in common with this one's beginning."""
        if array.startswith(self.array):
            return len(self.ends)
        return bisect_left(self.ends, True, key=lambda end: array[:end] != self.array[:end])


class Transcripts[T]:
    """Reads the messages of one format, each of them once.

    What a message is read as must depend on nothing but itself and the context given with it, and
    nobody may change it.
    """

    __slots__ = ("_readings", "_transcripts")

    def __init__(self) -> None:
        self._readings: Readings[T] = Readings()
        self._transcripts: Memo[tuple[Hashable, int], _Transcript[T]] = Memo(_CAPACITY)

    def read(
        self,
        array: bytes,
        context: Hashable,
        unread: Unread,
        parse: Callable[[int, Any, Unread], T],
    ) -> Iterator[T]:
        """Tell what each message of a conversation says, one after the other.

        Args:
            array: The messages, encoded.
            context: What else the readings depend on.
            unread: Receives what the hub has no word for.
            parse: Reads a decoded message, on whose position only complaints may depend. What it
                raises is not remembered.

        Raises:
            NotJson: There are none, one is no object, or one is not what strict rules allow.
        """
        key = (context, hash(array[:_BEGINNING]))
        earlier = self._transcripts.get(key)
        known = 0 if earlier is None else earlier.agrees(array)
        ends = [] if earlier is None else earlier.ends[:known]
        readings = [] if earlier is None else earlier.readings[:known]
        for said, extras in readings:
            if extras:
                unread.extend(extras)
            yield said
        end = ends[-1] if ends else 0
        for position, element in enumerate(_elements_from(array, end), known):
            data = bytes(element)
            reading = self._readings.look(data, context, partial(parse, position))
            end = array.index(data, end) + len(data)
            ends.append(end)
            readings.append(reading)
            said, extras = reading
            unread.extend(extras)
            yield said
        if not ends:
            raise NotJson("there are no messages")
        if earlier is None or end != earlier.ends[-1] or known != len(earlier.ends):
            transcript = _Transcript(array[:end], ends, readings)
            self._transcripts.put(key, transcript, end + _OVERHEAD * len(ends))


def _elements_from(array: bytes, end: int) -> list[msgspec.Raw]:
    """Split what follows the message that ends at `end`; 0 for all of an array."""
    if end:
        following = array[end:].lstrip()
        array = b"[" + following.removeprefix(b",") if following[:1] == b"," else b"[" + following
    try:
        elements = _elements(array)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotJson(str(error)) from None
    if any(bytes(element)[:1] != _OBJECT for element in elements):
        raise NotJson("a message is no object")
    return elements
