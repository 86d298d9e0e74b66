"""Sockets for the HTTP client, straight from asyncio.

The client's own backend leaves a socket open when a call is cancelled during the TLS handshake, so
that a provider would not learn that the agent has gone. This one closes it, and does less work for
every piece of a stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextvars import ContextVar
from itertools import chain, zip_longest
from typing import Any, override

import httpcore2

from addon.engine.chunked import ChunkedReader

type Address = tuple[str, int]
type Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]

READ_SIZE = 65536
_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)")
HEAD_START = 0.25
"""Seconds that an address has to itself before the next one is tried as well."""


dialled: ContextVar[bool] = ContextVar("dialled")
"""Whether the call that is being made has opened a connection, rather than taken a pooled one."""


class Stream(httpcore2.AsyncNetworkStream):
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._head = b""
        """The head of a request whose body has not come yet."""
        self._answer_head: bytearray | None = None
        """The head of an answer, as far as it has come; None: its body is next."""
        self._rest = b""
        """What has come but was not asked for yet."""
        self._switched = False
        """Whether the other side speaks another protocol than HTTP by now."""

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, `b""` at the end."""
        if self._rest:
            data, self._rest = self._rest, b""
        elif timeout is None:  # as the engine has it, piece by piece: so no more work than needed
            data = await self._read(max_bytes)
        else:
            with renamed(httpcore2.ReadTimeout, httpcore2.ReadError):
                async with asyncio.timeout(timeout):
                    data = await self._reader.read(max_bytes)
        return data if self._answer_head is None else self._stop_at_body(data, self._answer_head)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the body of an answer that comes in chunks, but for the last, empty one.

        That one is left for `read`.

        Raises:
            httpcore2.RemoteProtocolError: It ends too early, or is not made of chunks.
        """
        reader = ChunkedReader()
        while reader.rest is None:
            data, self._rest = self._rest, b""
            data = data or await self._read(READ_SIZE)
            if not data:
                raise httpcore2.RemoteProtocolError("the connection was closed within the body")
            try:
                body = reader.feed(data)
            except ValueError as error:
                raise httpcore2.RemoteProtocolError(str(error)) from error
            if body:
                yield body
        self._rest = reader.rest

    async def _read(self, max_bytes: int) -> bytes:
        try:
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    def _stop_at_body(self, data: bytes, head: bytearray) -> bytes:
        """Return no more than the head of an answer; interim answers have heads of their own."""
        known = len(head)
        head += data
        end = head.find(b"\r\n\r\n", max(known - 3, 0))
        if end < 0:
            return data
        self._switched = head.startswith(b"101", 9)
        cut = end + 4 - known
        self._rest = data[cut:]
        self._answer_head = bytearray() if _INTERIM.match(head) else None
        return data[:cut]

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes, but keep the head of a request until what follows it: both go at once."""
        if not self._head and not self._switched and buffer.endswith(b"\r\n\r\n"):
            self._head = buffer
            self._answer_head = bytearray()
            return
        data, self._head = self._head + buffer if self._head else buffer, b""
        if not data:
            # The end of a body has no bytes of its own. (And asyncio's `writelines` never gets rid
            # of an empty piece: it would keep the event loop spinning.)
            return
        with renamed(httpcore2.WriteTimeout, httpcore2.WriteError):
            self._writer.write(data)
            transport = self._writer.transport
            if not transport.get_write_buffer_size() and not transport.is_closing():
                return
            async with asyncio.timeout(timeout):
                await self._writer.drain()

    @override
    async def aclose(self) -> None:
        """Close at once, without waiting for the other side."""
        self._writer.transport.abort()

    @override
    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Do the TLS handshake on this connection."""
        try:
            with renamed(httpcore2.ConnectTimeout, httpcore2.ConnectError):
                async with asyncio.timeout(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            self._writer.transport.abort()
            raise
        return self

    @override
    def get_extra_info(self, info: str) -> Any:
        """Return what the pool wants to know of a connection."""
        if info == "is_readable":
            # Of an idle connection: whether the other side has closed it.
            return bool(self._rest) or self._reader.at_eof() or self._writer.is_closing()
        return self._writer.get_extra_info(info)


class Network(httpcore2.AsyncNetworkBackend):
    """Opens connections."""

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Open a connection."""
        dialled.set(True)
        with renamed(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            async with asyncio.timeout(timeout):
                return Stream(*await connect(host, port))

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def connect(
    host: str, port: int, choose: Callable[[list[Address]], list[Address]] | None = None
) -> Ends:
    """Open a connection to the address of a host that answers first.

    Addresses are tried shortly after each other, the two kinds in turn, as RFC 8305 has it: where
    IPv6 leads nowhere, IPv4 must not have to wait. asyncio can do the same but not, before Python
    3.13.1, with the eager tasks that mitmproxy uses (cpython#124309).

    Args:
        host: A name or an address.
        port: Where to.
        choose: Picks from the addresses of the host those that may be connected to, or raises.

    Raises:
        OSError: None can be reached; the error of the first that was tried.
    """
    waiting = await resolve(host, port)
    if choose is not None:
        waiting = choose(waiting)
    tries: list[asyncio.Task[Ends]] = []
    try:
        while True:
            if waiting:
                place = waiting.pop(0)
                tries.append(asyncio.create_task(asyncio.open_connection(*place)))
            if pending := [attempt for attempt in tries if not attempt.done()]:
                patience = HEAD_START if waiting else None
                await asyncio.wait(pending, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for attempt in tries:
                if attempt.done() and attempt.exception() is None:
                    tries.remove(attempt)
                    return attempt.result()
            if not waiting and all(attempt.done() for attempt in tries):
                tries[0].result()
    finally:
        for attempt in tries:
            attempt.cancel()
            attempt.add_done_callback(_discard)


def _discard(attempt: asyncio.Task[Ends]) -> None:
    """Close a connection that came too late."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result()[1].transport.abort()


async def resolve(host: str, port: int) -> list[Address]:
    """Resolve a name: the addresses in the system's order, but the two kinds in turn."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first = found[0][0]
    same = [place for family, _, _, _, place in found if family == first]
    other = [place for family, _, _, _, place in found if family != first]
    places = chain.from_iterable(zip_longest(same, other))
    return [(str(place[0]), int(place[1])) for place in places if place is not None]


@contextlib.contextmanager
def renamed(timeout: type[Exception], other: type[Exception]) -> Generator[None]:
    """Raise the client's own exceptions in place of the system's."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except (OSError, EOFError) as error:
        raise other(str(error)) from error
