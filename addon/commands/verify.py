"""`detour verify`: a minimal real request to each provider."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from addon.commands.options import find_rules, home_option, rules_option
from addon.inspection.loading import load
from addon.inspection.verification import verify_providers
from addon.rules import Rules, RulesError
from addon.rules.problems import suggestion

if TYPE_CHECKING:
    from addon.engine import Verdict


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
            message = f"there is no provider {name}{suggestion(name, loaded.providers)}"
            raise click.BadParameter(message, param_hint="PROVIDER")
    if not as_json:
        click.echo("Asking ...", err=True)
    verdicts = asyncio.run(verify_all(loaded, chosen))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(verdicts), indent=2, ensure_ascii=False))
    elif verdicts:
        click.echo("\n".join(map(_line, verdicts)))
    else:
        click.echo(
            "There is nobody to ask: no provider that is enabled has a key. See"
            " `detour keys set --help`."
        )
    sys.exit(0 if verdicts and all(verdict.ok for verdict in verdicts) else 1)


async def verify_all(rules: Rules, chosen: Mapping[str, str]) -> list[Verdict]:
    """Ask providers for a word, in each of their formats.

    Args:
        rules: The rules, which know the providers and their keys.
        chosen: Whom to ask, and for which model (empty: the usual one); all usable ones if empty.
    """
    from addon.engine import ClientPool

    clients = ClientPool()
    try:
        return await verify_providers(rules, chosen, clients)
    finally:
        await clients.aclose()


def _line(verdict: Verdict) -> str:
    state = "works " if verdict.ok else "FAILED"
    took = "" if verdict.seconds is None else f"{verdict.seconds:6.2f} s"
    status = verdict.status or ""
    place = f"{verdict.provider:12} {verdict.format:17} {verdict.model:28}"
    return f"{state} {place} {status!s:>4} {took:>9}  {verdict.message}".rstrip()
