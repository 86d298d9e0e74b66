"""Finds the model servers that run on this machine, at the ports that they usually have.

They come and go, so they are asked again and again, but only while calls or lists may go to them.
No call waits long for that: nobody is waited for twice who has not answered in time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from typing import Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from addon.engine.clients import ClientPool
from addon.engine.local_details import Details, program
from addon.engine.model_lists import ListError, fetch_models
from addon.engine.ollama_host import ollama_url
from addon.formats.base import FormatName
from addon.providers import ABILITIES, LOCAL_DIALECTS, ModelFacts, ModelServer, Provider
from addon.wire.model_lists import ListedModel

OLLAMA = "Ollama"
PORTS: dict[int, str] = {
    8080: "llama.cpp",
    11434: OLLAMA,
    1234: "LM Studio",
    8000: "vLLM",
}
"""Where each server listens unless told otherwise; Ollama may be told so by its own variable."""
PATIENCE = 1.0
"""Seconds that a call waits for servers to say what they have."""
PERSEVERANCE = 8.0
"""Seconds that they have for it in all."""
PRESENT = 5.0
"""Seconds for which a list is believed."""
ABSENT = 1.0
"""Seconds after which a port where nobody listened, or nobody was ready, is tried again."""
OTHER = 60.0
"""The same for what has not answered, or listens there and is no model server."""

_LOADING = 503
"""What llama.cpp answers while it loads its model."""
_LATEST = ":latest"
"""What Ollama adds to the name of a model that is asked for without a tag."""


class _Port:
    """What is known of one port."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.url = _url(number)
        self.until = 0.0
        """When to ask again."""
        self.silent = False
        """Whether it has not answered in time."""
        self.asking: asyncio.Task[None] | None = None
        self.title = ""
        self.models: tuple[ListedModel, ...] = ()
        self.details = Details(self.url)


def _url(number: int) -> str:
    """Return the address that belongs to a usual port."""
    elsewhere = ollama_url(os.environ) if PORTS.get(number) == OLLAMA else None
    return elsewhere or f"http://127.0.0.1:{number}"


class LocalServers:
    """Keeps the provider `local` in step with what runs here."""

    def __init__(self) -> None:
        self._ports: dict[int, _Port] = {}
        self._used: dict[str, float] = {}
        """When each model was last seen in memory."""
        self._made: tuple[Provider, Provider] | None = None
        """What was found last, for which provider; None: something has changed since."""

    def known(self, local: Provider) -> Provider | None:
        """Return what was found last, where it is too early to look again; else None."""
        if self._made is None or self._made[0] is not local:
            return None
        now = asyncio.get_running_loop().time()
        fresh = all(now < port.until for port in self._ports.values())
        return self._made[1] if fresh else None

    async def find(
        self, local: Provider, clients: ClientPool, taken: Collection[int] = ()
    ) -> Provider:
        """Return `local` with the addresses and models of the servers that answer.

        Args:
            local: The provider as it is without looking.
            clients: How to reach them.
            taken: Ports at which Detour itself listens, which are left alone.
        """
        now = asyncio.get_running_loop().time()
        awaited: list[asyncio.Task[None]] = []
        for number in PORTS:
            if urlsplit(_url(number)).port in taken:
                continue
            port = self._ports.get(number)
            if port is None:
                port = self._ports[number] = _Port(number)
            if port.asking is None and now >= port.until:
                port.asking = asyncio.create_task(self._ask(port, local, clients))
            if port.asking is not None and not port.silent:
                awaited.append(port.asking)
        if awaited:
            done, late = await asyncio.wait(awaited, timeout=PATIENCE)
            for task in done:
                if not task.cancelled():
                    task.result()  # raises for what is a mistake here
            for port in self._ports.values():
                port.silent = port.silent or port.asking in late
        if self._made is None or self._made[0] is not local:
            self._made = local, self._put_together(local, taken)
        return self._made[1]

    async def _ask(self, port: _Port, local: Provider, clients: ClientPool) -> None:
        clock = asyncio.get_running_loop().time
        there = replace(local, base_urls={"openai-chat": f"{port.url}/v1"})
        before = port.title, port.models
        life = OTHER
        try:
            listed = await fetch_models(there, None, clients, patience=PERSEVERANCE)
            port.title = program(listed, PORTS.get(port.number, local.title))
            if not port.models:
                port.models, self._made = listed, None  # calls need not wait for the details
            port.models = await port.details.add(port.title, listed, clients)
            life, port.silent = PRESENT, False
        except ListError as error:
            port.silent = error.failure == "silent"
            if not port.silent:  # else it may be busy
                port.models, port.details = (), Details(port.url)
            if error.failure == "absent" or error.status == _LOADING:
                life = ABSENT
        finally:
            port.asking = None
        now = clock()
        port.until = now + life
        self._used |= {model.id: now for model in port.models if model.loaded}
        if (port.title, port.models) != before:
            self._made = None

    def _put_together(self, local: Provider, taken: Collection[int]) -> Provider:
        servers: dict[str, ModelServer] = {}
        models: dict[str, ListedModel] = {}
        for port in self._ports.values():
            dialect = local.dialect
            if dialect == local.id:  # rules.yaml says no other
                dialect = LOCAL_DIALECTS.get(port.title, dialect)
            server = ModelServer(port.title, f"{port.url}/v1", dialect)
            for model in port.models:
                if models.setdefault(model.id, model) is model:
                    servers[model.id] = server
        if not models:
            free = next((number for number in PORTS if number not in taken), None)
            elsewhere: dict[FormatName, str] = {"openai-chat": f"http://127.0.0.1:{free}/v1"}
            return local if local.base_urls == elsewhere else replace(local, base_urls=elsewhere)
        names = sorted(models, key=lambda name: self._rank(models[name]))
        facts = {name: _facts(model) for name, model in models.items()}
        for name in names:
            bare = name.removesuffix(_LATEST)
            servers.setdefault(bare, servers[name])
            facts.setdefault(bare, facts[name])
        own = {name: given.over(facts.get(name)) for name, given in local.own_facts.items()}
        first = servers[names[0]]
        return replace(
            local,
            base_urls={"openai-chat": first.base_url},
            dialect=first.dialect,
            models=tuple(dict.fromkeys((*local.models, *names))),
            servers=servers,
            own_facts=facts | own,
        )

    def _rank(self, model: ListedModel) -> tuple[bool, bool, float]:
        """Put those that chat first, then those in memory, then those that were there last."""
        return _kind(model) != "chat", model.loaded is False, -self._used.get(model.id, 0.0)

    def stop(self) -> None:
        """Leave alone whoever has not answered yet."""
        for port in self._ports.values():
            if port.asking is not None:
                port.asking.cancel()


def _kind(model: ListedModel) -> Literal["chat", "embedding"]:
    """Say what a model is for: llama.cpp and vLLM do not tell, but most names do."""
    return model.kind or ("embedding" if "embed" in model.id.lower() else "chat")


def _facts(model: ListedModel) -> ModelFacts:
    said = model.features
    return ModelFacts(
        title=model.title,
        context=model.context,
        max_output=model.max_output,
        features=None if said is None else frozenset(one for one in ABILITIES if one in said),
        kind=_kind(model),
    )
