"""Keeps a streamed body for inspection while it passes, and lets people see it grow.

mitmproxy does not store streamed bodies, and mitmweb shows what `raw_content` holds at the time.
To copy the body there, and to tell mitmweb, costs more than to pass a piece on, so it is done a few
times a second: at once for the first piece, and the less often the more answers run and the longer
this one is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from mitmproxy import http

from addon.engine import Tape
from addon.interceptor.taping import keep_streams
from addon.views.timeline import Moments, mask

logger = logging.getLogger(__name__)

REFRESH = 0.25
"""Seconds between two updates of what people see."""
PER_RECORDING = 0.04
"""Seconds that each answer under way adds to that: all together make 25 updates a second."""
PER_BYTE = 1 / (8 << 20)
"""Seconds that each byte of the answer adds to that."""


class Recorder:
    """A function for `response.stream` that changes nothing and remembers everything.

    It never raises and returns no empty piece before the end: mitmproxy would end or break the
    agent's stream.
    """

    _recording = 0
    """How many answers are under way."""

    def __init__(
        self,
        flow: http.HTTPFlow,
        limit: int,
        refresh: Callable[[http.HTTPFlow], None] | None,
        tape: Tape | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        """Record the body of a flow's response.

        Args:
            flow: Whose response is to be shown.
            limit: Most bytes to remember; what follows passes unseen.
            refresh: Tells the user interface that the flow has changed; None where nobody looks.
            tape: What the provider sends.
            secrets: Keys, which nobody may see.
        """
        self._flow = flow
        self._limit = limit
        self._refresh = refresh
        self._tape = tape
        self._secrets = secrets
        self._body = bytearray()
        self._moments = Moments()
        # Used for each piece, so not by way of a method.
        self._times, self._sizes = self._moments.times, self._moments.sizes
        self._shown = 0.0
        self._timer: asyncio.Handle | None = None
        self._ended = False
        Recorder._recording += 1

    def __call__(self, data: bytes) -> bytes:
        """Take the next bytes of the body (none: it has ended) and return them."""
        if len(self._body) < self._limit:
            self._body += data
            self._times.append(monotonic())
            self._sizes.append(len(data))
            if len(self._sizes) >= Moments.MOST:
                self._moments.thin()
        if self._timer is None and self._refresh is not None and not self._ended:
            self._timer = self._plan()
        return data

    @property
    def size(self) -> int:
        """How many bytes are remembered so far."""
        return len(self._body)

    def show(self) -> None:
        """Let the flow show everything that has passed so far."""
        if self._flow.response is not None:
            self._flow.response.raw_content = mask(bytes(self._body), self._secrets)
        keep_streams(self._flow, self._tape, self._moments, self._secrets)

    def end(self) -> None:
        """Show all of it: nothing more passes."""
        if not self._ended:
            self._ended = True
            Recorder._recording -= 1
            if self._timer is not None:
                self._timer.cancel()
        self.show()

    def _plan(self) -> asyncio.Handle:
        pause = REFRESH + PER_RECORDING * Recorder._recording + PER_BYTE * len(self._body)
        wait = self._shown + pause - monotonic()
        loop = asyncio.get_running_loop()
        return loop.call_later(wait, self._update) if wait > 0 else loop.call_soon(self._update)

    def _update(self) -> None:
        self._timer = None
        self._shown = monotonic()
        try:
            self.show()
            if self._refresh is not None:
                self._refresh(self._flow)
        except Exception:
            logger.exception("a flow could not be shown")
