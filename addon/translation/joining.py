"""Make one answer of several: those that a provider suspends, and gives the rest of when asked.

The joined answer begins once and ends once, its parts are numbered through, and its usage is the
sum. Where the provider may break off amid the words, the last text goes on as the same part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from addon.formats.base import Continuation, StreamDecoder
from addon.neutral import (
    Citation,
    Event,
    Loss,
    LossList,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    Usage,
)

MOST_ROUNDS = 10
"""How often a provider is asked to go on before its answer is taken for whole."""


class Joiner:
    """Takes the events of one answer after the other."""

    def __init__(self, continuation: Continuation) -> None:
        self._continuation = continuation
        self.rounds = 0
        """How often the provider has been asked to go on."""
        self.follow_up: bytes | None = None
        """The body that asks for the rest, while the answer is suspended."""
        self._begun = False
        self._usage: Usage | None = None
        self._offset = 0
        """What to add to the index of a part."""
        self._count = 0
        """Parts so far."""
        self._text: int | None = None
        """The last part, while it is a text that could go on."""
        self._length = 0
        """Its characters."""
        self._end: PartEnd | None = None
        """Its end, kept back until it is clear that it does not."""
        self._shifts: dict[int, tuple[tuple[Citation, ...], int]] = {}
        """Citations of parts that went on, and their characters before."""

    def join(self, events: Iterable[Event]) -> list[Event]:
        """Return the same events as parts of the whole."""
        joined: list[Event] = []
        for event in events:
            if type(event) is TextDelta and not self._offset:  # as most are
                if event.index == self._text:
                    self._length += len(event.text)
                joined.append(event)
                continue
            match event:
                case ResponseStart():
                    if not self._begun:
                        joined.append(event)
                    self._begun = True
                case ResponseEnd():
                    self._finish(event, joined)
                case StreamError():
                    joined.append(event)
                case _:
                    self._take(event, joined)
        return joined

    def resume(self) -> None:
        """The next answer follows."""
        self.rounds += 1
        self.follow_up = None
        self._offset = self._count

    def _finish(self, event: ResponseEnd, joined: list[Event]) -> None:
        self._usage = _sum(self._usage, event.usage)
        if self.rounds < MOST_ROUNDS:
            self.follow_up = self._continuation.follow_up()
        if self.follow_up is None:
            self._release(joined)
            joined.append(replace(event, usage=self._usage))

    def _take(self, event: Event, joined: list[Event]) -> None:
        assert not isinstance(event, ResponseStart | ResponseEnd | StreamError)
        if isinstance(event, PartStart):
            if self._goes_on(event):
                return
            self._release(joined)
            self._begin(event)
        if self._offset:
            event = replace(event, index=event.index + self._offset)
        if event.index == self._text:
            if isinstance(event, PartEnd):
                self._end = self._whole_end(event)
                return
            if isinstance(event, TextDelta):
                self._length += len(event.text)
            elif isinstance(event, SignatureDelta):
                self._text = None  # what is signed must stay as it is
        joined.append(self._whole_end(event) if isinstance(event, PartEnd) else event)

    def _goes_on(self, start: PartStart) -> bool:
        """Tell whether a part is the rest of the last one, and take it for that."""
        kept = self._end
        first = start.index + self._offset == self._count and self.rounds > 0
        if kept is None or not first or start.kind != "text" or self._offset != self._count:
            return False
        self._shifts[kept.index] = (kept.citations, self._length)
        self._offset -= 1
        self._end = None
        return True

    def _begin(self, start: PartStart) -> None:
        index = start.index + self._offset
        self._count = max(self._count, index + 1)
        joins = self._continuation.joins_text and start.kind == "text"
        self._text = index if joins else None
        self._length = 0

    def _whole_end(self, event: PartEnd) -> PartEnd:
        earlier, shift = self._shifts.pop(event.index, ((), 0))
        later = tuple(_shifted(citation, shift) for citation in event.citations)
        return PartEnd(event.index, (*earlier, *later))

    def _release(self, joined: list[Event]) -> None:
        if self._end is not None:
            joined.append(self._end)
            self._end = None


class JoinedDecoder:
    """Reads the streams of one answer."""

    def __init__(
        self, make_decoder: Callable[[], StreamDecoder], continuation: Continuation
    ) -> None:
        self._make_decoder = make_decoder
        self._decoder = make_decoder()
        self._continuation = continuation
        self._joiner = Joiner(continuation)
        self._losses = LossList()

    @property
    def follow_up(self) -> bytes | None:
        """The body that asks for the rest, while the answer is suspended."""
        return self._joiner.follow_up

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be expressed as events, so far."""
        losses = LossList()
        losses.extend(self._losses.to_tuple())
        losses.extend(self._decoder.losses)
        losses.extend(continued(self._joiner.rounds))
        return losses.to_tuple()

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes and return the events that they complete."""
        if self.follow_up is not None:
            return []
        self._continuation.feed(data)
        return self._joiner.join(self._decoder.feed(data))

    def feed_eof(self) -> list[Event]:
        """The provider has closed."""
        return [] if self.follow_up is not None else self._joiner.join(self._decoder.feed_eof())

    def resume(self) -> None:
        """The next stream follows."""
        kept = (loss for loss in self._decoder.losses if loss.field != "finishReason")
        self._losses.extend(tuple(kept))
        self._decoder = self._make_decoder()
        self._joiner.resume()


def continued(rounds: int) -> tuple[Loss, ...]:
    """Say how often a provider was asked to go on."""
    if not rounds:
        return ()
    reason = f"the provider suspended its answer and was asked to go on ({rounds} times)"
    return (Loss("finish_reason", reason, "emulated"),)


def _shifted(citation: Citation, shift: int) -> Citation:
    if citation.start is None or citation.end is None or not shift:
        return citation
    return replace(citation, start=citation.start + shift, end=citation.end + shift)


def _sum(first: Usage | None, second: Usage | None) -> Usage | None:
    if first is None or second is None:
        return first or second
    return first + second
