"""From a stream to a whole answer and back.

`fold` and `unfold` are the only bridge between the two: formats never translate a plain answer and
a stream by different rules, and a stream can be served from a plain answer (and the reverse).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from addon.neutral.errors import ErrorInfo
from addon.neutral.events import (
    Event,
    PartEnd,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
)
from addon.neutral.parts import (
    Citation,
    HostedCallPart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from addon.neutral.response import Response


class _Building:
    """A part whose pieces are still arriving."""

    def __init__(self, start: PartStart) -> None:
        self.start = start
        self.pieces: list[str] = []
        self.state: OpaqueState | None = None
        self.citations: tuple[Citation, ...] = ()
        self.hosted: HostedCallPart | None = None

    def finish(self) -> Part:
        text = "".join(self.pieces)
        match self.start.kind:
            case "text":
                return TextPart(text, citations=self.citations, state=self.state)
            case "refusal":
                return RefusalPart(text)
            case "reasoning":
                return ReasoningPart(text, self.state)
            case "tool_call":
                start = self.start
                return ToolCallPart(
                    start.call_id, start.name, text, kind=start.call_kind, state=self.state
                )
            case "hosted_call":
                return self.hosted or HostedCallPart(self.start.call_id, self.start.name)


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """A stream as far as it has come."""

    start: ResponseStart = ResponseStart("", "")
    parts: tuple[Part, ...] = ()
    """In order; the last ones may be unfinished where there is neither end nor error."""
    end: ResponseEnd | None = None
    error: ErrorInfo | None = None


def gather(events: Iterable[Event]) -> Gathered:
    """Gather a stream, which may still be running, as far as it has come.

    Args:
        events: A beginning of a stream that the grammar accepts; what follows a terminal event is
            not looked at.
    """
    start = ResponseStart("", "")
    end: ResponseEnd | None = None
    error: ErrorInfo | None = None
    building: list[_Building] = []
    for event in events:
        match event:
            case TextDelta() | ReasoningDelta():
                building[event.index].pieces.append(event.text)
            case ToolCallDelta():
                building[event.index].pieces.append(event.arguments)
            case PartStart():
                building.append(_Building(event))
            case PartEnd():
                building[event.index].citations = event.citations
                building[event.index].hosted = event.hosted
            case SignatureDelta():
                building[event.index].state = event.state
            case ResponseStart():
                start = event
            case StreamError():
                error = event.error
                break
            case ResponseEnd():
                end = event
                break
    parts = tuple(part.finish() for part in building)
    return Gathered(start=start, parts=parts, end=end, error=error)


def fold(events: Iterable[Event]) -> Response | ErrorInfo:
    """Gather a whole stream into one answer.

    Args:
        events: A stream that the grammar accepts, up to and including its terminal event.

    Returns:
        The answer, or the error that broke the stream off.

    Raises:
        ValueError: The stream has no terminal event.
    """
    gathered = gather(events)
    if gathered.error is not None:
        return gathered.error
    end = gathered.end
    if end is None:
        raise ValueError("the stream has no terminal event")
    return Response(
        id=gathered.start.id,
        model=gathered.start.model,
        parts=gathered.parts,
        finish_reason=end.finish_reason,
        raw_finish_reason=end.raw_finish_reason,
        stop_sequence=end.stop_sequence,
        usage=end.usage,
    )


def unfold(response: Response) -> list[Event]:
    """Turn a whole answer into the shortest stream that folds back to it.

    Parts that the grammar has no kind for (pictures, what one format alone has) are left out; a
    format that can meet them in an answer lists them as lost when it parses the answer.
    """
    events: list[Event] = [ResponseStart(response.id, response.model, response.usage)]
    index = 0
    for part in response.parts:
        body = _unfold_part(index, part)
        if body:
            events += body
            index += 1
    events.append(
        ResponseEnd(
            response.finish_reason,
            response.raw_finish_reason,
            response.stop_sequence,
            response.usage,
        )
    )
    return events


def _unfold_part(index: int, part: Part) -> list[Event]:
    match part:
        case TextPart():
            delta: list[Event] = [TextDelta(index, part.text)] if part.text else []
            state = _unfold_state(index, part.state)
            return [PartStart(index, "text"), *delta, *state, PartEnd(index, part.citations)]
        case RefusalPart():
            delta = [TextDelta(index, part.text)] if part.text else []
            return [PartStart(index, "refusal"), *delta, PartEnd(index)]
        case ReasoningPart():
            delta = [ReasoningDelta(index, part.text)] if part.text else []
            state = _unfold_state(index, part.state)
            return [PartStart(index, "reasoning"), *delta, *state, PartEnd(index)]
        case ToolCallPart():
            delta = [ToolCallDelta(index, part.arguments)] if part.arguments else []
            start = PartStart(index, "tool_call", part.call_id, part.name, part.kind)
            return [start, *delta, *_unfold_state(index, part.state), PartEnd(index)]
        case HostedCallPart():
            start = PartStart(index, "hosted_call", part.call_id, part.tool)
            return [start, PartEnd(index, hosted=part)]
        case _:
            return []


def _unfold_state(index: int, state: OpaqueState | None) -> list[Event]:
    return [] if state is None else [SignatureDelta(index, state)]
