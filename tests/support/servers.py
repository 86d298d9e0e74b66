"""A server that says exactly the bytes that a test wants, when it wants them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self


class Exchange:
    """One request, and the means to answer it byte by byte."""

    def __init__(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ")
        self.headers = {
            name.lower(): value
            for name, value in (line.split(": ", 1) for line in lines[1:] if line)
        }
        self.body = body
        self.writer = writer
        self.left = asyncio.Event()
        """Set when the other side has closed the connection."""
        self.close = False

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def begin(self, status: int = 200, **headers: str) -> None:
        """Begin an answer in chunks."""
        fields = {"transfer_encoding": "chunked", "content_type": "text/event-stream", **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        await self.send("\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode())

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Give a whole answer."""
        fields = {"content_type": "application/json", "content_length": str(len(body)), **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        await self.send("\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + body)

    def abort(self) -> None:
        """Break the connection off."""
        self.writer.transport.abort()
        self.close = True


type Handler = Callable[[Exchange], Awaitable[None]]


class ScriptedServer:
    """Serves HTTP/1.1 on a local port by a handler."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.handler = handler
        self.tls = tls
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.address = ("127.0.0.1", 0)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.address[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.address = self._server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _content_length(head.split(b"\r\n"))
        exchange = Exchange(head, await reader.readexactly(length), writer)
        self.exchanges.append(exchange)
        handling = asyncio.ensure_future(self.handler(exchange))
        # Nobody says anything before the answer is complete, so what can be read is the end.
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({handling, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not handling.done():
                exchange.left.set()
                handling.cancel()
                return False
            await handling
            if exchange.close or writer.is_closing():
                return False
            if leaving.done():
                return False
            leaving.cancel()
            await asyncio.wait({leaving})
            return True
        finally:
            handling.cancel()
            leaving.cancel()
            await asyncio.gather(handling, leaving, return_exceptions=True)


def _content_length(lines: Iterable[bytes]) -> int:
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
