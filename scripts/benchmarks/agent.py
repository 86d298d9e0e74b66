"""An agent that costs next to nothing: HTTP by hand, over TLS, through CONNECT."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from dataclasses import dataclass, field

HOST = "api.openai.com"
PATIENCE = 30.0
"""Seconds that an answer may take before the benchmark gives up."""

_STAMP = re.compile(rb"@(\d{19}) ")
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = "\r\n".join(
    (
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: {HOST}",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "Connection: keep-alive",
        "Content-Type: application/json",
        "User-Agent: AsyncOpenAI/Python 3.52.0",
        "X-Stainless-Lang: python",
        "X-Stainless-Package-Version: 3.52.0",
        "X-Stainless-OS: Linux",
        "X-Stainless-Arch: x64",
        "X-Stainless-Runtime: CPython",
        "X-Stainless-Runtime-Version: 3.13.0",
        "Authorization: Bearer sk-benchmark",
        "X-Stainless-Async: async:asyncio",
        "x-stainless-retry-count: 0",
        "x-stainless-read-timeout: 600",
        "Content-Length: ",
    )
).encode()


class AnswerError(Exception):
    """What came was not the answer that was asked for."""


@dataclass
class Answer:
    """What an agent sees of an answer."""

    first_byte: float
    """Seconds from sending the request to the first byte of the answer's head."""
    delays: list[float] = field(default_factory=list[float])
    """Seconds that each paced text delta took from the provider's socket to here."""


class Agent:
    """One connection, used for one call after the other."""

    def __init__(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._name = name
        self._reader = reader
        self._writer = writer
        self.received = 0
        """Text deltas that have come so far, in all answers."""

    @classmethod
    async def connect(cls, name: str, port: int, context: ssl.SSLContext, *, proxy: bool) -> Agent:
        """Connect to a proxy, and through it to where it thinks api.openai.com is, or directly.

        Raises:
            AnswerError: The proxy refuses.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        if proxy:
            writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise AnswerError(f"{name} answered CONNECT with {head!r}")
        await writer.start_tls(context, server_hostname=HOST)
        return cls(name, reader, writer)

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()

    async def call(self, body: bytes, events: int | None = None) -> Answer:
        """Send a request and read its answer to the end.

        Args:
            body: The request.
            events: How many text deltas must come; None for any number.

        Raises:
            AnswerError: The answer is not a success, does not come, or is not whole.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                began = time.perf_counter()
                self._writer.write(b"%s%d\r\n\r\n%s" % (_HEAD, len(body), body))
                before = self.received
                answer = await self._read(began)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            raise AnswerError(f"the answer from {self._name} broke off: {error!r}") from error
        if events is not None and self.received - before != events:
            came = self.received - before
            raise AnswerError(f"{came} text deltas came from {self._name} of {events}")
        return answer

    async def _read(self, began: float) -> Answer:
        data = await self._reader.read(65536)
        answer = Answer(time.perf_counter() - began)
        while b"\r\n\r\n" not in data:
            data += await self._more()
        head, _, rest = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length:
            rest += await self._reader.readexactly(int(length[1]) - len(rest))
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            text = rest[:2000].decode(errors="replace")
            raise AnswerError(f"{self._name} answered {head.decode()}\n{text}")
        if not length:
            await self._read_stream(answer.delays, rest)
        return answer

    async def _read_stream(self, delays: list[float], piece: bytes) -> None:
        """Read chunks up to the last, taking the time of every delta."""
        line = end = b""
        while True:
            now = time.monotonic_ns()
            data = line + piece
            line_start = data.rfind(b"\n") + 1
            for stamp in _STAMP.findall(data, 0, line_start):
                self.received += 1
                if sent := int(stamp):
                    delays.append((now - sent) / 1e9)
            line = data[line_start:]
            end = (end + piece)[-len(_LAST_CHUNK) :]
            if end == _LAST_CHUNK:
                return
            piece = await self._more()

    async def _more(self) -> bytes:
        piece = await self._reader.read(65536)
        if not piece:
            raise AnswerError(f"{self._name} closed the connection within its answer")
        return piece
