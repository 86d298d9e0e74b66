"""One WebSocket of `/v1/responses`, from the handshake to its end.

The agent's messages come in by `receive`, whenever they like; `serve` yields what goes out. Each
`response.create` is answered by a call like one by HTTP, which the session is given the means to
make; calls run in tasks of their own, and all of them end at once when nobody listens any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing

import msgspec
from wsproto.extensions import PerMessageDeflate

from addon.engine import Head
from addon.formats.openai_responses import FORMAT
from addon.neutral import ClientRequestError, ErrorInfo, ErrorKind
from addon.sockets.events import EXPIRED, EventWriter, error_message, steer_refusal
from addon.sockets.framing import Framing, Oddity, text_frame
from addon.sockets.lanes import Lanes
from addon.sockets.messages import Create, Message, Misfit, Steer, read_message
from addon.stateful import History, StateError, Turn

logger = logging.getLogger(__name__)

LIFETIME = 3600.0
"""Seconds for which a socket may be open, as at OpenAI."""
ERROR_LIMIT = 1 << 20
"""Most bytes of an error that are read."""
_AHEAD = 1 << 18
"""Bytes for a slow agent that may wait before its responses have to."""

_NORMAL = 1000
_GOING_AWAY = 1001
_EXPIRY = ErrorInfo(
    "invalid_request",
    "Responses websocket connection limit reached (60 minutes). Create a new websocket connection "
    "to continue.",
    code=EXPIRED,
)

type Answer = AsyncGenerator[Head | bytes]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a socket."""

    deflate: PerMessageDeflate | None = None
    """How incoming messages are compressed."""
    limit: int = 64 << 20
    """Most bytes that a message, or the request that it stands for, may have."""
    keep_alive: float = 15.0
    """Seconds of silence after which an agent that waits for a response is pinged; 0: never."""
    lifetime: float = LIFETIME
    """Seconds for which responses may be begun."""


class Session:
    """Serves one agent."""

    def __init__(
        self, answer: Callable[[bytes], Answer], history: History, terms: Terms | None = None
    ) -> None:
        """Prepare to serve.

        Args:
            answer: Answers a body of `POST /v1/responses` as it would be by HTTP.
            history: Remembers what was said on this socket, and knows what was said elsewhere.
            terms: What holds for it.
        """
        self._answer = answer
        self._history = history
        self._terms = terms or Terms()
        self._framing = Framing(self._terms.deflate, self._terms.limit)
        self._lanes = Lanes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._inbox: deque[bytes] = deque()
        self._outbox: list[bytes] = []
        self._ahead = 0
        self._room = asyncio.Event()
        self._waiter: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._last = 0.0
        """When anything was last said on the socket."""
        self._expired = False
        self._leaving = False
        self._closed = False

    def receive(self, data: bytes) -> None:
        """Take the agent's next bytes."""
        self._inbox.append(data)
        self._wake()

    def leave(self) -> None:
        """Say farewell: the proxy is about to end."""
        self._leaving = True
        self._wake()

    async def serve(self, head: Head) -> Answer:
        """Yield the answer that grants the upgrade, then frames until the socket is closed."""
        yield head
        clock = asyncio.get_running_loop().time
        expiry = clock() + self._terms.lifetime
        self._last = clock()
        try:
            while True:
                now = clock()
                if self._inbox:
                    self._last = now
                    self._take_inbox()
                if self._expired or self._leaving or now >= expiry:
                    self._end()
                if self._outbox:
                    output, self._outbox = b"".join(self._outbox), []
                    if self._ahead > _AHEAD:
                        self._room.set()
                    self._ahead = 0
                    self._last = now
                    yield output
                    continue
                if self._closed:
                    return
                silence = self._last + self._patience
                if now >= silence:
                    self._outbox.append(self._framing.ping())
                    continue
                await self._wait(silence if self._expired else min(silence, expiry))
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            self._lanes.take_waiting()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take_inbox(self) -> None:
        while self._inbox and not self._closed:
            for received in self._framing.receive(self._inbox.popleft()):
                match received:
                    case Oddity.CLOSED:
                        self._closed = True
                    case Oddity.BINARY:
                        self._complain("Messages must be text, not binary.")
                    case Oddity.TOO_LARGE:
                        self._complain(_too_large(self._terms.limit), "too_large")
                    case bytes():
                        self._take(read_message(received))
            self._outbox += self._framing.take_answers()

    def _take(self, message: Message) -> None:
        match message:
            case Create():
                if self._expired:
                    error = _EXPIRY
                else:
                    error = self._lanes.add(message)
                if error is not None:
                    self._refuse(message, error)
                self._begin()
            case Steer():
                self._say([steer_refusal(message)])
            case Misfit():
                self._say(EventWriter(message.stream_id).refuse(message.error, b"", ""))

    @property
    def _patience(self) -> float:
        """Seconds of silence until a ping is due."""
        waits = self._lanes.running and self._terms.keep_alive > 0
        return self._terms.keep_alive if waits else math.inf

    def _end(self) -> None:
        """Close when the proxy ends at once; at the end of its time when everything is said."""
        if self._closed:
            return
        if self._leaving:
            self._close(_GOING_AWAY, "Detour is shutting down")
            return
        self._expired = True
        for create in self._lanes.take_waiting():
            self._refuse(create, _EXPIRY)
        if not self._lanes.running:
            self._say([error_message(_EXPIRY)])
            self._close(_NORMAL, "60 minutes are over")

    def _close(self, code: int, reason: str) -> None:
        self._outbox.append(self._framing.close(code, reason))
        self._closed = True

    def _begin(self) -> None:
        while (create := self._lanes.begin_next()) is not None:
            task = asyncio.create_task(self._run(create), name="Detour response")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, create: Create) -> None:
        writer = EventWriter(create.stream_id)
        try:
            await self._respond(create, writer)
        except Exception:
            logger.exception("a response could not be given")
            error = ErrorInfo("server_error", "Detour failed to give this response.")
            self._say(writer.refuse(error, create.body, _new_id()))
        finally:
            self._lanes.end(create)
            self._begin()
            self._wake()

    async def _respond(self, create: Create, writer: EventWriter) -> None:
        turn: Turn | None = None
        body = create.body
        with contextlib.suppress(StateError, ClientRequestError):
            # What is not known here, whoever answers may know; or will say what is wrong.
            turn = self._history.begin(body)
            body, writer.previous = turn.body, turn.previous
        if len(body) > self._terms.limit:
            error = ErrorInfo("too_large", _too_large(self._terms.limit))
            self._say(writer.refuse(error, body, _new_id()))
        elif create.generates:
            await self._carry(body, writer)
        elif turn is not None:
            self._say(writer.warm_up(body, _new_id()))
        else:
            error = ErrorInfo(
                "invalid_request",
                "A response that generates nothing cannot go on from one that is not known here.",
                code="previous_response_not_found",
                param="previous_response_id",
            )
            self._say(writer.refuse(error, body, _new_id()))
        if turn is not None and writer.response:
            # Whether it is kept beyond this socket is the business of whoever has answered.
            turn.stores = False
            self._history.finish(turn, writer.response)

    async def _carry(self, body: bytes, writer: EventWriter) -> None:
        """Make the call and tell what comes of it."""
        head: Head | None = None
        refused = bytearray()
        async with aclosing(self._answer(body)) as items:
            async for item in items:
                if isinstance(item, Head):
                    head = item
                elif head is not None and head.status >= 400:
                    refused += item[: ERROR_LIMIT - len(refused)]
                else:
                    self._say(writer.feed(item))
                    await self._make_room()
        if head is not None and head.status >= 400:
            error = FORMAT.parse_error(head.status, head.headers, bytes(refused))
            self._say(writer.refuse(error, body, _new_id()))
        else:
            self._say(writer.close())

    def _refuse(self, create: Create, error: ErrorInfo) -> None:
        self._say(EventWriter(create.stream_id).refuse(error, create.body, _new_id()))

    def _complain(self, message: str, kind: ErrorKind = "invalid_request") -> None:
        self._say([error_message(ErrorInfo(kind, message))])

    def _say(self, messages: Iterable[bytes]) -> None:
        for message in messages:
            frame = text_frame(message)
            self._outbox.append(frame)
            self._ahead += len(frame)
        self._wake()

    async def _make_room(self) -> None:
        """Wait while the agent is behind."""
        while self._ahead > _AHEAD:
            self._room.clear()
            await self._room.wait()

    async def _wait(self, until: float) -> None:
        """Wait until something has happened, or at most until then."""
        loop = asyncio.get_running_loop()
        # An alarm that rings too early does no harm, and spares one for each piece of a stream.
        if (self._alarm is None or self._alarm.when() > until) and not math.isinf(until):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = loop.call_at(until, self._ring)
        self._waiter = loop.create_future()
        await self._waiter

    def _ring(self) -> None:
        self._alarm = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _new_id() -> str:
    return f"resp_{uuid.uuid4().hex}"


def _too_large(limit: int) -> str:
    return f"The request is larger than {limit >> 20} MiB, the limit of Detour (detour_body_limit)."
