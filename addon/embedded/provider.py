"""The provider: routes, checks, decides and plays the answers."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import ssl
from collections import Counter
from typing import Self

from addon.embedded.anthropic.endpoint import AnthropicEndpoint
from addon.embedded.chat.endpoint import ChatEndpoint
from addon.embedded.coding import Gzip, Identity
from addon.embedded.connection import Connection, ReceivedRequest
from addon.embedded.directives import Directives, parse_directives
from addon.embedded.endpoint import Endpoint, Json, Performance
from addon.embedded.gemini.endpoint import GeminiEndpoint
from addon.embedded.other_endpoints.endpoint import OtherEndpoints
from addon.embedded.refusal import Refusal
from addon.embedded.responses.endpoint import ResponsesEndpoint
from addon.embedded.scenario import Answer, Content
from addon.embedded.socket import converse
from addon.wire.codec import encode


class EmbeddedProvider:
    """A strict provider of all four formats, and of OpenAI's other endpoints, on a local port.

    It answers ill-formed requests as the real APIs do, and well-formed ones as the prompt asks
    (see `addon.embedded.directives`). Any key is accepted unless it begins with `bad`.

    ```python
    async with EmbeddedProvider() as provider:
        client = anthropic.AsyncAnthropic(base_url=provider.base_url, api_key="any")
    ```
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: ssl.SSLContext | None = None,
        secret: bytes = b"embedded provider",
        conduct: str = "",
    ) -> None:
        self.host = host
        self.port = port
        """The port asked for; once entered, the real one."""
        self.requests: list[ReceivedRequest] = []
        """Everything that was received, in order."""
        self.conduct = conduct
        """Directives of how every answer goes (error, wait, cut ...), whatever the prompts say of
        that, so that one of several providers that get the same prompt fails."""
        self._certificate = certificate
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = asyncio.Semaphore(0)
        self._gate_open = False
        self._turns = itertools.count(1)
        self._failures: Counter[bytes] = Counter()
        self._endpoints: tuple[Endpoint, ...] = (
            GeminiEndpoint(secret),
            ResponsesEndpoint(secret),
            ChatEndpoint(),
            OtherEndpoints(self._answer_alone),
            AnthropicEndpoint(secret),
        )

    @property
    def base_url(self) -> str:
        """The URL without a version, as Anthropic and Gemini take it; OpenAI's add `/v1`."""
        scheme = "https" if self._certificate else "http"
        return f"{scheme}://{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(
            self._accept, self.host, self.port, ssl=self._certificate
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()

    def release(self, count: int = 1) -> None:
        """Let that many more events of gated answers go out; callable from any thread."""
        assert self._loop
        for _ in range(count):
            self._loop.call_soon_threadsafe(self._gate.release)

    def open_gate(self) -> None:
        """Let all events of gated answers go out from now on."""
        self._gate_open = True
        self.release()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            await Connection(reader, writer).serve(self._respond)
        finally:
            self._connections.discard(task)

    async def _respond(self, request: ReceivedRequest, connection: Connection) -> None:
        self.requests.append(request)
        turn = next(self._turns)
        endpoint = next(one for one in self._endpoints if one.serves(request))
        headers = endpoint.headers(turn)
        try:
            reply = endpoint.reply(request, turn)
            match reply:
                case Performance():
                    await self._play(request, connection, reply, headers)
                case dict() | list() | Content():
                    await self._send(request, connection, 200, reply, headers)
                case _:
                    request.status = 101
                    await converse(request, connection, reply)
        except Refusal as refusal:
            if refusal.kind == "html":
                page = f"<html><head><title>{refusal.status}</title></head></html>\n".encode()
                await self._send(
                    request, connection, refusal.status, Content(page, "text/html"), []
                )
                return
            body = endpoint.error_body(refusal, request, turn)
            await self._send(
                request, connection, refusal.status, body, [*headers, *_error_headers(refusal)]
            )

    def _answer_alone(self, path: str, body: Json) -> tuple[int, Json]:
        """Answer a request out of a batch, which nobody waits for."""
        key = [("content-type", "application/json"), ("authorization", "Bearer batch")]
        request = ReceivedRequest("POST", path, "", key, encode(body))
        turn = next(self._turns)
        endpoint = next(one for one in self._endpoints if one.serves(request))
        try:
            reply = endpoint.reply(request, turn)
            if isinstance(reply, Performance):
                self._fail_if_asked(request, reply.script.directives)
                reply = reply.answer.plain()
        except Refusal as refusal:
            return refusal.status, endpoint.error_body(refusal, request, turn)
        assert isinstance(reply, dict | list)
        return 200, reply

    async def _play(
        self,
        request: ReceivedRequest,
        connection: Connection,
        performance: Performance,
        headers: list[tuple[str, str]],
    ) -> None:
        answer, directives = performance.answer, performance.script.directives
        if self.conduct:
            directives.go_like(parse_directives(self.conduct)[0])
        if directives.silent:
            await asyncio.sleep(directives.silent)
        self._fail_if_asked(request, directives)
        coding = Gzip() if directives.gzip else Identity()
        headers = [*headers, *coding.headers]
        if not performance.streamed or directives.plain:
            content = _content(answer.plain())
            body = coding.pack(content.body) + coding.finish()
            headers.append(("content-type", content.content_type))
            request.status = 200
            await connection.begin(200, [*headers, ("content-length", str(len(body)))])
            await self._end(connection, body, directives)
            return
        headers += [
            ("content-type", answer.stream_type),
            ("cache-control", "no-cache"),
            ("transfer-encoding", "chunked"),
        ]
        request.status = 200
        await connection.begin(200, headers)
        await self._stream(connection, answer, directives, coding)

    async def _end(self, connection: Connection, body: bytes, directives: Directives) -> None:
        """Send a plain body, or half of it where the directives break the connection."""
        if directives.ending in ("cut", "reset"):
            await connection.write(body[: len(body) // 2])
            await connection.cut(reset=directives.ending == "reset")
            return
        await connection.write(body)
        await connection.finish()

    async def _stream(
        self,
        connection: Connection,
        answer: Answer,
        directives: Directives,
        coding: Identity,
    ) -> None:
        after_delta = False
        frames = list(answer.frames())
        if directives.ending != "complete":
            frames = frames[: directives.ends_after]
        for number, frame in enumerate(frames):
            if directives.slow and number:
                await asyncio.sleep(directives.slow)
            if directives.gated and after_delta and not self._gate_open:
                await self._gate.acquire()
            await connection.write(coding.pack(frame.data))
            after_delta |= frame.is_delta
        match directives.ending:
            case "cut" | "reset":
                await connection.cut(reset=directives.ending == "reset")
                return
            case "error":
                await connection.write(coding.pack(answer.broken_off(directives.stream_error)))
            case _:
                pass
        if rest := coding.finish():
            await connection.write(rest)
        await connection.finish()

    def _fail_if_asked(self, request: ReceivedRequest, directives: Directives) -> None:
        failure = directives.failure
        if not failure:
            return
        key = hashlib.sha256(request.body).digest()
        self._failures[key] += 1
        if failure.times is None or self._failures[key] <= failure.times:
            raise Refusal(
                failure.message or _words(failure.kind),
                status=failure.status,
                kind=failure.kind,
                retry_after=directives.retry_after,
                directed=True,
            )

    async def _send(
        self,
        request: ReceivedRequest,
        connection: Connection,
        status: int,
        value: Json | Content,
        headers: list[tuple[str, str]],
    ) -> None:
        content = _content(value)
        request.status = status
        headers = [
            *headers,
            ("content-type", content.content_type),
            ("content-length", str(len(content.body))),
        ]
        await connection.begin(status, headers)
        await connection.write(content.body)
        await connection.finish()


def _content(value: Json | Content) -> Content:
    return value if isinstance(value, Content) else Content(encode(value), "application/json")


def _error_headers(refusal: Refusal) -> list[tuple[str, str]]:
    headers = [("x-should-retry", "false")] if refusal.status == 400 else []
    if refusal.retry_after is not None:
        headers.append(("retry-after", f"{refusal.retry_after:g}"))
    return headers


def _words(kind: str) -> str:
    return kind.removesuffix("_error").replace("_", " ").capitalize()
