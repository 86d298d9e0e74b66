"""What an agent gets of an endpoint in which nothing is translated: the provider's answer itself.

JSON is gathered first, so that whatever fails becomes one error; sound, pictures, files and streams
go on as they come. An agent that has got the beginning of such an answer can only be told of a
failure by a connection that breaks.
"""

from __future__ import annotations

from addon.engine.call import Call, Head
from addon.engine.conversation import Opening
from addon.engine.headers import merge
from addon.engine.replies import (
    BODY_LIMIT,
    ERROR_LIMIT,
    Item,
    crossing_headers,
    cut_error,
    error_reply,
    redirect_error,
    whole_reply,
)
from addon.formats import FORMATS
from addon.formats.base import Headers, header
from addon.formats.other_usage import Told, UsageReader, read_usage
from addon.neutral import ErrorInfo, ProviderResponseError

_CROSSING = ("content-type", "content-disposition")
_EMPTY = (204, 304)


class BrokenOff(Exception):
    """An answer ends too early whose beginning the agent has got; it has no words for an error."""


class CarriedAnswer:
    """Passes one provider's answer on, or one error."""

    promised: bool = False
    """Whether the agent has been sent the head of a stream that can hold an error: never."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._opening: Opening | None = None
        self._body = bytearray()
        self._bodies: list[bytes] = []
        """Whole answers, where several make one."""
        self._flowing = False
        """Whether the agent has got a part of the answer."""
        self._reader: UsageReader | None = None
        self.follow_up: bytes | None = None
        """The body that asks the provider for the rest."""
        self.done = False
        """Whether the agent needs nothing more."""

    @property
    def spoken(self) -> bool:
        """Whether what the model said is on its way to the agent."""
        return self._flowing or (self.done and self._call.outcome.error is None)

    def resume(self) -> None:
        """The answer to that follows."""
        self.follow_up = None
        self._opening = None
        self._body.clear()

    def open(self, opening: Opening) -> list[Item]:
        """The provider's headers are there."""
        self._opening = opening
        if 300 <= opening.status < 400 and opening.status not in _EMPTY:
            return self.fail(redirect_error(self._call, opening))
        return [] if self._is_gathered(opening) else self._begin(opening)

    def feed(self, chunk: bytes) -> list[Item]:
        """More of the provider's body is there."""
        if self.done or self._opening is None:
            return []
        if self._flowing:
            if self._reader is not None:
                self._reader.feed(chunk)
                self._note(self._reader.told)
            return [chunk]
        self._body += chunk
        if self._opening.status >= 400:
            return self.close() if len(self._body) >= ERROR_LIMIT else []
        if len(self._body) > BODY_LIMIT and self._call.join is None:
            return [*self._begin(self._opening), bytes(self._body)]
        return []

    def silent(self) -> list[Item]:
        """Nothing can be said in between."""
        return []

    def close(self) -> list[Item]:
        """The provider's answer has ended."""
        if self.done or self._flowing:
            self.done = True
            return []
        call, opening = self._call, self._opening
        if opening is None:
            return self.fail(cut_error(call))
        body = bytes(self._body)
        if opening.status >= 400:
            source = FORMATS[call.destination.format]
            return self.fail(source.parse_error(opening.status, opening.headers, body))
        if call.join is not None:
            self._bodies.append(body)
            if len(self._bodies) <= len(call.following):
                self.follow_up = call.following[len(self._bodies) - 1]
                return []
            try:
                body = call.join(self._bodies)
            except ProviderResponseError as problem:
                return self.fail(problem.to_error_info())
        self.done = True
        self._note(read_usage(body))
        return whole_reply(call, opening.status, _headers(opening), body, opening)

    def fail(self, error: ErrorInfo) -> list[Item]:
        """The call cannot go on.

        Raises:
            BrokenOff: The agent has got a part of the answer.
        """
        if self.done:
            return []
        self.done = True
        if self._flowing:
            self._call.outcome.error = error
            raise BrokenOff(error.message)
        return error_reply(self._call, error, self._opening)

    def report(self) -> None:
        """Nothing is left to say: the outcome was complete with the last item."""

    def _begin(self, opening: Opening) -> list[Item]:
        self._flowing = True
        if "text/event-stream" in (header(opening.headers, "content-type") or ""):
            self._reader = UsageReader()
        self._call.outcome.status = opening.status
        crossing = crossing_headers(self._call, opening)
        return [Head(opening.status, merge(crossing, _headers(opening)))]

    def _is_gathered(self, opening: Opening) -> bool:
        """Tell whether an answer is to be read to its end before anything of it is passed on."""
        content_type = (header(opening.headers, "content-type") or "application/json").lower()
        return (
            opening.status >= 400
            or opening.status in _EMPTY
            or self._call.join is not None
            or content_type.partition(";")[0].strip() == "application/json"
        )

    def _note(self, told: Told) -> None:
        """Write what the answer tells of usage into the call's outcome."""
        if self._call.rendered.method != "POST":
            return  # it is about something of the agent's, whose words may be the same
        self._call.outcome.model, self._call.outcome.usage = told.model, told.usage


def _headers(opening: Opening) -> Headers:
    return tuple((n.lower(), v) for n, v in opening.headers if n.lower() in _CROSSING)
