"""Asks a server of local models what it says of them beyond their names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from addon.engine.clients import ClientPool
from addon.engine.failures import EXPECTED
from addon.engine.model_lists import fetch
from addon.wire.codec import encode
from addon.wire.local_models import read_digests, read_running, with_details, with_properties
from addon.wire.model_lists import ListedModel, read_models

PATIENCE = 3.0
"""Seconds that each question may take."""
AT_A_TIME = 8

_OWNERS = {
    "llamacpp": "llama.cpp",
    "library": "Ollama",
    "organization_owner": "LM Studio",
    "vllm": "vLLM",
}
"""Whom each program names as the owner of its models."""


def program(models: Iterable[ListedModel], usual: str) -> str:
    """Name the program that has given a list, by its owners, else by what is usual at its port."""
    named = (_OWNERS[model.owner] for model in models if model.owner in _OWNERS)
    return next(named, usual)


class Details:
    """What one server has said of its models, for as long as it has the same ones."""

    def __init__(self, url: str) -> None:
        """Begin with nothing.

        Args:
            url: The server's address, without a path.
        """
        self._url = url
        self._said: dict[str, bytes] = {}
        """Answers, by what they depend on."""

    async def add(
        self, server: str, models: Sequence[ListedModel], clients: ClientPool
    ) -> tuple[ListedModel, ...]:
        """Return the models of a server's list with all that it says of them.

        Args:
            server: The program that it is.
            models: Its list.
            clients: How to reach it.
        """
        match server:
            case "Ollama":
                return await self._of_ollama(models, clients)
            case "LM Studio":
                return await self._of_lm_studio(models, clients)
            case "llama.cpp" if len(models) == 1:
                (model,) = models
                properties = await self._ask(clients, "/props", key=f"{model.id} {model.context}")
                return (with_properties(model, properties) if properties else model,)
            case _:
                return tuple(models)

    async def _of_ollama(
        self, models: Sequence[ListedModel], clients: ClientPool
    ) -> tuple[ListedModel, ...]:
        tags, running = await asyncio.gather(
            self._ask(clients, "/api/tags"), self._ask(clients, "/api/ps")
        )
        digests, loaded = read_digests(tags), read_running(running)
        keys = {model.id: f"{model.id} {digests.get(model.id)}" for model in models}
        self._said = {key: self._said[key] for key in keys.values() if key in self._said}
        turns = asyncio.Semaphore(AT_A_TIME)

        async def describe(model: ListedModel) -> ListedModel:
            async with turns:
                about = encode({"model": model.id})
                said = await self._ask(clients, "/api/show", about, key=keys[model.id])
            described = with_details(model, said) if said else model
            context = loaded.get(model.id) or described.context
            return replace(described, context=context, loaded=model.id in loaded)

        return tuple(await asyncio.gather(*map(describe, models)))

    async def _of_lm_studio(
        self, models: Sequence[ListedModel], clients: ClientPool
    ) -> tuple[ListedModel, ...]:
        try:
            listed = read_models(await self._ask(clients, "/api/v0/models"))
        except ValueError:
            return tuple(models)
        own = {model.id: model for model in listed}
        return tuple(own.get(model.id, model) for model in models)

    async def _ask(self, clients: ClientPool, path: str, body: bytes = b"", key: str = "") -> bytes:
        """Return an answer, `b""` where there is none; with a key it is asked for once."""
        if key and key in self._said:
            return self._said[key]
        headers = (("content-type", "application/json"),) if body else ()
        try:
            status, answer = await fetch(
                self._url + path, clients, headers, body=body, patience=PATIENCE
            )
        except EXPECTED:
            return b""
        if status != 200:
            return b""
        if key:
            self._said[key] = answer
        return answer
