"""Translate a streamed answer, chunk by chunk."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from addon.formats import find_format
from addon.formats.base import (
    Continuation,
    FormatName,
    Reply,
    RequestLine,
    StreamDecoder,
    StreamRepairer,
)
from addon.neutral import (
    ErrorInfo,
    Event,
    FinishReason,
    Loss,
    LossList,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StreamError,
    Usage,
)
from addon.translation.joining import JoinedDecoder
from addon.translation.json_fence import FenceFilter
from addon.translation.pass_through import PassThrough
from addon.translation.remembering import Recorder, WatchedDecoder

logger = logging.getLogger(__name__)


class StreamTranslator:
    """Turns a provider's stream into the agent's, whatever the provider sends.

    Every result of `feed`, `close` and `fail` is empty or made of whole events, so the caller may
    write a keep-alive comment between any two. The agent's stream is ended exactly once: by the
    format's own end after an orderly answer, by its error form after anything else.
    """

    def __init__(
        self,
        source: FormatName,
        target: FormatName,
        request: bytes | None = None,
        *,
        line: RequestLine = RequestLine(),  # noqa: B008 - immutable
        dialect: str | None = None,
        reply: Reply | None = None,
        recorder: Recorder | None = None,
        continuation: Continuation | None = None,
    ) -> None:
        """Prepare for one stream.

        Args:
            source: The format that the provider speaks.
            target: The format that the agent speaks.
            request: The agent's request, which says how the answer is to be shaped (whether a
                usage chunk is wanted, which model name to show, ...).
            line: The agent's request line, for formats that keep words in it.
            dialect: The provider, when its rendition of the agent's own format is to be mended;
                None passes the same format through untouched.
            reply: What shapes the answer, where it has been read from the request already.
            recorder: Keeps what the provider will want to see again.
            continuation: Goes on with what the provider suspends; see `follow_up`.

        Raises:
            DetourError: A format is unknown.
        """
        provider, agent = find_format(source), find_format(target)
        if reply is None:
            reply = agent.reply(request or b"{}", line)
        same = source == target
        self._joined = None
        if continuation is not None and not same:
            self._joined = JoinedDecoder(provider.decoder, continuation)
        decoder: StreamDecoder = self._joined or provider.decoder()
        if recorder is not None:
            decoder = WatchedDecoder(decoder, recorder)
        self._decoder = decoder
        self._encoder = agent.encoder(reply)
        self._filter = FenceFilter() if reply.json_answer and not same else None
        self._repairer: StreamRepairer | None = (
            agent.repairer(dialect, reply) if same and dialect is not None else None
        )
        self._pass_through = (
            PassThrough(provider, decoder) if same and self._repairer is None else None
        )
        self._same_format = same
        self.content_type = reply.stream_type
        """The content type under which the agent expects the stream."""
        self.begun = False
        """Whether the provider's answer has begun, and not by breaking off."""
        self.spoken = False
        """Whether anything of the answer itself has come."""
        self.ended = False
        """Whether the agent's stream has had its end."""
        self.error: ErrorInfo | None = None
        """What broke the stream off, if anything did."""
        self.usage: Usage | None = None
        """Tokens as far as the provider has reported them."""
        self.model: str | None = None
        """The provider's name of the model that answers, once it is known."""
        self.response_id: str | None = None
        """The provider's name for the answer, once it is known."""
        self.finish_reason: FinishReason | None = None
        """Why the model stopped, once it has."""

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be translated, so far."""
        if self._same_format:
            return ()  # what the decoder cannot express is passed on all the same
        losses = LossList()
        losses.extend(self._decoder.losses)
        losses.extend(self._encoder.losses)
        return losses.to_tuple()

    @property
    def follow_up(self) -> bytes | None:
        """The body that asks the provider for the rest, while its answer is suspended."""
        return self._joined.follow_up if self._joined is not None else None

    def resume(self) -> None:
        """Take what is fed from now on for the rest of a suspended answer."""
        assert self._joined is not None
        self._joined.resume()

    def reframe(self) -> None:
        """Translate even the agent's own format: the provider frames it in another way."""
        self._pass_through = None
        self._same_format = False

    def feed(self, chunk: bytes) -> bytes:
        """Take the provider's next bytes, cut anywhere, and return the agent's."""
        if self.ended and self._pass_through is None:
            return b""
        try:
            return self._feed(chunk)
        except Exception:
            return self._break_down()

    def close(self) -> bytes:
        """Return what ends the agent's stream, now that the provider has closed."""
        if self.ended and self._pass_through is None:
            return b""
        try:
            return self._close()
        except Exception:
            return self._break_down()

    def fail(self, error: ErrorInfo) -> bytes:
        """End the agent's stream with an error of our own, such as a timeout."""
        if self.ended:
            return b""
        self.ended = True
        self.error = error
        passed, self._pass_through = self._pass_through, None  # what still comes is not for it
        try:
            frame = self._encoder.encode(StreamError(error))
            return passed.splice(frame) if passed is not None else frame
        except Exception:
            logger.exception("the error %r could not be written", error.kind)
            return b""

    def _feed(self, chunk: bytes) -> bytes:
        if self._pass_through is not None:
            output, events = self._pass_through.feed(chunk)
            self._watch(events)
            # What is passed on at a glance has no events: it holds nothing but more of the answer.
            self.spoken = self.spoken or (self.begun and bool(output) and not events)
            for event in events:
                if type(event) is ResponseStart:
                    # Not to be sent: should the stream be cut, its end must tell the same id.
                    self._encoder.encode(event)
            return output
        events = self._decoder.feed(chunk)
        if self._repairer is not None:
            self._watch(events)
            return self._repairer.feed(chunk)
        return self._encode(events)

    def _close(self) -> bytes:
        if self._pass_through is not None:
            return self._close_pass_through(self._pass_through)
        events = self._decoder.feed_eof()
        if self._repairer is not None:
            self._watch(events)
            self.ended = True
            return self._repairer.close()
        return self._encode(events)

    def _close_pass_through(self, stream: PassThrough) -> bytes:
        rest, events = stream.close()
        cut = bool(events) and type(events[-1]) is StreamError and events[-1].error.kind == "cut"
        self._watch(events)
        if cut:
            # The bytes of a half event would swallow the error frame that follows.
            return stream.splice(self._encoder.encode(events[-1]))
        return rest

    def _encode(self, events: Iterable[Event]) -> bytes:
        if self._filter is not None:
            events = [kept for event in events for kept in self._filter.apply(event)]
        pieces: list[bytes] = []
        for event in events:
            pieces.append(self._encoder.encode(event))
            if type(event) in _NOTEWORTHY:
                self._note(event)
            elif not self.spoken:
                self.spoken = _says_something(event)
        return b"".join(pieces)

    def _watch(self, events: Iterable[Event]) -> None:
        for event in events:
            if type(event) in _NOTEWORTHY:
                self._note(event)
            elif not self.spoken:
                self.spoken = _says_something(event)

    def _note(self, event: Event) -> None:
        match event:
            case ResponseStart():
                self.begun = True
                self.usage = event.usage
                self.model = event.model or None
                self.response_id = event.id or None
            case ResponseEnd():
                self.ended = True
                self.usage = event.usage or self.usage
                self.finish_reason = event.finish_reason
            case StreamError():
                self.ended = True
                self.error = event.error
            case _:
                pass

    def _break_down(self) -> bytes:
        """A bug of ours must not reach the caller: log it and end the agent's stream."""
        logger.exception("the stream could not be translated")
        return self.fail(ErrorInfo("server_error", "Detour failed to translate this answer"))


def _says_something(event: Event) -> bool:
    """Tell whether an event is a piece of the answer, and not only the place for one."""
    return type(event) is not PartStart or event.kind not in ("text", "reasoning", "refusal")


_NOTEWORTHY = frozenset((ResponseStart, ResponseEnd, StreamError))
