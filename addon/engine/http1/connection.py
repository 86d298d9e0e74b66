"""One connection to a provider."""

from __future__ import annotations

import asyncio
from typing import Any, cast, override

import httpcore2

from addon.engine.http1.answer import Answer


class Connection(asyncio.Protocol):
    """A connection that serves one call at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._aborted = False
        """Whether it was closed from here."""
        self._ended = False
        """Whether nothing more comes."""
        self._writable: asyncio.Future[None] | None = None
        """Waits until what was written has gone, where the other side is slow to take it."""

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the bytes."""
        assert self._transport is not None
        return self._transport

    @property
    def is_free(self) -> bool:
        """Whether the connection can serve another call."""
        return self._answer is None and not (self._ended or self._aborted)

    async def send(self, request: bytes, patience: float | None) -> Answer:
        """Send a whole request and return its answer as soon as its head is there.

        Args:
            request: Head and body.
            patience: Seconds that the other side may take to accept more of the request.

        Raises:
            httpcore2.WriteTimeout: It does not take the request.
            httpcore2.NetworkError: It breaks off.
            httpcore2.ProtocolError: It does not speak HTTP, or closes the connection.
        """
        answer = self._answer = Answer(self)
        try:
            # A server may refuse a request that it has not taken whole: then its answer counts.
            if not self._ended:
                await self.write(request, patience)
            await answer.wait_for_head()
        except BaseException:
            self.abort()
            raise
        return answer

    async def write(self, data: bytes, patience: float | None = None) -> None:
        """Send bytes, and wait where they pile up; nothing happens where nobody listens any more.

        Raises:
            httpcore2.WriteTimeout: They pile up for longer than that.
        """
        self.transport.write(data)
        if self._writable is not None:
            try:
                async with asyncio.timeout(patience):
                    await asyncio.shield(self._writable)
            except TimeoutError as error:
                raise httpcore2.WriteTimeout("the request is not taken") from error

    async def start_tls(self, context: Any, host: str) -> None:  # noqa: ANN401 - an SSLContext
        """Do the TLS handshake.

        Raises:
            OSError: It fails.
        """
        loop = asyncio.get_running_loop()
        transport = self.transport
        try:
            made = await loop.start_tls(transport, self, context, server_hostname=host)
        except BaseException:
            transport.abort()
            raise
        if made is None:  # asyncio says so where the transport has been closed meanwhile
            raise ConnectionResetError("the connection was closed within the handshake")
        self._transport = made

    def detach(self, answer: Answer) -> None:
        """What follows the head of an answer is no body, but another conversation."""
        if self._answer is answer:
            self._answer = None

    def leave(self, answer: Answer) -> None:
        """An answer has been read, or nobody wants the rest of it."""
        if self._answer is answer:
            self._answer = None
            if not answer.can_be_followed:
                self.abort()
                answer.end(None)

    def abort(self) -> None:
        """Close at once, without waiting for the other side."""
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Read no more for now."""
        if not self._ended:
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if not self._ended:
            self.transport.resume_reading()

    # What asyncio says

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._answer is None:
            self.abort()  # there is nothing that they could be the answer to
        else:
            self._answer.take(data)

    @override
    def eof_received(self) -> bool:
        """Nothing more comes."""
        self._end(None)
        return False

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._end(exc)
        self.resume_writing()

    @override
    def pause_writing(self) -> None:
        """What has been written piles up."""
        self._writable = asyncio.get_running_loop().create_future()

    @override
    def resume_writing(self) -> None:
        """There is room again."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _end(self, error: Exception | None) -> None:
        if not self._ended:
            self._ended = True
            if self._answer is not None:
                self._answer.end(error)
