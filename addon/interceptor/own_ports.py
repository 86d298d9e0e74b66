"""At which ports this mitmproxy listens itself: nothing that is there is a provider."""

from __future__ import annotations

from typing import cast

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver


def own_ports() -> frozenset[int]:
    """Return the ports for agents, and those of mitmweb's pages."""
    addons = cast("dict[str, object]", ctx.master.addons.lookup)
    server = addons.get("proxyserver")
    addresses = server.listen_addrs() if isinstance(server, Proxyserver) else ()
    pages = getattr(ctx.options, "web_port", None)  # an option of mitmweb alone
    return frozenset(filter(None, (*(address[1] for address in addresses), pages)))
