"""Looks for model servers on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from addon.inspection.port_holders import ports_of_detour
from addon.rules import Rules

if TYPE_CHECKING:
    from addon.engine import ClientPool

NOBODY = (
    "No model server answers here. llama.cpp is looked for on port 8080, Ollama on 11434 or where"
    " OLLAMA_HOST says, LM Studio on 1234, vLLM on 8000; one elsewhere is named by"
    " `providers: {local: {base_url: ...}}`."
)


async def find_local(
    rules: Rules, clients: ClientPool, taken: Collection[int] | None = None
) -> None:
    """Put what runs here in the place of the provider `local`, unless the rules say where it is.

    Args:
        rules: Get the provider.
        clients: How to reach the servers.
        taken: Ports that are Detour's own; None: it is found out where a Detour listens.
    """
    from addon.engine import LocalServers
    from addon.engine.local_servers import PORTS

    if rules.finds_local:
        if taken is None:
            taken = await asyncio.to_thread(ports_of_detour, PORTS)
        servers = LocalServers()
        rules.providers["local"] = await servers.find(rules.local, clients, taken)
        servers.stop()


def look_for_local(rules: Rules, taken: Collection[int] | None = None) -> None:
    """Do the same where nothing else goes on."""
    from addon.engine import ClientPool

    async def look() -> None:
        clients = ClientPool()
        try:
            await find_local(rules, clients, taken)
        finally:
            await clients.aclose()

    if rules.finds_local:
        asyncio.run(look())
