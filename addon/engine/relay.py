"""A WebSocket to a provider that speaks as the agent does: whatever comes goes on as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, nullcontext
from typing import Any

import httpcore2

from addon.engine.call import Call, Head
from addon.engine.clients import ClientPool, Response
from addon.engine.conversation import Opening, opening_of
from addon.engine.failures import EXPECTED, explain
from addon.engine.headers import merge, provider_headers, request_id
from addon.engine.replies import ERROR_LIMIT, Item, error_reply, redirect_error
from addon.formats import FORMATS
from addon.formats.base import Headers
from addon.neutral import ErrorInfo

_HANDSHAKE = frozenset(
    (
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
    )
)
_GRANTED = frozenset(
    (
        "connection",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "upgrade",
    )
)
_OF_THE_ACCOUNT = ("openai-insecure-api-key.", "openai-organization.", "openai-project.")
"""How the names of protocols begin in which browsers say who they are."""


class Relay:
    """One socket between an agent and a provider.

    Args:
        call: The agent's request for the socket, written for the provider.
        clients: How to reach it.
    """

    def __init__(self, call: Call, clients: ClientPool) -> None:
        self._call = call
        self._clients = clients
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()

    def receive(self, data: bytes) -> None:
        """Take what the agent sends."""
        self._outgoing.put_nowait(data)

    async def serve(self) -> AsyncGenerator[Item]:
        """Yield the provider's answer to the request, and then whatever it sends; never raises."""
        clock = asyncio.get_running_loop().time
        outcome = self._call.outcome
        began = outcome.started = clock()
        try:
            async with self._turn():
                response = await self._open()
                outcome.first_byte = clock() - began
                try:
                    async with aclosing(self._answer(response)) as items:
                        async for item in items:
                            yield item
                finally:
                    response.close()
        except EXPECTED as failure:
            if outcome.status is None:
                for item in error_reply(self._call, explain(failure, self._call), None):
                    yield item
            else:
                outcome.error = explain(failure, self._call)
        finally:
            outcome.duration = clock() - began

    def _turn(self) -> Any:  # noqa: ANN401 - one of two context managers
        provider = self._call.destination.provider
        limited = provider.concurrency is not None
        return self._clients.turns.turn(provider) if limited else nullcontext()

    async def _open(self) -> Response:
        call = self._call
        upgrade = (("connection", "Upgrade"), ("upgrade", "websocket"))
        headers = merge(provider_headers(call), upgrade, _handshake(call.agent_headers))
        try:
            async with asyncio.timeout(call.timeouts.connect + call.timeouts.first_byte):
                return await self._clients.open(
                    "GET", call.rendered.url, headers, b"", call.timeouts
                )
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error

    async def _answer(self, response: Response) -> AsyncGenerator[Item]:
        opening = opening_of(response)
        self._call.outcome.request_id = request_id(opening.headers)
        if response.status != 101:
            for item in await self._refusal(opening, response):
                yield item
            return
        self._call.outcome.status = 101
        granted = ((n.lower(), v) for n, v in opening.headers if n.lower() in _GRANTED)
        yield Head(101, tuple(granted))
        sending = asyncio.create_task(self._send(response))
        try:
            while data := await response.read():
                yield data
        finally:
            sending.cancel()

    async def _send(self, response: Response) -> None:
        try:
            while True:
                await response.write(await self._outgoing.get())
        except EXPECTED:
            response.close()  # and whoever reads will see the end

    async def _refusal(self, opening: Opening, response: Response) -> Iterable[Item]:
        """Tell in the agent's words that there is no socket."""
        call = self._call
        if 300 <= opening.status < 400:
            return error_reply(call, redirect_error(call, opening), opening)
        if opening.status < 400:
            message = f"{call.destination.provider.title} opens no WebSocket there."
            return error_reply(call, ErrorInfo("server_error", message, status=502), opening)
        body = bytearray()
        while (chunk := await response.read()) and len(body) < ERROR_LIMIT:
            body += chunk
        spoken = FORMATS[call.destination.format]
        error = spoken.parse_error(opening.status, opening.headers, bytes(body))
        return error_reply(call, error, opening)


def _handshake(headers: Headers) -> Headers:
    """Return what the agent says of the socket, but for what names its account."""
    kept = {name.lower(): value for name, value in headers if name.lower() in _HANDSHAKE}
    offered = (one.strip() for one in kept.pop("sec-websocket-protocol", "").split(","))
    protocols = ", ".join(one for one in offered if one and not one.startswith(_OF_THE_ACCOUNT))
    if protocols:
        kept["sec-websocket-protocol"] = protocols
    return tuple(kept.items())
