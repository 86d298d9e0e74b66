"""The legal order of stream events, as a table, and a checker for it.

A stream is in one of three states. The table says which events a state admits and where they
lead; beside it stand the rules on parts: indexes are dense, a delta fits the kind of its part, and
an ordered end leaves no part open.
"""

from __future__ import annotations

from typing import Literal

from addon.neutral.events import (
    Event,
    PartEnd,
    PartKind,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
)

type State = Literal["idle", "body", "ended"]

TRANSITIONS: dict[State, dict[type[Event], State]] = {
    "idle": {ResponseStart: "body", StreamError: "ended"},
    "body": {
        PartStart: "body",
        TextDelta: "body",
        ReasoningDelta: "body",
        SignatureDelta: "body",
        ToolCallDelta: "body",
        PartEnd: "body",
        ResponseEnd: "ended",
        StreamError: "ended",
    },
    "ended": {},
}

DELTA_KINDS: dict[type[Event], frozenset[PartKind]] = {
    TextDelta: frozenset(("text", "refusal")),
    ReasoningDelta: frozenset(("reasoning",)),
    SignatureDelta: frozenset(("reasoning", "text", "tool_call")),
    ToolCallDelta: frozenset(("tool_call",)),
}


class GrammarError(AssertionError):
    """A decoder produced an event where the grammar does not allow it: a bug of ours."""


class EventChecker:
    """Follows one stream and raises `GrammarError` at the first illegal event."""

    def __init__(self) -> None:
        self.state: State = "idle"
        self._open: dict[int, PartKind] = {}
        self._started = 0

    @property
    def ended(self) -> bool:
        """Whether the stream has had its terminal event."""
        return self.state == "ended"

    def check(self, event: Event) -> None:
        """Accept the next event.

        Raises:
            GrammarError: The event is not legal here.
        """
        following = TRANSITIONS[self.state].get(type(event))
        if following is None:
            raise GrammarError(f"{type(event).__name__} is not legal in state {self.state}")
        match event:
            case PartStart():
                self._start_part(event)
            case TextDelta() | ReasoningDelta() | SignatureDelta() | ToolCallDelta():
                kind = self._open.get(event.index)
                if kind is None or kind not in DELTA_KINDS[type(event)]:
                    raise GrammarError(f"{event!r} meets a part of kind {kind}")
            case PartEnd():
                if self._open.pop(event.index, None) is None:
                    raise GrammarError(f"{event!r} ends a part that is not open")
            case ResponseEnd():
                if self._open:
                    raise GrammarError(f"the answer ends while parts {list(self._open)} are open")
            case ResponseStart() | StreamError():
                pass
        self.state = following

    def _start_part(self, event: PartStart) -> None:
        if event.index != self._started:
            raise GrammarError(f"part {event.index} starts where {self._started} was due")
        if event.kind == "tool_call" and not event.call_id:
            raise GrammarError(f"{event!r} has no call id")
        self._started += 1
        self._open[event.index] = event.kind
