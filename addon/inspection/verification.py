"""Whether providers answer: a minimal real request to each, in each of its formats."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from addon.formats.base import FormatName
from addon.inspection.local import find_local
from addon.neutral import DetourError
from addon.providers import Provider
from addon.rules import Rules
from addon.rules.offers import usable_providers

if TYPE_CHECKING:
    from addon.engine import ClientPool, Verdict


async def verify_providers(
    rules: Rules,
    chosen: Mapping[str, str],
    clients: ClientPool,
    formats: Collection[FormatName] = (),
    taken: Collection[int] | None = None,
) -> list[Verdict]:
    """Ask providers for a word, all at the same time; never raises.

    Args:
        rules: Know the providers and their keys.
        chosen: Whom to ask, by id, and for which model (empty: the default one); those that have
            a key where nobody is named.
        clients: How to reach them.
        formats: In which formats; all of theirs where none is named.
        taken: Ports that are Detour's own, where no local server is looked for; None: see
            `find_local`.
    """
    if rules.uses_local or "local" in chosen:
        await find_local(rules, clients, taken)
    if chosen:
        asked = [rules.providers[name] for name in chosen]
    else:
        usable = [provider for provider, _ in usable_providers(rules)]
        asked = [p for p in usable if p.id != "local" or rules.uses_local]
    found = await asyncio.gather(
        *(
            _one(provider, format, chosen.get(provider.id, ""), rules, clients)
            for provider in asked
            for format in formats or provider.base_urls or ("openai-chat",)
        )
    )
    return list(found)


async def _one(
    provider: Provider, format: FormatName, model: str, rules: Rules, clients: ClientPool
) -> Verdict:
    from addon.engine import Verdict
    from addon.engine import verify as ask

    model = model or provider.default_model or ""
    try:
        key = rules.keys.find(provider)
        if not provider.base_urls:
            raise DetourError(f"it has no address: give base_url ({provider.base_url_example})")
        if not model:
            name = f"providers.{provider.id}.models in rules.yaml or `{provider.id}:MODEL`"
            raise DetourError(f"which model? Give {name}")
        return await ask(provider.at(model), format, model, key, clients)
    except DetourError as error:
        return Verdict(
            provider=provider.id, format=format, model=model, ok=False, message=str(error)
        )
