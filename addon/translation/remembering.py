"""Notice in an answer what its provider will want to see again, and keep it.

Agents return what their format has a place for, and many not even that. So what matters of each
answer (thoughts, signatures, and their places among words and calls) is kept under the ids of its
tool calls, which every agent returns; see `recalling` for the way back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from addon.formats.base import StreamDecoder
from addon.neutral import (
    Event,
    Loss,
    OpaqueState,
    Part,
    PartStart,
    ReasoningDelta,
    Response,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallKind,
    unfold,
)
from addon.wire.carrier import Carried, pack
from addon.wire.codec import decode_object
from addon.wire.custom_tools import wrap_input

STATE = "state"
"""The kind under which a vault keeps all of it."""

_UNIQUE_ID = re.compile(r"(?=(?:[a-z_-]*[A-Z0-9]){4})[A-Za-z0-9_-]{20,}")
"""An id with enough figures and capitals to tell it from a name with a counter."""


def call_key(call_id: str, name: str, arguments: str, kind: ToolCallKind) -> str:
    """Return the key for a call, the same for the provider's wording and the agent's.

    Some providers number their calls anew in every conversation; such an id is told apart by what
    was called.
    """
    if _UNIQUE_ID.fullmatch(call_id):
        return f"call:{call_id}"
    value = wrap_input(arguments) if kind == "custom" else decode_object(arguments or "{}")
    words = arguments if value is None else _canonical(value)
    return f"call:{call_id}|{digest(f'{name}|{words}')}"


def text_key(text: str) -> str:
    """Return the key for words that came without a call."""
    return f"text:{digest(text.strip())}"


def origin_key(state: str) -> str:
    """Return the key for who made a state."""
    return f"made:{digest(state)}"


def digest(text: str) -> str:
    """Return what stands for a text of any length."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _canonical(value: object) -> str:
    """Write JSON so that neither spaces nor the order of keys nor `1.0` for `1` matter."""
    match value:
        case dict():
            pairs = sorted(value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - JSON
            return "{" + ",".join(f"{key!r}:{_canonical(item)}" for key, item in pairs) + "}"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"  # pyright: ignore[reportUnknownArgumentType] - JSON
        case float() if value.is_integer():
            return repr(int(value))
        case _:
            return repr(value)


class _Piece(msgspec.Struct):
    """A part whose words are still arriving."""

    start: PartStart
    state: OpaqueState | None = None
    words: list[str] = msgspec.field(default_factory=list[str])


class Recorder:
    """Watches one answer."""

    def __init__(
        self,
        keep: Callable[[Mapping[str, bytes]], None],
        origin: str,
        *,
        content: bool,
        makers: bool,
        signs_text: bool,
    ) -> None:
        """Prepare for one answer.

        Args:
            keep: Stores values by key.
            origin: Who answers.
            content: Whether to keep thoughts and signatures by call.
            makers: Whether to keep who made each state, for agents that return states themselves.
            signs_text: Whether the provider may sign its words, so that they have to be known.
        """
        self.content = content
        self._keep = keep
        self._origin = origin
        self._makers = makers
        self._pieces: dict[int, _Piece] = {}
        self._matters = False
        self._handlers: dict[type[Event], Callable[[Any], Event | None]] = {
            SignatureDelta: self._signature,
            PartStart: self._start,
            ResponseStart: self._restart,
            ResponseEnd: self._end,
        }
        if content:
            self._handlers[ReasoningDelta] = self._thought
            self._handlers[ToolCallDelta] = self._arguments
        if content and signs_text:
            self._handlers[TextDelta] = self._words

    def watch(self, events: list[Event]) -> list[Event]:
        """Take the next events; return them with the name of who made each state."""
        for position, event in enumerate(events):
            handler = self._handlers.get(type(event))
            if handler is not None and (marked := handler(event)) is not None:
                events[position] = marked
        return events

    def watch_response(self, response: Response) -> Response:
        """Take a whole answer; return it with the name of who made each state."""
        self.watch(unfold(response))
        return msgspec.structs.replace(response, parts=tuple(map(self._mark_part, response.parts)))

    def _mark_part(self, part: Part) -> Part:
        state: OpaqueState | None = getattr(part, "state", None)
        if state is None:
            return part
        return msgspec.structs.replace(part, state=self._mark(state))

    def _mark(self, state: OpaqueState) -> OpaqueState:
        return msgspec.structs.replace(state, origin=self._origin)

    def _restart(self, _event: ResponseStart) -> None:
        self._pieces = {}
        self._matters = False

    def _start(self, event: PartStart) -> None:
        self._pieces[event.index] = _Piece(event)

    def _thought(self, event: ReasoningDelta) -> None:
        self._matters = True
        self._pieces[event.index].words.append(event.text)

    def _words(self, event: TextDelta) -> None:
        self._pieces[event.index].words.append(event.text)

    def _arguments(self, event: ToolCallDelta) -> None:
        self._pieces[event.index].words.append(event.arguments)

    def _signature(self, event: SignatureDelta) -> Event:
        self._matters = True
        state = self._mark(event.state)
        self._pieces[event.index].state = state
        return SignatureDelta(event.index, state)

    def _end(self, _event: ResponseEnd) -> None:
        if not self._matters:
            return
        values: dict[str, bytes] = {}
        if self._makers:
            origin = self._origin.encode()
            for piece in self._pieces.values():
                if piece.state is not None:
                    values[origin_key(piece.state.data)] = origin
        if self.content:
            packed = pack(map(_carried, self._pieces.values()))
            values.update(dict.fromkeys(self._keys(), packed))
        if values:
            self._keep(values)

    def _keys(self) -> list[str]:
        calls = [
            call_key(start.call_id, start.name, "".join(piece.words), start.call_kind)
            for piece in self._pieces.values()
            if (start := piece.start).kind == "tool_call"
        ]
        if calls:
            return calls
        texts = [piece for piece in self._pieces.values() if piece.start.kind == "text"]
        if not any(piece.state for piece in texts):
            return []  # without a call only those have to return their state who sign words
        return [text_key("".join(word for piece in texts for word in piece.words))]


def _carried(piece: _Piece) -> Carried:
    match piece.start.kind:
        case "reasoning":
            return Carried("".join(piece.words), piece.state)
        case "tool_call":
            return Carried(state=piece.state, call_id=piece.start.call_id)
        case "text" | "refusal" | "hosted_call":
            return Carried(state=piece.state, signs_text=True)


class WatchedDecoder:
    """A decoder whose events a recorder sees."""

    def __init__(self, decoder: StreamDecoder, recorder: Recorder) -> None:
        self._decoder = decoder
        self._watch = recorder.watch

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes and return the events that they complete."""
        return self._watch(self._decoder.feed(data))

    def feed_eof(self) -> list[Event]:
        """Return the events that only the end reveals."""
        return self._watch(self._decoder.feed_eof())

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be expressed as events."""
        return self._decoder.losses
