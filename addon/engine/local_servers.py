"""Finds the model servers that run on this machine, at the ports that they usually have."""

from __future__ import annotations

import asyncio

import msgspec

from addon.engine.clients import ClientPool
from addon.engine.model_lists import ListError, fetch_models
from addon.providers import Provider
from addon.wire.model_lists import ListedModel

PORTS: dict[int, str] = {
    8080: "llama.cpp",
    11434: "Ollama",
    1234: "LM Studio",
    8000: "vLLM",
}
"""Where each server listens unless told otherwise."""
PATIENCE = 1.0
"""Seconds that each has to answer: whatever else listens there must not hold calls up."""
SHELF_LIFE = 5.0
"""Seconds for which what was found is believed."""


class LocalServers:
    """Keeps the provider `local` in step with what runs here."""

    def __init__(self) -> None:
        self._until = 0.0
        self._found: Provider | None = None
        self._asking: asyncio.Lock = asyncio.Lock()

    async def find(self, local: Provider, clients: ClientPool) -> Provider:
        """Return `local` with the addresses and models of the servers that answer.

        Args:
            local: The provider as it is without looking, which is returned where nothing answers.
            clients: How to reach them.
        """
        clock = asyncio.get_running_loop().time
        async with self._asking:
            if clock() >= self._until:
                self._found = await _look(local, clients)
                self._until = clock() + SHELF_LIFE
        return self._found or local


async def _look(local: Provider, clients: ClientPool) -> Provider | None:
    candidates = [
        msgspec.structs.replace(local, base_urls={"openai-chat": f"http://127.0.0.1:{port}/v1"})
        for port in PORTS
    ]
    lists = await asyncio.gather(*(_ask(candidate, clients) for candidate in candidates))
    places: dict[str, str] = {}
    for candidate, models in zip(candidates, lists, strict=True):
        for model in models:
            places.setdefault(model, candidate.base_urls["openai-chat"])
    if not places:
        return None
    first = next(iter(places.values()))
    return msgspec.structs.replace(
        local, base_urls={"openai-chat": first}, models=tuple(places), places=places
    )


async def _models(candidate: Provider, clients: ClientPool) -> tuple[ListedModel, ...]:
    return await fetch_models(candidate, None, clients, patience=PATIENCE)


async def _ask(candidate: Provider, clients: ClientPool) -> tuple[str, ...]:
    try:
        return tuple(model.id for model in await _models(candidate, clients))
    except ListError:
        return ()
