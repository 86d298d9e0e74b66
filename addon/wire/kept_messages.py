"""Messages that are put together of several pieces, yet recur as the same objects."""

from __future__ import annotations

from collections.abc import Iterable

from addon.neutral import Message, Recurring
from addon.wire.codec import encode
from addon.wire.memo import Memo

_CAPACITY = 8 << 20
"""Bytes that may be kept."""
_OVERHEAD = 500
"""Bytes that a message takes beside its text, about."""

_kept: Memo[Message, Message] = Memo(_CAPACITY)


def keep(messages: Iterable[Message]) -> Recurring:
    """Return messages, each as the object that was kept when an equal one came first.

    It is quick where their texts are the same objects as before, which remember their own hash.
    """
    return Recurring(map(_the_same, messages))


def _the_same(message: Message) -> Message:
    try:
        known = _kept.get(message)
    except TypeError:  # it holds JSON that only one format understands, which has no hash
        return message
    if known is None:
        _kept.put(message, message, _OVERHEAD + len(encode(message)))
        return message
    return known
