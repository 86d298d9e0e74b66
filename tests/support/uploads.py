"""Large requests and answers, sent and received without ever being whole in memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import httpx2

from tests.support.proxy import Proxy

MEBIBYTE = 1 << 20
_PIECE = bytes(range(256)) * 256


class Counter:
    """A server that counts what it is sent, and answers with the number as a file's size.

    Asked for a file, it gives one of any size.
    """

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.received = 0
        self.gives = 0
        """Bytes that it answers a GET with."""
        self.first = asyncio.Event()
        """Set at the first byte of a body."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if head.startswith(b"GET "):
                await self._give(writer)
                return
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await self._drain(reader, int(length[1]) if length else None)
            body = b'{"id": "file-1", "object": "file", "bytes": %d}' % self.received
            start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
            writer.write(b"%s%d\r\nconnection: close\r\n\r\n%s" % (start, len(body), body))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _give(self, writer: asyncio.StreamWriter) -> None:
        start = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: "
        writer.write(b"%s%d\r\n\r\n" % (start, self.gives))
        async for piece in pieces(self.gives):
            writer.write(piece)
            await writer.drain()

    async def _drain(self, reader: asyncio.StreamReader, left: int | None) -> None:
        end = b""
        while left is None or left > 0:
            data = await reader.read(65536)
            if not data:
                return
            self.received += len(data)
            self.first.set()
            if left is not None:
                left -= len(data)
                continue
            end = (end + data)[-5:]
            if end == b"0\r\n\r\n":
                return


async def pieces(size: int) -> AsyncIterator[bytes]:
    """Yield that many bytes."""
    for _ in range(size // len(_PIECE)):
        yield _PIECE


async def send(proxy: Proxy, url: str, size: int, **headers: str) -> httpx2.Response:
    """Post that many bytes through the proxy; without `content_length` in chunks."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with proxy.client() as client:
        return await client.post(url, content=pieces(size), headers=named)


def peak() -> int:
    """Return the most bytes that this process has held since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    found: Any = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024


def forget_peak() -> int:
    """Begin to measure anew; return the bytes that are held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()
