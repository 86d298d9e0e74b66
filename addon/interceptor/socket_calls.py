"""Makes each `response.create` of a WebSocket a call of its own, as if it had come by HTTP.

The call is a flow that passes the same hooks as any other, so that it meets the rules as they are
at that moment, is answered by the same engine, and shows in mitmweb like any other: intercepted,
edited, stopped, with its losses. The flow of the socket itself shows the messages.
"""

# mitmproxy's own addons import the hooks from this package, which does not list them.
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any, cast

import msgspec
from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.flow import Error
from mitmproxy.proxy.layers.http import (
    HttpErrorHook,
    HttpRequestHeadersHook,
    HttpRequestHook,
    HttpResponseHeadersHook,
    HttpResponseHook,
)
from mitmproxy.proxy.server import ConnectionHandler

from addon.engine import Call, Head
from addon.formats.base import Headers, RequestLine
from addon.formats.openai_responses import FORMAT
from addon.interceptor import access
from addon.interceptor.adapter import Items, response_of
from addon.neutral import ClientRequestError
from addon.providers import BUILT_IN, Destination, Timeouts
from addon.translation import RenderedRequest
from addon.views.metadata import SOCKET

SERVED_BY_DETOUR = "WebSocket, served by Detour; each of its responses is a flow of its own"
_OF_THE_UPGRADE = frozenset(
    ("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "upgrade")
)
_NOT_RELAYED = frozenset(("accept-encoding", "connection", "content-length", "host", "te"))
_PATIENT = Timeouts(first_byte=3600, idle=3600, total=3600)
_SOCKET_BETA = "responses_websockets="


class SocketCalls:
    """Makes the calls of one socket."""

    def __init__(
        self,
        upgrade: http.HTTPFlow,
        handler: ConnectionHandler,
        open_items: Callable[[http.HTTPFlow], Items | None],
    ) -> None:
        """Prepare to make calls.

        Args:
            upgrade: The flow of the socket, its key still in it.
            handler: Serves the agent's connection.
            open_items: Begins the answer of a flow that has passed the `request` hooks; None where
                nothing is to be sent anywhere.
        """
        self._upgrade = upgrade
        self._handler = handler
        self._open_items = open_items
        self._headers = _headers_of_calls(access.all_headers(upgrade.request))

    async def answer(self, body: bytes) -> Items:
        """Answer a body of `POST /v1/responses`: a head, then bytes."""
        flow = self._make_flow(body)
        whole = False
        try:
            await self._handler.handle_hook(HttpRequestHeadersHook(flow))
            await self._handler.handle_hook(HttpRequestHook(flow))
            if flow.response is not None:
                await self._handler.handle_hook(HttpResponseHeadersHook(flow))
                yield Head(flow.response.status_code, access.all_headers(flow.response))
                yield flow.response.content or b""
            elif not flow.error and (items := self._open_items(flow)) is not None:
                async with aclosing(items):
                    async for item in items:
                        if flow.error:  # stopped by hand
                            return
                        if isinstance(item, Head):
                            flow.response = response_of(item, "")
                            await self._handler.handle_hook(HttpResponseHeadersHook(flow))
                            yield item
                        else:
                            yield _pass(flow, item)
            whole = flow.response is not None
        finally:
            await self._end(flow, whole=whole)

    async def _end(self, flow: http.HTTPFlow, *, whole: bool) -> None:
        flow.resume()  # nobody waits for a decision about it any more
        if flow.response is not None:
            flow.response.timestamp_end = time.time()
        if whole and not flow.error:
            await self._handler.handle_hook(HttpResponseHook(flow))
        else:
            flow.error = flow.error or Error("The agent has left.")
            await self._handler.handle_hook(HttpErrorHook(flow))
        flow.live = False

    def _make_flow(self, body: bytes) -> http.HTTPFlow:
        upgrade = self._upgrade.request
        server = Server(address=(upgrade.host, upgrade.port))
        server.sni = upgrade.host
        flow = http.HTTPFlow(self._upgrade.client_conn, server, live=True)
        flow.metadata[SOCKET] = self._upgrade.id
        fields = (*self._headers, ("content-length", str(len(body))))
        now = time.time()
        flow.request = http.Request(
            host=upgrade.host,
            port=upgrade.port,
            method=b"POST",
            scheme=upgrade.scheme.encode(),
            authority=b"",
            path=upgrade.data.path,
            http_version=b"HTTP/1.1",
            headers=http.Headers([(_raw(name), _raw(value)) for name, value in fields]),
            content=body,
            trailers=None,
            timestamp_start=now,
            timestamp_end=now,
        )
        return flow


def relayed_call(flow: http.HTTPFlow, provider_id: str) -> Call:
    """Return the call that sends a message on to where the agent wanted it, with its own key.

    Only thoughts that Detour has minted for another provider are left out.
    """
    request = flow.request
    body = request.content or b""
    model = FORMAT.reply(body, RequestLine()).model or ""
    try:
        rewritten = FORMAT.rewrite_request(body, RequestLine(), model, "openai").body
    except ClientRequestError:
        rewritten = body  # it is for the other side to say what is wrong
    headers = tuple(
        (name, value)
        for name, value in access.all_headers(request)
        if name.lower() not in _NOT_RELAYED
    )
    path, _, query = request.path.partition("?")
    url = request.pretty_url
    # Nothing of the provider counts but its name: the agent has chosen where it calls, and how.
    provider = msgspec.structs.replace(
        BUILT_IN["openai"],
        title=BUILT_IN[provider_id].title if provider_id in BUILT_IN else request.pretty_host,
        timeouts=_PATIENT,
    )
    return Call(
        agent_format="openai-responses",
        line=RequestLine(path, query),
        body=body,
        rendered=RenderedRequest(url=url, headers=[*headers], body=rewritten),
        destination=Destination(provider, "openai-responses", url, model),
        agent_headers=headers,
        stream=True,
        keep_alive=0,
    )


def _headers_of_calls(upgrade: Headers) -> Headers:
    """Return the headers that the upgrade would have had as a call."""
    kept = [
        (name, value)
        for name, value in upgrade
        if name.lower() not in _OF_THE_UPGRADE
        and not name.lower().startswith("sec-websocket-")
        and not value.startswith(_SOCKET_BETA)
    ]
    host = [(name, value) for name, value in upgrade if name.lower() == "host"]
    more = [("accept", "text/event-stream"), ("content-type", "application/json")]
    return (*host, *kept, *more)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _pass(flow: http.HTTPFlow, data: bytes) -> bytes:
    """Let the flow show a piece of its answer, and return what is to be sent."""
    response = flow.response
    assert response is not None
    stream = cast("Any", response).stream
    if callable(stream):
        passed = cast("bytes | Iterable[bytes]", stream(data))
        return passed if isinstance(passed, bytes) else b"".join(passed)
    response.raw_content = (response.raw_content or b"") + data
    return data
