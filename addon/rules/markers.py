"""What gives away what an agent is doing: the signs that `signatures` is made of.

Each sign is a value with one question, `fits`, so that the table can be read, printed and tested.
They are looked for in the neutral request, so that one table holds for every format an agent
speaks. All are plain comparisons of text: a request of 24 kB is told in a few microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, cast

import msgspec

from addon.neutral import Message, Request, TextPart, Tool
from addon.wire.codec import decode_object

type HeaderValues = Mapping[str, Sequence[str]]
"""The values of each header, by its name in lower case."""

_TURN_METADATA = "x-codex-turn-metadata"


class Call:
    """What signs are looked for in."""

    def __init__(self, headers: HeaderValues, request: Request) -> None:
        self.headers = headers
        self.request = request

    @cached_property
    def instructions(self) -> tuple[str, ...]:
        """All instructions, those amid the conversation included."""
        amid = (message for message in self.request.messages if message.role == "system")
        before = (part.text for message in self.request.system for part in message.parts)
        return (*before, *(text for message in amid for text in _texts(message)))

    @cached_property
    def opened(self) -> tuple[str, ...]:
        """What the user said first."""
        return _first_of_user(self.request.messages)

    @cached_property
    def said(self) -> tuple[str, ...]:
        """What the user said last."""
        return _first_of_user(reversed(self.request.messages))

    @cached_property
    def tools(self) -> frozenset[str]:
        """The names of the tools that the agent itself runs."""
        return frozenset(tool.name for tool in self.request.tools if isinstance(tool, Tool))

    @cached_property
    def extras(self) -> Mapping[str, Any]:
        """The fields that the hub has no word for."""
        return {extra.field: extra.value for extra in self.request.extras}

    @cached_property
    def turn(self) -> Mapping[str, Any]:
        """What Codex says of its turn.

        It stands in the body and in a header, where it may be out of date: all calls of a
        WebSocket come with the headers that the socket was opened with.
        """
        metadata = self.extras.get("client_metadata")
        said = cast("dict[str, Any]", metadata) if isinstance(metadata, dict) else {}
        given = said.get(_TURN_METADATA) or next(iter(self.headers.get(_TURN_METADATA, ())), "")
        if not isinstance(given, str):
            return {}
        return decode_object(given) or {}


def _texts(message: Message) -> Iterator[str]:
    return (part.text for part in message.parts if isinstance(part, TextPart))


def _first_of_user(messages: Iterable[Message]) -> tuple[str, ...]:
    found = next((message for message in messages if message.role == "user"), None)
    return tuple(_texts(found)) if found else ()


class Marker(Protocol):
    """One sign."""

    def fits(self, call: Call) -> bool:
        """Tell whether it shows."""
        ...


class Instructed(msgspec.Struct, frozen=True):
    """An instruction begins like this."""

    start: str

    def fits(self, call: Call) -> bool:
        """Look at every instruction."""
        return any(text.lstrip().startswith(self.start) for text in call.instructions)


class Said(msgspec.Struct, frozen=True):
    """What the user said last holds this; agents speak in the user's name."""

    words: str

    def fits(self, call: Call) -> bool:
        """Look at the last message of the user's."""
        return any(self.words in text for text in call.said)


class Opened(msgspec.Struct, frozen=True):
    """What the user said first holds this: the task of a whole conversation."""

    words: str

    def fits(self, call: Call) -> bool:
        """Look at the first message of the user's."""
        return any(self.words in text for text in call.opened)


class Sent(msgspec.Struct, frozen=True):
    """A header has this value, or any."""

    name: str
    """In lower case."""
    value: str | None = None

    def fits(self, call: Call) -> bool:
        """Look at the headers."""
        values = call.headers.get(self.name, ())
        return self.value in values if self.value is not None else bool(values)


class Told(msgspec.Struct, frozen=True):
    """Codex says so of its turn."""

    name: str
    value: str

    def fits(self, call: Call) -> bool:
        """Look at what Codex says of itself."""
        return call.turn.get(self.name) == self.value


class Held(msgspec.Struct, frozen=True):
    """The request holds something that the hub has no word for, and this in it."""

    field: str
    words: str = ""

    def fits(self, call: Call) -> bool:
        """Look at what the parser of the format could not translate."""
        value = call.extras.get(self.field)
        return value is not None and (not self.words or self.words in str(value))


class Offered(msgspec.Struct, frozen=True):
    """One of these tools is offered."""

    names: frozenset[str]

    def fits(self, call: Call) -> bool:
        """Look at the tools."""
        return not self.names.isdisjoint(call.tools)


class Entered(msgspec.Struct, frozen=True):
    """A mode was entered by words that stand in the conversation, and not left since.

    What was said last counts: modes are announced once, far up, and again when they change.
    """

    entering: tuple[str, ...]
    leaving: tuple[str, ...]

    def fits(self, call: Call) -> bool:
        """Look for the last word about the mode."""
        for message in reversed(call.request.messages):
            if message.role in ("user", "system"):
                for text in reversed([*_texts(message)]):
                    if (entered := self._last_word(text)) is not None:
                        return entered
        before = (part.text for message in call.request.system for part in message.parts)
        words = (self._last_word(text) for text in reversed([*before]))
        return next((entered for entered in words if entered is not None), False)

    def _last_word(self, text: str) -> bool | None:
        """Say whether a text enters the mode last, or leaves it; None where it does neither."""
        entered = max(map(text.rfind, self.entering))
        left = max(map(text.rfind, self.leaving))
        return None if entered == left else entered > left
