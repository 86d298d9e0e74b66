"""The proxy of `detour demo`: the real one, in this process, with a witness in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mitmproxy import ctx, http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.options import Options
from mitmproxy.tools.dump import DumpMaster

from addon.commands.mitmproxy_program import add_addons
from addon.commands.options import Address
from addon.interceptor import Interceptor
from addon.views.metadata import ORIGINAL, SUMMARY


@dataclass(frozen=True)
class Seen:
    """One call, as the proxy saw it."""

    asked: str
    """What the agent sent, such as `POST https://api.openai.com/v1/chat/completions`."""
    rule: str
    sent: str
    """What became of it."""
    model: str
    status: int


class Witness:
    """A mitmproxy addon that tells of every call what mitmweb would show of it."""

    def __init__(self, tell: Callable[[Seen], None]) -> None:
        self._tell = tell
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def running(self) -> None:
        """Learn where the proxy listens."""
        proxyserver = cast("Proxyserver", cast("Any", ctx.master.addons).get("proxyserver"))
        self.address.set_result(str(Address(*proxyserver.listen_addrs()[0][:2])))

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Tell of a call whose answer begins."""
        assert flow.response
        metadata = flow.metadata
        original = metadata.get(ORIGINAL)
        if original is None:
            return
        self._tell(
            Seen(
                asked=f"{original['method']} {original['url']}",
                rule=metadata[SUMMARY]["rule"],
                sent=f"{flow.request.method} {flow.request.pretty_url}",
                model=metadata[SUMMARY]["model"],
                status=flow.response.status_code,
            )
        )


@contextlib.asynccontextmanager
async def running_proxy(
    rules: Path,
    folder: Path,
    tell: Callable[[Seen], None] = lambda _: None,
    *,
    home: Path | None = None,
    keep_alive: float | None = None,
) -> AsyncGenerator[str]:
    """Run the proxy for the length of a block.

    Args:
        rules: The rules file.
        folder: mitmproxy's certificates.
        tell: Called for every call, when its answer begins.
        home: Detour's home; `folder` where it is not given.
        keep_alive: Seconds of silence after which an agent gets a sign of life; the usual ones
            where it is not given.

    Yields:
        The proxy's HOST:PORT.
    """
    options = Options(confdir=str(folder), listen_host="127.0.0.1", listen_port=0)
    master = DumpMaster(options, with_termlog=False, with_dumper=False)
    add_addons(master, Interceptor())
    cast("Any", options).update(detour_rules=str(rules), detour_home=str(home or folder))
    if keep_alive is not None:
        cast("Any", options).update(detour_keep_alive=str(keep_alive))
    witness = Witness(tell)
    cast("Any", master.addons).add(witness)
    # The screen is the demo's; a log that nobody takes would land on it.
    logging.getLogger().addHandler(logging.NullHandler())
    running = asyncio.create_task(master.run())
    try:
        await asyncio.wait({running, witness.address}, return_when=asyncio.FIRST_COMPLETED)
        yield await witness.address
    finally:
        # mitmproxy leaves that to the end of the process.
        await cast("Any", master.addons).get("proxyserver").servers.update([])
        master.shutdown()
        await running
