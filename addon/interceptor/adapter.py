"""Feeds the engine's answers into mitmproxy's layers, in place of a connection to a server.

mitmproxy's HTTP layer asks for a connection to the flow's server, sends the request into it and
waits for response events to come out. For a flow that the engine answers, `AnsweringHttpLayer`
hands out an `AnswerConnection`, which opens no socket: when the request is complete it starts a
`Delivery`, a task that pulls the engine's generator and reports each item to the connection as an
event, the way a socket reports data. The rest of the flow's life (hooks, display, streaming to the
agent, its errors) stays mitmproxy's own.

An answer of status 101 makes the connection a pipe: from then on the agent's bytes go to the
delivery, and what it yields goes back as it is. mitmproxy's WebSocket layer stands in between and
sees two ordinary connections, so that it shows the messages and closes both ends properly.

What this touches of mitmproxy's inside, all of it unchanged for years and held by
`tests/interceptor/test_contract.py`: `HttpLayer.get_connection`, `.make_stream`, `.streams`,
`.connections`, `.command_sources` and `.event_to_child`; `HttpStream.check_body_size`,
`.request_body_buf` and `.start_request_stream`; `HttpConnection`; the HTTP events;
`ConnectionHandler.server_event`, `.drain_writers` and `.timeout_watchdog`.
"""

# mitmproxy's own addons import the HTTP events from this package, which does not list them.
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import override

from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.net.http import status_codes
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    ErrorCode,
    GetHttpConnection,
    GetHttpConnectionCompleted,
    HttpConnection,
    HttpLayer,
    HttpStream,
    ReceiveHttp,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.server import ConnectionHandler

from addon.engine import BrokenOff, Head
from addon.formats.base import header

logger = logging.getLogger(__name__)

SWITCHING_PROTOCOLS = 101
NO_LIMIT = sys.maxsize
_LITTLE = 1 << 16
"""Bytes of a request that are held without a question."""

type Items = AsyncGenerator[Head | bytes]


@dataclass
class AnswerEvent(events.ConnectionEvent):
    """The engine has produced the next item of an answer; the last is None, or says it was cut."""

    item: Head | bytes | BrokenOff | None


class Delivery:
    """One answer on its way from the engine to the agent."""

    def __init__(
        self,
        flow: http.HTTPFlow,
        handler: ConnectionHandler,
        open_items: Callable[[], Items],
        receive: Callable[[bytes], None] | None = None,
    ) -> None:
        """Prepare a delivery.

        Args:
            flow: What is being answered.
            handler: Serves the agent's connection.
            open_items: Begins the answer; called when the request has passed all hooks.
            receive: Takes what the agent sends after an answer of status 101.
        """
        self._flow = flow
        self._handler = handler
        self._open_items = open_items
        self._receive = receive
        self._task: asyncio.Task[None] | None = None

    def start(self, server: Server) -> None:
        """Begin to pull the answer and to report it as events of the connection `server`."""
        self._task = asyncio.create_task(self._run(server), name="Detour answer")

    def receive(self, data: bytes) -> None:
        """Take what the agent sends through an upgraded connection."""
        if self._receive is not None:
            self._receive(data)

    def cancel(self) -> None:
        """Stop at once: nobody waits for the answer any more."""
        if self._task is not None:
            self._task.cancel()

    def when_ended(self, tell: Callable[[], None]) -> None:
        """Call back once nothing of the answer goes on any more; at once where nothing does."""
        if self._task is None or self._task.done():
            tell()
        else:
            self._task.add_done_callback(lambda _: tell())

    async def finish(self, seconds: float) -> None:
        """Wait for the end, but no longer than that."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=seconds)
            self._task.cancel()

    async def _run(self, server: Server) -> None:
        last: BrokenOff | None = None
        try:
            # An agent may wait for longer than mitmproxy's own inactivity timeout.
            with self._handler.timeout_watchdog.disarm():
                async with aclosing(self._open_items()) as items:
                    async for item in items:
                        if self._flow.error:  # killed by the user
                            break
                        await self._handler.server_event(AnswerEvent(server, item))
                        await self._handler.drain_writers()
        except BrokenOff as broken:
            last = broken
        except Exception:
            logger.exception("an answer could not be delivered")
        await self._handler.server_event(AnswerEvent(server, last))


class AnswerConnection(HttpConnection):
    """A connection to nowhere, out of which comes the engine's answer."""

    def __init__(self, context: Context, server: Server, delivery: Delivery) -> None:
        super().__init__(context, server)
        self._server = server
        self._delivery = delivery
        self._stream_id = 0
        self._http_version = ""
        self._begun = False
        self._upgraded = False
        self.finished = False

    @override
    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        match event:
            case RequestHeaders():
                self._stream_id = event.stream_id
                self._http_version = event.request.http_version
            case RequestEndOfMessage():
                self._delivery.start(self._server)
            case RequestData() if self._upgraded:
                self._delivery.receive(event.data)
            case RequestProtocolError():
                self.finished = True
                self._delivery.cancel()
            case AnswerEvent() if not self.finished:
                yield from self._receive(event.item)
            case _:
                pass

    def _receive(self, item: Head | bytes | BrokenOff | None) -> layer.CommandGenerator[None]:
        match item:
            case Head():
                self._begun = True
                response = response_of(item, self._http_version)
                yield ReceiveHttp(ResponseHeaders(self._stream_id, response, end_stream=False))
                if item.status == SWITCHING_PROTOCOLS:
                    self._upgraded = True
                    yield ReceiveHttp(ResponseEndOfMessage(self._stream_id))
            case bytes():
                yield ReceiveHttp(ResponseData(self._stream_id, item))
            case BrokenOff() | None:
                self.finished = True
                if self._begun and item is None:
                    yield ReceiveHttp(ResponseEndOfMessage(self._stream_id))
                else:
                    yield ReceiveHttp(
                        ResponseProtocolError(
                            self._stream_id, "no answer", ErrorCode.GENERIC_SERVER_ERROR
                        )
                    )


class BoundedStream(HttpStream):
    """mitmproxy's stream of a request, which holds no more of it than it may."""

    most_held: Callable[[http.HTTPFlow], int]

    @override
    def check_body_size(self, request: bool) -> layer.CommandGenerator[bool]:
        held = len(self.request_body_buf) if request else 0
        if held > _LITTLE and held > self.most_held(self.flow):
            # What mitmproxy does for its own option `stream_large_bodies`; what was held is gone.
            self.flow.request.stream = True
            self.request_body_buf.clear()
            yield from self.start_request_stream()
            return False
        return (yield from super().check_body_size(request))


class AnsweringHttpLayer(HttpLayer):
    """mitmproxy's HTTP layer, which asks the engine where a flow has a delivery."""

    find_delivery: Callable[[http.HTTPFlow], Delivery | None]
    most_held: Callable[[http.HTTPFlow], int]

    @override
    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        yield from super().make_stream(stream_id)
        stream = self.streams[stream_id]
        stream.__class__ = BoundedStream
        assert isinstance(stream, BoundedStream)
        stream.most_held = self.most_held

    @override
    def get_connection(
        self, event: GetHttpConnection, *, reuse: bool = True
    ) -> layer.CommandGenerator[None]:
        stream = self.command_sources[event]
        delivery = self.find_delivery(stream.flow) if isinstance(stream, HttpStream) else None
        if delivery is None:
            yield from super().get_connection(event, reuse=reuse)
            return
        self._forget_finished()
        server = Server(address=event.address)
        server.sni = event.address[0] if event.tls else None
        # As `Context.fork` does, but for the server it makes and throws away.
        context = copy(self.context)
        context.layers = self.context.layers.copy()
        self._register(server, AnswerConnection(context, server, delivery))
        del self.command_sources[event]
        yield from self.event_to_child(stream, GetHttpConnectionCompleted(event, (server, None)))

    def _register(self, server: Server, connection: AnswerConnection) -> None:
        """Make events of the connection find their way, also through layers around this one."""
        self.connections[server] = connection
        for outer, inner in self._outer_layers():
            outer.connections[server] = inner

    def _forget_finished(self) -> None:
        """Drop connections that are done; not earlier, since late events may still reach them."""
        for server, connection in list(self.connections.items()):
            if isinstance(connection, AnswerConnection) and connection.finished:
                del self.connections[server]
                for outer, _ in self._outer_layers():
                    outer.connections.pop(server, None)

    def _outer_layers(self) -> list[tuple[HttpLayer, layer.Layer]]:
        """Return the HTTP layers around this one (of CONNECT), each with the layer within it."""
        layers = self.context.layers[: self.context.layers.index(self) + 1]
        return [(outer, inner) for outer, inner in pairwise(layers) if isinstance(outer, HttpLayer)]


def install(
    found: layer.Layer | None,
    find_delivery: Callable[[http.HTTPFlow], Delivery | None],
    most_held: Callable[[http.HTTPFlow], int] = lambda _: NO_LIMIT,
) -> None:
    """Let an HTTP layer, anywhere in a stack that mitmproxy has chosen, ask the engine."""
    while found is not None:
        if type(found) is HttpLayer:
            found.__class__ = AnsweringHttpLayer
            assert isinstance(found, AnsweringHttpLayer)
            found.find_delivery, found.most_held = find_delivery, most_held
        found = getattr(found, "child_layer", None)


def response_of(head: Head, http_version: str) -> http.Response:
    """Make mitmproxy's response object for an agent that speaks `http_version`, without a body."""
    fields = [(name.encode(), value.encode()) for name, value in head.headers]
    # HTTP/2 frames bodies itself and forbids the header; HTTP/1.0 ends them by closing.
    framed = head.status == SWITCHING_PROTOCOLS or header(head.headers, "content-length")
    if http_version == "HTTP/1.1" and not framed:
        fields.append((b"transfer-encoding", b"chunked"))
    # A copy, because mitmproxy checks the type of each field of one that is made anew.
    response = copy(_BLANK)
    response.data = data = copy(_BLANK.data)
    data.status_code = head.status
    data.reason = status_codes.RESPONSES.get(head.status, "").encode()
    data.headers = http.Headers(fields)
    data.timestamp_start = time.time()
    return response


_BLANK = http.Response(b"HTTP/1.1", 200, b"", http.Headers(), None, None, 0.0, None)
