"""One HTTP/1.1 connection of the embedded provider's server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import h11

from addon.wire.codec import decode

_READ_SIZE = 65536


@dataclass
class ReceivedRequest:
    """A request as it arrived, for a test to look at."""

    method: str
    path: str
    """Without the query."""
    query: str
    headers: list[tuple[str, str]]
    """Lower-case names, in order."""
    body: bytes = b""
    status: int | None = None
    """What was answered; None while the answer has not begun."""
    sentinels: int = 0
    """Words in it that stand for a thought signature which is gone; only Gemini knows them."""
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client left before the answer was complete."""

    def header(self, name: str) -> str | None:
        """Return the first header of this name."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:  # noqa: ANN401 - whatever the client sent
        """Return the decoded body.

        Raises:
            ValueError: It is not JSON.
        """
        return decode(self.body)


type Responder = Callable[[ReceivedRequest, "Connection"], Awaitable[None]]


class Connection:
    """Reads requests and writes answers, event by event, and can break off in the middle."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        self._reading: asyncio.Future[bytes] | None = None
        self._pipe: asyncio.StreamReader | None = None
        """What comes in after a change of protocols."""

    async def serve(self, respond: Responder) -> None:
        """Answer requests until either side closes."""
        try:
            while request := await self._receive():
                await self._respond(request, respond)
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    return
                self._http.start_next_cycle()
        except (ConnectionError, h11.ProtocolError):
            return
        finally:
            if self._reading:
                self._reading.cancel()
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send the status line and headers."""
        await self._send(h11.Response(status_code=status, headers=headers))

    async def write(self, data: bytes) -> None:
        """Send a piece of the body at once."""
        await self._send(h11.Data(data=data))

    async def finish(self) -> None:
        """End the body in order."""
        await self._send(h11.EndOfMessage())

    async def upgrade(self, headers: list[tuple[str, str]]) -> asyncio.StreamReader:
        """Change to another protocol; return the stream of what comes in from then on."""
        self._pipe = asyncio.StreamReader()
        await self._send(h11.InformationalResponse(status_code=101, headers=headers))
        self._pipe.feed_data(self._http.trailing_data[0])
        return self._pipe

    async def write_raw(self, data: bytes) -> None:
        """Send bytes of the protocol that was changed to."""
        self._writer.write(data)
        await self._writer.drain()

    async def cut(self, *, reset: bool) -> None:
        """Close in the middle of the body, in good order for TCP or with a reset."""
        # What was written before must reach the client first: a reset discards what is on its way.
        await asyncio.sleep(0.02)
        if reset:
            raw: socket.socket = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        else:
            self._writer.close()

    async def _receive(self) -> ReceivedRequest | None:
        request: ReceivedRequest | None = None
        body: list[bytes] = []
        while True:
            match self._http.next_event():
                case h11.NEED_DATA:
                    if self._http.they_are_waiting_for_100_continue:
                        await self._send(h11.InformationalResponse(status_code=100, headers=[]))
                    self._http.receive_data(await self._read())
                case h11.Request() as head:
                    request = _to_request(head)
                case h11.Data() as data:
                    body.append(bytes(data.data))
                case h11.EndOfMessage():
                    assert request
                    request.body = b"".join(body)
                    return request
                case _:
                    return None

    async def _respond(self, request: ReceivedRequest, respond: Responder) -> None:
        """Run the responder, but stop it as soon as the client leaves."""
        answering = asyncio.ensure_future(respond(request, self))
        try:
            while not answering.done():
                reading = self._reading or asyncio.ensure_future(self._reader.read(_READ_SIZE))
                self._reading = reading
                await asyncio.wait({answering, reading}, return_when=asyncio.FIRST_COMPLETED)
                if reading.done() and not answering.done():
                    self._reading = None
                    data = _result(reading)
                    if not data:
                        request.disconnected.set()
                        return
                    if self._pipe is None:
                        self._http.receive_data(data)
                    else:
                        self._pipe.feed_data(data)
            answering.result()
        except ConnectionError:
            request.disconnected.set()
            raise
        finally:
            answering.cancel()
            await asyncio.wait({answering})

    async def _read(self) -> bytes:
        reading, self._reading = self._reading, None
        return await reading if reading else await self._reader.read(_READ_SIZE)

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()


def _result(reading: asyncio.Future[bytes]) -> bytes:
    try:
        return reading.result()
    except ConnectionError:
        return b""


def _to_request(head: h11.Request) -> ReceivedRequest:
    target = urlsplit(head.target.decode("ascii", "replace"))
    return ReceivedRequest(
        head.method.decode("ascii"),
        target.path,
        target.query,
        [(name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers],
    )
