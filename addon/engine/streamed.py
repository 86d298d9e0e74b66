"""What a streaming agent gets, item by item.

No input or output happens here: `StreamedAnswer` is told what the provider did and returns what the
agent is to receive. Nothing is sent before the provider has shown what kind of answer it gives, so
that an error becomes an error status that every SDK knows how to retry; but an agent that has
waited for long is promised a stream and kept awake with comments, and errors then come within it.
"""

from __future__ import annotations

from functools import cached_property

from addon.engine.call import Call
from addon.engine.conversation import Opening
from addon.engine.replies import (
    BODY_LIMIT,
    ERROR_LIMIT,
    Item,
    cut_error,
    error_reply,
    find_error,
    first_byte,
    looks_like_events,
    move_on,
    note_response,
    redirect_error,
    stream_head,
    too_large_error,
)
from addon.formats import FORMATS
from addon.neutral import ErrorInfo
from addon.translation import StreamTranslator, stream_from_answer
from addon.wire.sse import COMMENT

_EVENT_END = b"\n\n"


class StreamedAnswer:
    """Turns one provider's answer, whatever it is, into one well-formed stream or one error."""

    def __init__(self, call: Call, *, promised: bool = False) -> None:
        """Prepare for one answer.

        Args:
            call: What is answered.
            promised: Whether the agent has been sent the head of a stream, by an earlier attempt.
        """
        self._call = call
        self._resumed = False
        self._opening: Opening | None = None
        self._held = bytearray()
        """What the provider sent before it was clear whether it is a stream."""
        self._is_stream = False
        """Whether it has turned out to be one."""
        self._withheld = bytearray()
        """What the agent gets once it is clear that the stream is no error."""
        self._promised = promised
        """Whether the agent has been sent the head of a stream."""
        self._flowing = False
        """Whether the provider's answer is a stream, and goes on to the agent as it comes."""
        self._finished = False
        """Whether the agent's answer was ended by other means than the provider's stream."""
        self._reported = False
        """Whether the outcome holds what the stream told."""

    @cached_property
    def _translator(self) -> StreamTranslator:
        """What understands the provider's events and writes the agent's."""
        call = self._call
        return StreamTranslator(
            call.destination.format,
            call.agent_format,
            dialect=call.dialect,
            reply=call.reply,
            recorder=call.recorder,
            continuation=call.continuation,
        )

    @property
    def done(self) -> bool:
        """Whether the agent needs nothing more."""
        return self._finished or self._translator.ended

    @property
    def promised(self) -> bool:
        """Whether the agent has been sent the head of a stream."""
        return self._promised

    @property
    def spoken(self) -> bool:
        """Whether the agent has been sent, or is about to be sent, a piece of the answer itself."""
        if self._finished:
            return self._call.outcome.error is None
        return self._flowing and self._translator.spoken

    @property
    def follow_up(self) -> bytes | None:
        """The body that asks the provider for the rest, while its answer is suspended."""
        return self._translator.follow_up

    def resume(self) -> None:
        """The answer to that follows."""
        self._translator.resume()
        self._held.clear()
        self._resumed = True
        self._is_stream = self._flowing = False

    def prepare(self) -> None:
        """Get ready, at a time when nobody waits: the request is on its way."""
        _ = self._translator

    def open(self, opening: Opening) -> list[Item]:
        """The provider's headers are there."""
        self._opening = opening
        if 300 <= opening.status < 400:
            return self.fail(redirect_error(self._call, opening))
        return []

    def divide(self, chunk: bytes) -> tuple[bytes, bytes]:
        """Split off the first event, which mostly tells whether this is an answer.

        Then the head of the agent's answer can go before the rest is translated.
        """
        if self._flowing or self._held or self._call.chain is not None:
            return chunk, b""
        end = chunk.find(_EVENT_END) + len(_EVENT_END)
        return (chunk[:end], chunk[end:]) if end >= len(_EVENT_END) else (chunk, b"")

    def feed(self, chunk: bytes) -> list[Item]:
        """More of the provider's body is there."""
        if self._flowing:
            return self._emit(self._translator.feed(chunk))
        if self._finished:
            return []
        self._held += chunk
        return self._hold_on() if self._holds_document() else self._translate()

    def silent(self) -> list[Item]:
        """The provider has said nothing for a while: keep the agent awake."""
        if self.done or self._call.agent_format == "gemini":
            return []  # google-genai fails on comments
        return self._emit(COMMENT)

    def close(self) -> list[Item]:
        """The provider's answer has ended."""
        if self._finished:
            return []
        if self._flowing:
            return self._emit(self._translator.close())
        if self._holds_document():
            return self._answer_from_document()
        output = self._translator.feed(bytes(self._held)) + self._translator.close()
        if self._translator.error is not None and not self._translator.spoken:
            move_on(self._call, self._translator.error, self._opening)
        if self._promised or self._translator.begun:
            return self._flow(output)
        return self._give_up(self._translator.error or cut_error(self._call))

    def fail(self, error: ErrorInfo) -> list[Item]:
        """The call cannot go on: end the agent's stream, or give it an error instead of one."""
        if self.done:
            return []
        if error.kind == "cut" and self._flowing:
            # What matters may have come: then the stream can be ended as it should be.
            return self._emit(self._translator.close())
        if not self._flowing:
            move_on(self._call, error, self._opening)
        if self._promised:
            self._finished = True
            self._call.outcome.error = error
            return self._emit(self._translator.fail(error))
        return self._give_up(error)

    def report(self) -> None:
        """Write what the stream told into the call's outcome, once."""
        if self._reported:
            return
        self._reported = self.done
        outcome = self._call.outcome
        translator = self._translator
        outcome.losses += translator.losses
        outcome.usage = outcome.usage or translator.usage
        outcome.finish_reason = outcome.finish_reason or translator.finish_reason
        outcome.error = outcome.error or translator.error
        outcome.model = outcome.model or translator.model
        outcome.response_id = outcome.response_id or translator.response_id

    def _emit(self, data: bytes) -> list[Item]:
        if not data:
            return []
        if self._promised:
            return [data]
        self._promised = True
        return [stream_head(self._call, self._opening, self._translator.content_type), data]

    def _translate(self) -> list[Item]:
        """Translate what is held, and pass it on once it is clear that it is an answer."""
        if not self._is_stream and self._held.strip():
            self._is_stream = True
            if self._holds_array() != self._translator.content_type.startswith("application/json"):
                self._translator.reframe()
        output = self._translator.feed(bytes(self._held))
        self._held.clear()
        if self._is_clear:
            return self._flow(output)
        if (error := self._translator.error) is not None:
            move_on(self._call, error, self._opening)
            return self._flow(output) if self._promised else self._give_up(error)
        self._withheld += output
        return self._hold_on()

    @property
    def _is_clear(self) -> bool:
        """Whether what has come is an answer, and no error in the place of one.

        Where something else could be tried, not before the provider has said something.
        """
        translator = self._translator
        if self._call.chain is None:
            return self._promised or translator.begun
        return translator.spoken or (translator.ended and translator.error is None)

    def _flow(self, output: bytes) -> list[Item]:
        self._flowing = True
        output = bytes(self._withheld) + output
        self._withheld.clear()
        return self._emit(output)

    def _give_up(self, error: ErrorInfo) -> list[Item]:
        """Give the agent an error instead of the stream, of which it has seen nothing yet."""
        self._finished = True
        return error_reply(self._call, error, self._opening)

    def _holds_document(self) -> bool:
        """Tell an error or a JSON answer, to be read to its end, from a stream of events."""
        opening = self._opening
        if self._is_stream:
            return False
        if opening is None or not self._held.strip():
            return opening is not None and opening.status >= 400
        if opening.status >= 400:
            return True
        return not (self._holds_array() or looks_like_events(opening, bytes(self._held[:64])))

    def _holds_array(self) -> bool:
        """Tell whether the provider streams one JSON array, as Gemini does without `alt=sse`."""
        return self._call.destination.format == "gemini" and first_byte(self._held) == b"["

    def _hold_on(self) -> list[Item]:
        failed = self._opening is not None and self._opening.status >= 400
        if failed and len(self._held) >= ERROR_LIMIT:
            return self._answer_from_document()
        held = len(self._held) + len(self._withheld)
        return self.fail(too_large_error(self._call)) if held > BODY_LIMIT else []

    def _answer_from_document(self) -> list[Item]:
        """Serve a stream from an answer that is none."""
        assert self._opening is not None
        call = self._call
        body = bytes(self._held)
        if error := find_error(call, self._opening, body):
            return self.fail(error)
        if self._resumed:
            return self.fail(cut_error(call))
        response, losses = FORMATS[call.destination.format].parse_response(body)
        if call.recorder is not None:
            response = call.recorder.watch_response(response)
        stream, more = stream_from_answer(response, call.agent_format, call.reply)
        call.outcome.losses += (*losses, *more)
        note_response(call, response)
        items = self._emit(stream)
        self._finished = True
        return items
