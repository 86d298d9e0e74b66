"""The engine's one entry: an async generator that answers a call."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

from msgspec.structs import replace

from addon.engine.call import Call, Outcome
from addon.engine.carried import CarriedAnswer
from addon.engine.chain import Attempt, MoveOn, place_of
from addon.engine.clients import ClientPool
from addon.engine.conversation import Opening, converse
from addon.engine.counting import CountAnswer
from addon.engine.failures import EXPECTED, explain
from addon.engine.headers import request_id
from addon.engine.plain import PlainAnswer
from addon.engine.replies import Head, Item
from addon.engine.silence import END, SILENCE, Listener
from addon.engine.streamed import StreamedAnswer
from addon.engine.tape import Take
from addon.neutral import ErrorInfo

logger = logging.getLogger(__name__)

type Reply = StreamedAnswer | PlainAnswer | CountAnswer | CarriedAnswer

BEGINNING = 2
"""Items of an answer, its head and the first piece, that go to the agent before more is read."""
FAREWELL = 1.0
"""Seconds that a provider has to close a stream whose last event it has sent."""


async def answer(call: Call, clients: ClientPool) -> AsyncGenerator[Item]:
    """Send a call to its provider and yield the agent's answer: a `Head`, then bytes.

    Every item after the head is a non-empty piece that can be sent at once; of a stream, each is
    made of whole events. Whatever fails becomes an error in the agent's format, so nothing is ever
    raised. Closing the generator, or cancelling the task that runs it, closes the connection to
    the provider at once, also while it is being opened. `call.outcome` is filled meanwhile.

    Raises:
        BrokenOff: An answer that is merely carried ends too early, and has no words for an error.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    outcome = call.outcome
    outcome.started = began
    promised = False
    try:
        while True:
            reply = _reply(call, promised=promised)
            tried = clock()
            outcome.destination = call.destination
            outcome.request_losses = call.rendered.losses
            try:
                async with aclosing(_attempt(call, reply, clients)) as items:
                    async for item in items:
                        done = reply.done
                        speaks = done or type(item) is bytes
                        if outcome.first_token is None and speaks and reply.spoken:
                            outcome.first_token = clock() - began
                        if done and not outcome.concluded:
                            reply.report()
                            _conclude(call, tried - began, clock() - tried)
                        yield item
                if not outcome.concluded:
                    _conclude(call, tried - began, clock() - tried)
                return
            except MoveOn as moved:
                outcome.attempts += (_note(call, moved.error, tried - began, clock() - tried),)
                promised = reply.promised
                assert call.chain is not None
                following = await call.chain.following(call, moved.error)
                if following is None:
                    items = _last_word(call, moved, promised=promised)
                    _tell(outcome)
                    for item in items:
                        yield item
                    return
                failed, other = (":".join(place_of(it.destination)) for it in (call, following))
                logger.warning("%s has failed (%s); next is %s", failed, moved.error.kind, other)
                _forget(outcome)
                call = following
    finally:
        if not outcome.concluded:
            outcome.duration = clock() - began


def _conclude(call: Call, began: float, seconds: float) -> None:
    """Complete the outcome of a call that has been answered."""
    outcome = call.outcome
    if call.chain is not None:
        if outcome.error is None:
            call.chain.answered()
        outcome.attempts += (_note(call, outcome.error, began, seconds),)
    _tell(outcome)


def _tell(outcome: Outcome) -> None:
    if outcome.started is not None:
        outcome.duration = asyncio.get_running_loop().time() - outcome.started
    outcome.concluded = True
    tell, outcome.when_concluded = outcome.when_concluded, None
    if tell is not None:
        tell()


def _note(call: Call, error: ErrorInfo | None, began: float, seconds: float) -> Attempt:
    provider, model = place_of(call.destination)
    return Attempt(
        provider=provider,
        model=model,
        error=error,
        seconds=round(seconds, 6),
        began=began,
        format=call.destination.format,
        base_url=call.destination.base_url,
    )


def _note_opening(call: Call, opening: Opening, seconds: float) -> None:
    """Write down that a provider's answer begins."""
    outcome = call.outcome
    if outcome.first_byte is None:
        outcome.first_byte = seconds
        outcome.request_id = request_id(opening.headers)
    if outcome.tape is not None:
        secrets = tuple(value for _, value in call.key_headers)
        provider, model = place_of(call.destination)
        spoken = call.destination.format
        outcome.tape.begin(Take(monotonic(), provider, model, spoken, opening.status, secrets))


def _forget(outcome: Outcome) -> None:
    """Take back what an attempt has told that came to nothing."""
    outcome.error = outcome.usage = outcome.finish_reason = outcome.model = None
    outcome.first_byte = outcome.request_id = outcome.response_id = None
    outcome.losses = ()


def _last_word(call: Call, moved: MoveOn, *, promised: bool) -> list[Item]:
    """Tell the agent of the failure after which nothing was left to try."""
    reply = _reply(replace(call, chain=None), promised=promised)
    # A redirect is refused as soon as it is seen, and then nothing is left to say.
    items = reply.open(moved.opening) if moved.opening is not None else []
    return [*items, *reply.fail(moved.error)]


async def _attempt(call: Call, reply: Reply, clients: ClientPool) -> AsyncGenerator[Item]:
    """Answer by one target: by its answer, and by the rest of it where it suspends it.

    Raises:
        MoveOn: It has failed, and something else is to be tried.
    """
    try:
        while True:
            listener = Listener(converse(call, clients), call.timeouts, beginning=BEGINNING)
            try:
                if isinstance(reply, StreamedAnswer):
                    reply.prepare()
                hearing = _Hearing(call, reply, listener)
                while not hearing.over:
                    items = await hearing.hear()
                    if hearing.left:
                        head, *rest = items
                        yield head
                        await asyncio.sleep(0)  # it is on its way before more is translated
                        rest += hearing.go_on()
                        items = [b"".join(piece for piece in rest if type(piece) is bytes)]
                    for item in items:
                        yield item
            finally:
                await listener.aclose()
            if (body := reply.follow_up) is None:
                return
            call = replace(call, rendered=replace(call.rendered, body=body))
            reply.resume()
    except MoveOn:
        raise
    except EXPECTED as failure:
        for item in reply.close() if reply.done else reply.fail(explain(failure, call)):
            yield item
    except Exception:
        logger.exception("the answer of %r could not be given", call)
        for item in reply.fail(ErrorInfo("server_error", "Detour failed to carry this answer.")):
            yield item
    finally:
        reply.report()


class _Hearing:
    """What a reply makes of what is heard of a provider."""

    def __init__(self, call: Call, reply: Reply, listener: Listener[Opening | bytes]) -> None:
        self._call = call
        self._reply = reply
        self._listener = listener
        self._clock = asyncio.get_running_loop().time
        self._began = self._spoken = self._clock()
        self._patience = call.keep_alive if call.stream and call.keep_alive > 0 else math.inf
        self._tape = call.outcome.tape
        self.over = False
        """Whether nothing more is to be heard."""
        self.left = b""
        """What was heard behind the first event, to be made something of by `go_on`."""

    async def hear(self) -> list[Item]:
        """Wait for something, if only for silence, and return what the agent gets for it.

        Raises:
            MoveOn: The target has failed, and something else is to be tried.
            Exception: One of `failures.EXPECTED`.
        """
        reply, listener = self._reply, self._listener
        heard = await listener.receive(self._spoken + self._patience - self._clock())
        if type(heard) is bytes:
            # What came in one go is passed on in one go: mitmproxy's work for each item is the
            # dearest part of a stream, and this spares the more of it the busier Detour is.
            if more := listener.take_ready(bytes):
                heard = b"".join((heard, *more))
            if self._tape is not None:
                self._tape.add(heard)
            items = self._feed(heard)
        elif heard is END:
            self.over = True
            return reply.close()
        elif heard is SILENCE:
            items = reply.silent()
            self._spoken = self._clock()
        else:
            assert isinstance(heard, Opening)
            started = self._call.outcome.started or self._began
            _note_opening(self._call, heard, self._clock() - started)
            items = reply.open(heard)
        if items:
            self._spoken = self._clock()
        if not self.left:
            self._look_for_end()
        return items

    def go_on(self) -> list[Item]:
        """Return what the agent gets for what was left."""
        left, self.left = self.left, b""
        items = self._reply.feed(left)
        self._look_for_end()
        return items

    def _feed(self, heard: bytes) -> list[Item]:
        reply = self._reply
        if not isinstance(reply, StreamedAnswer):
            return reply.feed(heard)
        first, rest = reply.divide(heard)
        items = reply.feed(first)
        if not rest:
            return items
        if items and type(items[0]) is Head and reply.promised and not reply.done:
            self.left = rest
            return items
        return [*items, *reply.feed(rest)]

    def _look_for_end(self) -> None:
        reply = self._reply
        if reply.follow_up is not None:
            self.over = True
        elif reply.done:
            if self._call.stream:
                self._listener.hurry(FAREWELL)
            else:
                self.over = True


def _reply(call: Call, *, promised: bool = False) -> Reply:
    """Choose what turns the provider's answer into the agent's."""
    if call.estimate is not None:
        return CountAnswer(call)
    if call.carried:
        return CarriedAnswer(call)
    return StreamedAnswer(call, promised=promised) if call.stream else PlainAnswer(call)
