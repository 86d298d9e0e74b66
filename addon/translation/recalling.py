"""Give a provider back what it wants to see again, and nothing that another one made.

What agents carry home themselves comes first; what they lost is looked up by the ids of their tool
calls, all of a request in one question, and none when nothing is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from time import monotonic
from typing import Protocol

import msgspec

from addon.formats import FORMATS
from addon.formats.base import FormatName
from addon.neutral import (
    Message,
    OpaqueState,
    Part,
    ReasoningPart,
    Recurring,
    Request,
    TextPart,
    ToolCallPart,
)
from addon.providers import Destination
from addon.translation.known_state import KnownState, Store
from addon.translation.origins import HOMES, Maker, origin_of
from addon.translation.remembering import Recorder, call_key, origin_key, text_key
from addon.wire.carrier import Carried, unpack
from addon.wire.codec import encode
from addon.wire.memo import Memo
from addon.wire.restoring import restore

_LARGEST_KEPT = 2048
"""Packed bytes that are worth remembering unpacked."""
_CAPACITY = 4 << 20
"""Bytes that may be remembered of the turns that come again."""
_OVERHEAD = 500
"""Bytes that a turn takes beside its text, about."""


class _Turn(msgspec.Struct, frozen=True):
    """What has to be done about an earlier turn of the assistant."""

    message: Message
    """Kept, so that no other message gets its identity."""
    keys: Sequence[str]
    """The keys under which what it lacks may be kept."""
    fits: bool
    """Whether it holds nothing that another one made."""


class Memory:
    """What is known of the earlier turns of all conversations."""

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic) -> None:
        self._known = KnownState(store, clock)
        self._turns: Memo[tuple[int, Maker, str], _Turn] = Memo(_CAPACITY)
        self._restored: Memo[tuple[int, Maker, tuple[bytes, ...]], tuple[Message, Message]] = Memo(
            _CAPACITY
        )

    def recorder(
        self, agent_format: FormatName, destination: Destination, origin: str = ""
    ) -> Recorder:
        """Prepare to watch the answer of a destination.

        Args:
            agent_format: The format that the agent speaks.
            destination: Where the request goes.
            origin: Who makes the answer, where that depends on the request.
        """
        same = agent_format == destination.format
        chat = agent_format == "openai-chat"
        dialect = destination.provider.dialect
        wanted = FORMATS[destination.format].wants_back(destination.model, dialect)
        return Recorder(
            self._known.put,
            origin or origin_of(destination),
            content=not same or (chat and wanted != "nothing"),
            makers=same and not chat,
            signs_text=destination.format == "gemini",
        )

    def recall(self, request: Request, destination: Destination) -> Request:
        """Return a request in whose earlier turns everything stands that the destination made.

        The result depends on each turn alone, so that longer conversations begin alike (D8).
        """
        spoken = FORMATS[destination.format]
        dialect = destination.provider.dialect
        wanted = spoken.wants_back(destination.model, dialect)
        maker = Maker(destination.format, origin_of(destination, request))
        recurring = isinstance(request.messages, Recurring)
        turns = [
            (index, self._turn(message, maker, wanted, recurring=recurring))
            for index, message in enumerate(request.messages)
            if message.role == "assistant"
        ]
        keys = [key for _, turn in turns for key in turn.keys]
        kept = self._get(keys) if keys else {}
        changed: dict[int, Message] = {}
        for index, turn in turns:
            packed = _packed(turn.keys, kept) if kept else ()
            if packed or not turn.fits:
                changed[index] = self._fitted(turn.message, packed, maker, recurring=recurring)
        if not changed:
            return request
        messages = [changed.get(index, old) for index, old in enumerate(request.messages)]
        return msgspec.structs.replace(request, messages=type(request.messages)(messages))

    def _turn(self, message: Message, maker: Maker, wanted: str, *, recurring: bool) -> _Turn:
        if not recurring:
            return _Turn(message, _missing(message, maker, wanted), _fits(message, maker))
        key = (id(message), maker, wanted)
        turn = self._turns.get(key)
        if turn is None:
            turn = _Turn(message, _missing(message, maker, wanted), _fits(message, maker))
            self._turns.put(key, turn, _OVERHEAD + len(encode(message)))
        return turn

    def _fitted(
        self, message: Message, packed: tuple[bytes, ...], maker: Maker, *, recurring: bool
    ) -> Message:
        """Return a message with what is kept of it, and nothing that another one made."""
        key = (id(message), maker, packed)
        known = self._restored.get(key) if recurring else None
        if known is None:
            known = message, _fit(_restored(message, packed), maker)
            if recurring:
                self._restored.put(key, known, _OVERHEAD + len(encode(known)))
        return known[1]

    def past(self, agent_format: FormatName, destination: Destination) -> Past:
        """Return what is known to a request that needs no translation."""
        return Past(self._get, agent_format, destination)

    def _get(self, keys: Iterable[str]) -> dict[str, bytes]:
        return self._known.get(dict.fromkeys(keys))


class Past:
    """What is known of one conversation whose agent and provider speak the same format."""

    def __init__(self, get: Getter, agent_format: FormatName, destination: Destination) -> None:
        self._get = get
        self._home = HOMES[agent_format]
        self._destination = destination

    def foreign(self, states: Iterable[str]) -> Collection[str]:
        """Return those of these opaque states that the destination did not make.

        What Detour never saw being made comes from the provider that the agent talks to without it.
        """
        states = list(states)
        own = origin_of(self._destination).encode()
        unseen = own if self._destination.provider.id == self._home else b""
        makers = self._get(map(origin_key, states)) if states else {}
        return {state for state in states if makers.get(origin_key(state), unseen) != own}

    def recall(self, turns: Iterable[Iterable[ToolCallPart]]) -> list[tuple[Carried, ...]]:
        """Return what is kept of each turn, which is named by its calls."""
        keys = [[_key(call) for call in calls] for calls in turns]
        kept = self._get(key for found in keys for key in found) if any(keys) else {}
        maker = Maker(self._destination.format, origin_of(self._destination))
        return [
            tuple(_fitting(piece, maker) for piece in _pieces(_packed(found, kept)))
            for found in keys
        ]


class Getter(Protocol):
    """Looks up state."""

    def __call__(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these keys."""
        ...


def _missing(message: Message, maker: Maker, wanted: str) -> list[str]:
    """Return the keys under which what a message lacks may be kept."""
    if wanted == "nothing" or any(_is_complete(part, maker) for part in message.parts):
        return []
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    if calls:
        return list(map(_key, calls))
    words = "".join(part.text for part in message.parts if isinstance(part, TextPart))
    return [text_key(words)] if wanted == "words" and words else []


def _is_complete(part: Part, maker: Maker) -> bool:
    """Tell whether a part holds what the destination wants to see of its message."""
    if isinstance(part, ReasoningPart) and maker.format == "openai-chat" and part.text:
        return True
    state = _state(part)
    return state is not None and maker.made(state)


def _restored(message: Message, packed: Iterable[bytes]) -> Message:
    pieces = _pieces(packed)
    if not pieces:
        return message
    return msgspec.structs.replace(message, parts=restore(message.parts, pieces))


def _packed(keys: Iterable[str], kept: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """Return what is kept of a turn, which may have been made of several answers."""
    return tuple(dict.fromkeys(value for key in keys if (value := kept.get(key)) is not None))


def _pieces(packed: Iterable[bytes]) -> tuple[Carried, ...]:
    return tuple(piece for value in packed for piece in _unpacked(value) or ())


def _unpacked(packed: bytes) -> tuple[Carried, ...] | None:
    return _kept(packed) if len(packed) <= _LARGEST_KEPT else unpack(packed)


@lru_cache(maxsize=512)
def _kept(packed: bytes) -> tuple[Carried, ...] | None:
    """Unpack what is looked up again with every later turn of a conversation."""
    return unpack(packed)


def _fits(message: Message, maker: Maker) -> bool:
    """Tell whether a message holds no state but what the maker of the answer made."""
    states = map(_state, message.parts)
    return all(state is None or maker.made(state) for state in states)


def _fit(message: Message, maker: Maker) -> Message:
    """Return a message without state that the maker of the answer did not make."""
    if _fits(message, maker):
        return message
    parts: list[Part] = []
    for part in message.parts:
        state = _state(part)
        if state is None or maker.made(state):
            parts.append(part)
        elif not isinstance(part, ReasoningPart) or part.text:
            parts.append(msgspec.structs.replace(part, state=None))
    return msgspec.structs.replace(message, parts=tuple(parts))


def _fitting(piece: Carried, maker: Maker) -> Carried:
    if piece.state is None or maker.made(piece.state):
        return piece
    return msgspec.structs.replace(piece, state=None)


def _state(part: Part) -> OpaqueState | None:
    return getattr(part, "state", None)


def _key(call: ToolCallPart) -> str:
    return call_key(call.call_id, call.name, call.arguments, call.kind)
