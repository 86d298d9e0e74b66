"""The stream of events over HTTP."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, cast, override

import msgspec
from tornado.iostream import StreamClosedError

from addon.dashboard.failures import ApiError
from addon.dashboard.guarded import Guarded
from addon.dashboard.hub import MOST_LISTENERS, Listener
from addon.ledger import timestamp

PING = 15.0
"""Seconds after which a page is told that nothing has happened."""


class Stream(Guarded):
    """Tells a page what happens, for as long as it listens."""

    _listener: Listener | None = None

    async def get(self) -> None:
        """Send events as they come, the last state of each thing only where the page is slow."""
        hub = self.workspace.hub
        if hub.count >= MOST_LISTENERS:
            raise ApiError(503, "too many pages listen")
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Encoding", "identity")  # mitmweb would compress each event
        last = self.request.headers.get("Last-Event-ID", "") or self.get_query_argument("last", "")
        with hub.listening(last) as listener, suppress(StreamClosedError):
            self._listener = listener
            await self._send(b"retry: 2000\n\n" + _ping())
            while not listener.closed:
                events = await listener.take(PING)
                await self._send(b"".join(event.encode() for event in events) or _ping())

    @override
    def on_connection_close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def _send(self, data: bytes) -> None:
        """Send, and wait until it is on its way: meanwhile the listener replaces what is old."""
        cast("Any", self).write(data)
        await self.flush()


def _ping() -> bytes:
    now = msgspec.json.encode({"now": timestamp(time.time())})
    return b"event: ping\ndata: %b\n\n" % now
