"""`detour verify`: a minimal real request to each provider."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from addon.commands.check import load
from addon.commands.local import find_local
from addon.commands.options import find_rules, home_option, rules_option
from addon.formats.base import FormatName
from addon.neutral import DetourError
from addon.providers import Provider
from addon.rules import Rules, RulesError
from addon.rules.offers import usable_providers

if TYPE_CHECKING:
    from addon.engine import ClientPool, Verdict


@click.command()
@click.argument("names", metavar="[PROVIDER[:MODEL] ...]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@rules_option
@home_option
def verify(names: tuple[str, ...], as_json: bool, rules: Path | None, home: Path) -> None:
    """Ask providers for a word, in each of their formats, all at the same time.

    Asks those that have a key unless some are named. Each answer costs a few tokens. Ends with 1
    if anyone cannot be used.
    """
    try:
        loaded = load(find_rules(rules, home), home)
    except RulesError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    parts = (name.partition(":") for name in names)
    chosen = {provider: model for provider, _, model in parts}
    for name in chosen:
        if name not in loaded.providers:
            known = ", ".join(loaded.providers)
            message = f"there is no provider {name!r}; known are {known}"
            raise click.BadParameter(message, param_hint="PROVIDER")
    if not as_json:
        click.echo("Asking ...", err=True)
    verdicts = asyncio.run(_verify(loaded, chosen))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(verdicts), indent=2, ensure_ascii=False))
    elif verdicts:
        click.echo("\n".join(map(_line, verdicts)))
    else:
        click.echo("There is nobody to ask: no provider has a key. See `detour keys set --help`.")
    sys.exit(0 if verdicts and all(verdict.ok for verdict in verdicts) else 1)


async def _verify(rules: Rules, chosen: dict[str, str]) -> list[Verdict]:
    from addon.engine import ClientPool

    clients = ClientPool()
    try:
        if rules.uses_local or "local" in chosen:
            await find_local(rules, clients)
        if chosen:
            asked = [rules.providers[name] for name in chosen]
        else:
            usable = [provider for provider, _ in usable_providers(rules)]
            asked = [p for p in usable if p.id != "local" or rules.uses_local]
        found = await asyncio.gather(
            *(
                _one(provider, format, chosen.get(provider.id, ""), rules, clients)
                for provider in asked
                for format in provider.base_urls or ("openai-chat",)
            )
        )
        return list(found)
    finally:
        await clients.aclose()


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


def _line(verdict: Verdict) -> str:
    state = "works " if verdict.ok else "FAILED"
    took = "" if verdict.seconds is None else f"{verdict.seconds:6.2f} s"
    status = verdict.status or ""
    place = f"{verdict.provider:12} {verdict.format:17} {verdict.model:28}"
    return f"{state} {place} {status!s:>4} {took:>9}  {verdict.message}".rstrip()
