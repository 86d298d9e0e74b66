"""What an agent gets that asked for a whole answer.

The agent waits until everything is there: whatever happens, it gets one status with one body.
"""

from __future__ import annotations

from addon.engine.call import Call
from addon.engine.conversation import Opening
from addon.engine.replies import (
    BODY_LIMIT,
    ERROR_LIMIT,
    Item,
    cut_error,
    error_reply,
    find_error,
    looks_like_events,
    note_response,
    redirect_error,
    too_large_error,
    whole_reply,
)
from addon.formats import FORMATS
from addon.formats.base import header
from addon.neutral import ErrorInfo, Event, Loss, fold, unfold
from addon.translation import (
    Joiner,
    Translated,
    continued,
    render_answer,
    translate_response_for,
)


class PlainAnswer:
    """Gathers one provider's answer, whatever it is, into one whole answer or one error."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._opening: Opening | None = None
        self._body = bytearray()
        self._continuation = call.continuation
        self._joiner = Joiner(self._continuation) if self._continuation is not None else None
        self._events: list[Event] = []
        """The answer so far, where the provider has suspended it."""
        self._losses: tuple[Loss, ...] = ()
        self.done = False
        """Whether the agent needs nothing more."""

    promised: bool = False
    """Whether the agent has been sent the head of a stream: never."""

    @property
    def spoken(self) -> bool:
        """Whether the agent is about to be sent the answer."""
        return self.done and self._call.outcome.error is None

    @property
    def follow_up(self) -> bytes | None:
        """The body that asks the provider for the rest, while its answer is suspended."""
        return self._joiner.follow_up if self._joiner is not None else None

    def resume(self) -> None:
        """The answer to that follows."""
        assert self._joiner is not None
        self._joiner.resume()
        self._opening = None
        self._body.clear()

    def open(self, opening: Opening) -> list[Item]:
        """The provider's headers are there."""
        self._opening = opening
        if 300 <= opening.status < 400:
            return self.fail(redirect_error(self._call, opening))
        return []

    def feed(self, chunk: bytes) -> list[Item]:
        """More of the provider's body is there."""
        if self.done or self._opening is None:
            return []
        self._body += chunk
        if self._opening.status >= 400:
            return self.close() if len(self._body) >= ERROR_LIMIT else []
        return self.fail(too_large_error(self._call)) if len(self._body) > BODY_LIMIT else []

    def silent(self) -> list[Item]:
        """Nothing can be said to an agent that waits for one document."""
        return []

    def close(self) -> list[Item]:
        """The provider's answer has ended."""
        if self.done:
            return []
        opening = self._opening
        if opening is None:
            return self.fail(cut_error(self._call))
        body = bytes(self._body)
        if opening.status < 400 and looks_like_events(opening, body):
            return self._answer_from_stream(opening, body)
        if error := find_error(self._call, opening, body):
            return self.fail(error)
        call = self._call
        if self._joiner is not None and self._join(self._joiner, body):
            return [] if self.follow_up is not None else self._answer_joined(self._joiner, opening)
        translated = translate_response_for(
            opening.status,
            opening.headers,
            body,
            call.destination.format,
            call.agent_format,
            dialect=call.dialect,
            reply=call.reply,
            recorder=call.recorder,
        )
        return self._reply(translated, opening)

    def fail(self, error: ErrorInfo) -> list[Item]:
        """The call cannot go on."""
        if self.done:
            return []
        self.done = True
        return error_reply(self._call, error, self._opening)

    def report(self) -> None:
        """Nothing is left to say: the outcome was complete with the last item."""

    def _join(self, joiner: Joiner, body: bytes) -> bool:
        """Take one of several answers; return False for one that is whole by itself."""
        assert self._continuation is not None
        self._continuation.read_whole(body)
        response, losses = FORMATS[self._call.destination.format].parse_response(body)
        events = joiner.join(unfold(response))
        if joiner.follow_up is None and not joiner.rounds:
            return False
        self._events += events
        self._losses += losses
        return True

    def _answer_joined(self, joiner: Joiner, opening: Opening) -> list[Item]:
        call = self._call
        whole = fold(self._events)
        if isinstance(whole, ErrorInfo):
            return self.fail(whole)
        if call.recorder is not None:
            whole = call.recorder.watch_response(whole)
        losses = (*self._losses, *continued(joiner.rounds))
        return self._reply(render_answer(whole, losses, call.agent_format, call.reply), opening)

    def _answer_from_stream(self, opening: Opening, body: bytes) -> list[Item]:
        """Serve a whole answer from a stream, for a provider that streamed though not asked to."""
        decoder = FORMATS[self._call.destination.format].decoder()
        folded = fold([*decoder.feed(body), *decoder.feed_eof()])
        if isinstance(folded, ErrorInfo):
            return self.fail(folded)
        target = self._call.agent_format
        if self._call.recorder is not None:
            folded = self._call.recorder.watch_response(folded)
        translated = render_answer(folded, decoder.losses, target, self._call.reply)
        return self._reply(translated, opening)

    def _reply(self, translated: Translated, opening: Opening) -> list[Item]:
        self.done = True
        call = self._call
        call.outcome.losses += translated.losses
        if translated.response is not None:
            note_response(call, translated.response)
        content_type = header(translated.headers, "content-type") or "application/json"
        headers = (("content-type", content_type),)
        return whole_reply(call, translated.status, headers, translated.body, opening)
