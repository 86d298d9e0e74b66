"""Keeps a streamed body for inspection while it passes.

mitmproxy does not store streamed bodies, and mitmweb shows what `raw_content` holds at the time.
Copying the body there at every chunk would cost more and more, so it is done once in a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mitmproxy import http

REFRESH = 1.0
"""Seconds between two updates of what people see."""


class Recorder:
    """A function for `response.stream` that changes nothing and remembers everything.

    It never raises and returns no empty piece before the end: mitmproxy would end or break the
    agent's stream.
    """

    def __init__(
        self, flow: http.HTTPFlow, limit: int, refresh: Callable[[http.HTTPFlow], None]
    ) -> None:
        """Record the body of a flow's response.

        Args:
            flow: Whose response is to be shown.
            limit: Most bytes to remember; what follows passes unseen.
            refresh: Tells the user interface that the flow has changed.
        """
        self._flow = flow
        self._limit = limit
        self._refresh = refresh
        self._body = bytearray()
        self._shown = time.monotonic()

    def __call__(self, data: bytes) -> bytes:
        """Take the next bytes of the body (none: it has ended) and return them."""
        if len(self._body) < self._limit:
            self._body += data
        now = time.monotonic()
        if now - self._shown >= REFRESH:
            self._shown = now
            self.show()
            self._refresh(self._flow)
        return data

    def show(self) -> None:
        """Let the flow show everything that has passed so far."""
        if self._flow.response is not None:
            self._flow.response.raw_content = bytes(self._body)
