"""Saying that the proxy is there, and ending with whoever started it."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any, cast

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver

from addon.commands.collector import calm_collector
from addon.commands.options import LISTENING, Address
from addon.dashboard import Dashboard


class Announcer:
    """A mitmproxy addon; it stands last, so that everything else runs when it speaks."""

    def __init__(self, dashboard: Dashboard, *, quiet: bool, end_with_stdin: bool) -> None:
        self._dashboard = dashboard
        self._quiet = quiet
        self._end_with_stdin = end_with_stdin

    def running(self) -> None:
        """Print where the proxy listens, and where to watch it."""
        calm_collector()
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
