"""`detour models`: what can be asked for, by provider."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from addon.commands.options import find_rules, home_option, rules_option
from addon.inspection.loading import load
from addon.inspection.local import NOBODY, find_local
from addon.providers import ModelFacts, Provider, table_date
from addon.rules import Rules, RulesError
from addon.rules.offers import models_of, usable_providers
from addon.rules.problems import suggestion
from addon.wire.model_lists import ListedModel


@click.command()
@click.option("--provider", "only", metavar="P", help="Only this provider's models.")
@click.option("--all", "show_all", is_flag=True, help="Also of providers that cannot be used now.")
@click.option("--offline", is_flag=True, help="Ask nobody; list what is known.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@rules_option
@home_option
def models(
    *,
    only: str | None,
    show_all: bool,
    offline: bool,
    as_json: bool,
    rules: Path | None,
    home: Path,
) -> None:
    """List the models that agents can ask for, by provider.

    Asks the providers that have a key, and the servers on this machine. Sizes are in tokens, prices
    in US dollars for a million tokens; `?` is what is not known.
    """
    try:
        loaded = load(find_rules(rules, home), home)
    except RulesError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if only is not None and only not in loaded.providers:
        message = f"there is no provider {only}{suggestion(only, loaded.providers)}"
        raise click.BadParameter(message, param_hint="--provider")
    lists = {} if offline else _ask(loaded, only)
    usable = {provider.id for provider, _ in usable_providers(loaded)}
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, provider in loaded.providers.items():
        if only not in (None, name) or not (show_all or only or name in usable):
            continue
        rows = [_row(provider, model) for model in models_of(provider, lists.get(name, ()))]
        if rows:
            groups[name] = rows
    click.echo(json.dumps(groups, indent=2, ensure_ascii=False) if as_json else _table(groups))


def _ask(rules: Rules, only: str | None) -> dict[str, tuple[ListedModel, ...]]:
    from addon.engine import ClientPool, ListError, ModelLists, Question

    asked = [pair for pair in usable_providers(rules) if only in (None, pair[0].id)]
    names = ", ".join(provider.id for provider, _ in asked)
    if asked:
        click.echo(f"Asking {names} ...", err=True)
    questions = [
        Question(provider, key)
        for provider, key in asked
        if provider.id != "local" or not rules.finds_local
    ]

    async def ask() -> list[tuple[ListedModel, ...] | ListError]:
        clients = ClientPool()
        try:
            found, _ = await asyncio.gather(
                ModelLists().of_all(questions, clients), find_local(rules, clients)
            )
            return found
        finally:
            await clients.aclose()

    lists: dict[str, tuple[ListedModel, ...]] = {}
    for question, listed in zip(questions, asyncio.run(ask()), strict=True):
        name = question.provider.id
        if isinstance(listed, ListError):
            click.echo(f"{listed}; what is known of {name} is listed.", err=True)
        else:
            lists[name] = listed
    if only == "local" and rules.finds_local and not rules.providers["local"].servers:
        click.echo(NOBODY, err=True)
    return lists


def _row(provider: Provider, model: ListedModel) -> dict[str, Any]:
    facts = provider.facts(model.id) or ModelFacts()
    price = facts.prices[0] if facts.prices else None
    server = provider.servers.get(model.id)
    return {
        "id": model.id,
        "title": model.title,
        "default": model.id == provider.default_model,
        "context": model.context,
        "max_output": model.max_output,
        "input_price": price and price.input,
        "output_price": price and price.output,
        "ends": facts.ends,
        "server": server and server.title,
        "base_url": server and server.base_url,
    }


def _table(groups: dict[str, list[dict[str, Any]]]) -> str:
    if not groups:
        return (
            "No provider can be used: none that is enabled has a key. `detour keys set PROVIDER`"
            " keeps one."
        )
    lines: list[str] = []
    for name, rows in groups.items():
        width = max(len(row["id"]) for row in rows)
        lines += ["", name] if lines else [name]
        for row in rows:
            ends = f"  until {row['ends']}" if row["ends"] else ""
            default = "  (default)" if row["default"] else ""
            server = f"  {row['server']}, {row['base_url']}" if row["server"] else ""
            lines.append(
                f"  {row['id']:{width}}  {_count(row['context']):>6} in"
                f"  {_count(row['max_output']):>6} out"
                f"  {_price(row['input_price']):>7} in  {_price(row['output_price']):>7} out"
                f"{server}{default}{ends}"
            )
    return "\n".join([*lines, "", f"Prices and sizes as of {table_date()}."])


def _count(tokens: int | None) -> str:
    if tokens is None:
        return "?"
    return f"{tokens / 1e6:.3g}M" if tokens >= 1e6 else f"{round(tokens / 1000)}k"


def _price(dollars: float | None) -> str:
    return "?" if dollars is None else f"${dollars:g}"
