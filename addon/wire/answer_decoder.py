"""Read a streamed answer that comes as server-sent events: what all formats do alike.

The wire is not trusted: events may be missing, repeated, of the wrong shape or too large, and the
bytes may end anywhere. Whatever comes, nothing is raised, and an answer ends exactly once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, override

from addon.neutral import ErrorInfo, Event, LossList, StreamError
from addon.wire.codec import decode_object
from addon.wire.reading import text
from addon.wire.sse import SseDecoder, SseEvent, SseOverflowError

CUT = ErrorInfo("cut", "the provider closed the connection before its answer was complete")
NESTED_TOO_DEEPLY = ErrorInfo(
    "server_error", "the provider's answer is nested too deeply", code="unreadable_response"
)


class AnswerDecoder(ABC):
    """Reads one stream; see `addon.formats.base.StreamDecoder`."""

    def __init__(self) -> None:
        self._sse = SseDecoder()
        self._closed = False
        """Whether the provider has closed: the last event may then be cut off."""
        self._ended = False
        """Whether the answer has had its terminal event."""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes and return the events that they complete."""
        if self._ended:
            return []
        try:
            return self._read(data)
        except SseOverflowError as error:
            return self._fail(ErrorInfo("server_error", str(error), code="event_too_large"))
        except RecursionError:
            return self._fail(NESTED_TOO_DEEPLY)

    def feed_eof(self) -> list[Event]:
        """Return what ends the stream, now that the provider has closed."""
        if self._ended:
            return []
        self._closed = True
        try:
            events = self._take(self._sse.flush())
            return events if self._ended else events + self._end()
        except RecursionError:
            return self._fail(NESTED_TOO_DEEPLY)

    def _read(self, data: bytes) -> list[Event]:
        """Read the next bytes."""
        return self._take(self._sse.feed(data))

    @abstractmethod
    def _take(self, incoming: list[SseEvent]) -> list[Event]:
        """Read whole events, up to one that ends the answer."""

    def _end(self) -> list[Event]:
        """End an answer that the provider closed without a terminal event."""
        return self._cut()

    def _cut(self) -> list[Event]:
        return self._fail(CUT)

    def _fail(self, error: ErrorInfo) -> list[Event]:
        self._ended = True
        return [StreamError(error)]


type Handlers = Mapping[str, Callable[[dict[str, Any]], list[Event]]]


class TypedEventDecoder(AnswerDecoder):
    """Reads a stream whose events are JSON objects that tell their `type`."""

    _handlers: Handlers
    """What reads an event, by its type."""

    def __init__(self, losses: LossList) -> None:
        super().__init__()
        self._losses = losses

    @override
    def _take(self, incoming: list[SseEvent]) -> list[Event]:
        events: list[Event] = []
        for event in incoming:
            wire = decode_object(event.data)
            if wire is None:
                if event.data != b"[DONE]":
                    self._losses.dropped("stream", "an event that is not a JSON object")
                continue
            kind = text(wire.get("type")) or event.name.decode("utf-8", "replace")
            handler = self._handlers.get(kind)
            events += self._take_other(kind, wire) if handler is None else handler(wire)
            if self._ended:
                break
        return events

    def _take_other(self, kind: str, wire: dict[str, Any]) -> list[Event]:
        """Read an event that no handler is for."""
        del wire
        self._losses.dropped(f"stream.{kind}", "an event that Detour does not know")
        return []
