"""`detour providers`: who can answer calls, and changing that in rules.yaml."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from addon.commands.options import find_rules, home_option, rules_option
from addon.formats.base import FORMAT_NAMES
from addon.inspection.loading import check_filter, load
from addon.neutral import DetourError
from addon.providers import (
    BUILT_IN,
    NOT_YET,
    KeyRing,
    KeyStore,
    MissingKeyError,
    Provider,
    environment_files,
    load_environment,
    mask,
)
from addon.rules import RulesError, load_rules
from addon.rules.editing import Change, apply_change
from addon.rules.provider_edits import Settings, put_provider, remove_provider
from addon.rules.rewriting import EditError, rewrite_rules


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@rules_option
@home_option
@click.pass_context
def providers(context: click.Context, rules: Path | None, home: Path, as_json: bool) -> None:
    """List the providers, or change them in rules.yaml.

    An edit keeps everything else in the file as it is, comments included; the file as it was is
    kept beside it (rules.yaml.before).
    """
    if context.invoked_subcommand is not None:
        return
    try:
        loaded = load(find_rules(rules, home), home)
        known, ring = loaded.providers, loaded.keys
    except RulesError as error:
        click.echo(f"{error}\nThe built-in providers are:", err=True)
        environment = load_environment(environment_files(find_rules(rules, home)))
        known, ring = BUILT_IN, KeyRing(environment, KeyStore(home))
    rows = [_row(provider, ring) for provider in known.values()]
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else _table(rows))


def _row(provider: Provider, ring: KeyRing) -> dict[str, Any]:
    try:
        key = ring.find(provider)
        told = "none needed" if key is None else f"{mask(key)} from {ring.source(provider)}"
    except DetourError as error:
        told = "missing" if "no key for" in str(error) else str(error)
    return {
        "id": provider.id,
        "title": provider.title,
        "built_in": provider.id in BUILT_IN,
        "enabled": provider.enabled,
        "key": told,
        "formats": dict(provider.base_urls),
        "regions": list(provider.regions),
        "models": [{"id": model, "title": _title(provider, model)} for model in provider.models],
        "default_model": provider.default_model,
    }


def _title(provider: Provider, model: str) -> str:
    facts = provider.facts(model)
    return (facts and facts.title) or model


def _table(rows: list[dict[str, Any]]) -> str:
    lines: list[str] = []
    for row in rows:
        state = "" if row["enabled"] else " (disabled)"
        lines.append(f"{row['id']:12} {row['title']}{state}")
        for name, url in row["formats"].items():
            lines.append(f"{'':12} {name:17} {url}")
        if not row["formats"]:
            lines.append(f"{'':12} needs a base_url: {BUILT_IN[row['id']].base_url_example}")
        if row["regions"]:
            lines.append(f"{'':12} {'regions':17} {', '.join(row['regions'])}")
        lines.append(f"{'':12} {'key':17} {row['key']}")
        if row["models"]:
            names = ", ".join(model["id"] for model in row["models"])
            lines.append(f"{'':12} {'models':17} {names}")
    lines += [f"{name:12} not yet: {title}" for name, title in NOT_YET.items()]
    return "\n".join(lines)


def _setting_options[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say what a provider is like."""
    options = (
        click.option("--base-url", metavar="URL", help="What the SDK of its format takes."),
        click.option(
            "--format",
            "formats",
            type=click.Choice(FORMAT_NAMES),
            multiple=True,
            help="A format to call it in, the preferred one first; may be repeated.",
        ),
        click.option("--title", metavar="TEXT", help="What people call it."),
        click.option(
            "--model",
            "models",
            metavar="ID",
            multiple=True,
            help="A model that it offers, the default first; may be repeated.",
        ),
        click.option("--key-variable", metavar="NAME", help="The variable that holds its key."),
        click.option("--no-key", is_flag=True, help="It needs no key."),
        click.option("--region", metavar="NAME", help="Which of its hosts, where it has several."),
        click.option("--api-version", metavar="V", help="Azure OpenAI's api-version."),
        click.option(
            "--dialect", type=click.Choice(list(BUILT_IN)), help="Whose habits it shares."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return home_option(rules_option(command))


@providers.command()
@click.argument("provider")
@_setting_options
def add(provider: str, rules: Path | None, home: Path, **settings: Any) -> None:  # noqa: ANN401 - click
    """Add a provider of your own, or settings of a built-in one that rules.yaml does not have."""
    _edit(rules, home, put_provider(provider, _settings(settings), new=True))
    click.echo(f"The provider {provider} is in {find_rules(rules, home)}.")
    _tell_of_missing_key(provider, rules, home)


@providers.command()
@click.argument("provider")
@_setting_options
def edit(provider: str, rules: Path | None, home: Path, **settings: Any) -> None:  # noqa: ANN401 - click
    """Change what is given here of a provider; all else stays.

    An empty text takes a setting away: `--region ""` goes back to the usual host.
    """
    chosen = _settings(settings)
    if not chosen:
        raise click.UsageError("say what to change; see --help")
    _edit(rules, home, put_provider(provider, chosen))
    click.echo(f"The provider {provider} is changed in {find_rules(rules, home)}.")


@providers.command()
@click.argument("provider")
@rules_option
@home_option
def remove(provider: str, rules: Path | None, home: Path) -> None:
    """Remove a provider of your own, or the changes to a built-in one."""
    _edit(rules, home, remove_provider(provider))
    if provider in BUILT_IN:
        click.echo(f"The built-in provider {provider} is as it came.")
    else:
        click.echo(f"The provider {provider} is removed from {find_rules(rules, home)}.")


@providers.command()
@click.argument("provider")
@rules_option
@home_option
def enable(provider: str, rules: Path | None, home: Path) -> None:
    """Let calls go to a provider again."""
    _edit(rules, home, put_provider(provider, {"enabled": True}))
    click.echo(f"The provider {provider} is enabled.")


@providers.command()
@click.argument("provider")
@rules_option
@home_option
def disable(provider: str, rules: Path | None, home: Path) -> None:
    """Keep all calls away from a provider, also those that rules send there."""
    _edit(rules, home, put_provider(provider, {"enabled": False}))
    click.echo(f"The provider {provider} is disabled.")


def _settings(options: dict[str, Any]) -> Settings:
    """Turn the options that were given into settings, in the order of the options."""
    settings: Settings = {}
    for name, value in options.items():
        match name:
            case "formats" | "models" if value:
                settings[name] = list(value)
            case "key_variable" if value is not None:
                settings["api_key"] = f"${{{value}}}" if value else None
            case "no_key" if value:
                settings["api_key"] = "none"
            case "title" | "base_url" | "region" | "api_version" | "dialect" if value is not None:
                settings[name] = value or None
            case _:
                pass
    return settings


def _tell_of_missing_key(name: str, rules: Path | None, home: Path) -> None:
    loaded = load(find_rules(rules, home), home)
    try:
        loaded.keys.find(loaded.providers[name])
    except MissingKeyError:
        click.echo(
            f"It has no key yet: `detour keys set {name}` keeps one, and `detour providers edit"
            f" {name} --no-key` says that it needs none."
        )
    except DetourError as error:
        click.echo(str(error), err=True)


def _edit(rules: Path | None, home: Path, change: Change) -> None:
    path = find_rules(rules, home)
    environment = load_environment(environment_files(path))

    def check(text: str) -> None:
        load_rules(text, str(path), environment, check_filter, KeyStore(home))

    try:
        rewrite_rules(path, lambda text: apply_change(text, change), check)
    except RulesError as error:
        click.echo(f"{error}\nNothing is changed.", err=True)
        sys.exit(1)
    except EditError as error:
        raise click.ClickException(str(error)) from None
