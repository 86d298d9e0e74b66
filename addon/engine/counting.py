"""What an agent gets that asked how many tokens a request has.

Not every provider of a format counts: where one does not know the address, the estimate that the
call came with is given instead, and listed as one.
"""

from __future__ import annotations

from addon.engine.call import Call
from addon.engine.conversation import Opening
from addon.engine.replies import (
    ERROR_LIMIT,
    Item,
    cut_error,
    error_reply,
    find_error,
    redirect_error,
    whole_reply,
)
from addon.formats import COUNTING
from addon.formats.base import Headers
from addon.neutral import ErrorInfo, Loss
from addon.translation import translate_count

HEADERS: Headers = (("content-type", "application/json"),)
ESTIMATED = Loss("input_tokens", "estimated: the provider does not count tokens", "approximated")

_NOT_OFFERED = (404, 405, 410, 501)


class CountAnswer:
    """Gathers one provider's count, whatever it is, into one answer or one error."""

    promised: bool = False
    """Whether the agent has been sent the head of a stream: never."""
    follow_up: None = None
    """A count is never suspended."""

    def __init__(self, call: Call) -> None:
        assert call.estimate is not None
        self._call = call
        self._estimate = call.estimate
        self._opening: Opening | None = None
        self._body = bytearray()
        self.done = False
        """Whether the agent needs nothing more."""

    @property
    def spoken(self) -> bool:
        """Whether the agent is about to be sent the count."""
        return self.done and self._call.outcome.error is None

    def open(self, opening: Opening) -> list[Item]:
        """The provider's headers are there."""
        self._opening = opening
        if 300 <= opening.status < 400:
            return self.fail(redirect_error(self._call, opening))
        return []

    def feed(self, chunk: bytes) -> list[Item]:
        """More of the provider's body is there."""
        self._body += chunk
        return self.close() if len(self._body) >= ERROR_LIMIT else []

    def resume(self) -> None:
        """There is nothing to go on with."""

    def silent(self) -> list[Item]:
        """Nothing can be said to an agent that waits for one document."""
        return []

    def close(self) -> list[Item]:
        """The provider's answer has ended."""
        if self.done:
            return []
        call, opening, body = self._call, self._opening, bytes(self._body)
        if opening is None:
            return self.fail(cut_error(call))
        if opening.status not in _NOT_OFFERED and (error := find_error(call, opening, body)):
            return self.fail(error)
        self.done = True
        counted = None
        if opening.status < 400:
            counted = translate_count(body, call.destination.format, call.agent_format)
        if counted is None:
            counted = COUNTING[call.agent_format].render_count(self._estimate)
            call.outcome.losses += (ESTIMATED,)
        return whole_reply(call, 200, HEADERS, counted, opening)

    def fail(self, error: ErrorInfo) -> list[Item]:
        """The call cannot go on."""
        if self.done:
            return []
        self.done = True
        return error_reply(self._call, error, self._opening)

    def report(self) -> None:
        """Nothing is left to say: a count uses no tokens."""
