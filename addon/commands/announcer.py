"""Saying that the proxy is there, and ending with whoever started it."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import Any, cast

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver

from addon.commands.options import LISTENING, Address
from addon.dashboard import Dashboard

YOUNG_OBJECTS = 20_000
"""New objects after which the collector looks for circles among them: one call makes thousands."""


OLDER = (4, 4)
"""Looks at the young after which the collector looks at those that have outlived it once; twice.

Connections that have ended are such circles, and would take up tens of megabytes until then."""


class Announcer:
    """A mitmproxy addon; it stands last, so that everything else runs when it speaks."""

    def __init__(self, dashboard: Dashboard, *, quiet: bool, end_with_stdin: bool) -> None:
        self._dashboard = dashboard
        self._quiet = quiet
        self._end_with_stdin = end_with_stdin

    def running(self) -> None:
        """Print where the proxy listens, and where to watch it."""
        # All that the start has made stays: the collector need not look through it again and again,
        # which would stop every stream for as long as 50 ms.
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, *OLDER)
        if self._end_with_stdin:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read_stdin)
        proxyserver = cast("Proxyserver", cast("Any", ctx.master.addons).get("proxyserver"))
        addresses = [Address(*address[:2]) for address in proxyserver.listen_addrs()]
        if self._quiet or not addresses:
            return
        address = addresses[0]
        print(f"{LISTENING}{address}")  # noqa: T201 - the line that scripts wait for
        if url := getattr(ctx.master, "web_url", None):
            print(f"Watch it at {url}")  # noqa: T201 - likewise
        if self._dashboard.url is not None:
            print(f"The dashboard is at {self._dashboard.url}")  # noqa: T201 - likewise
        sys.stdout.flush()

    def _read_stdin(self) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            ctx.master.shutdown()
