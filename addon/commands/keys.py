"""`detour keys`: the encrypted key store."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from addon.commands.options import find_rules, home_option, rules_option
from addon.inspection.loading import load
from addon.neutral import DetourError
from addon.providers import (
    BUILT_IN,
    KEY_STORE,
    KeyRing,
    KeyStore,
    MissingKeyError,
    Provider,
    environment_files,
    load_environment,
    mask,
)
from addon.providers.master_key import VARIABLE
from addon.rules import RulesError
from addon.rules.problems import suggestion

NEW_VARIABLE = "DETOUR_NEW_KEY"
"""Holds what `DETOUR_KEY` is to be after `detour keys rotate`."""


@click.group()
def keys() -> None:
    """Keep the keys of providers, encrypted, under the home folder.

    A key in rules.yaml, in the environment or in .env comes first; the store is asked last. It is
    encrypted with DETOUR_KEY where that is set, else with a key file that is made on first use.
    """


@keys.command("set")
@click.argument("provider")
@rules_option
@home_option
def set_key(provider: str, rules: Path | None, home: Path) -> None:
    """Keep a key for PROVIDER; it is read from standard input or asked for, unseen."""
    known, _ = _providers(find_rules(rules, home), home)
    if provider not in known:
        message = f"there is no provider {provider}{suggestion(provider, known)}"
        raise click.BadParameter(message, param_hint="PROVIDER")
    if sys.stdin.isatty():
        key = click.prompt(f"Key for {provider}", hide_input=True, default="", show_default=False)
    else:
        key = sys.stdin.read()
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise click.ClickException("that is not a key: it is empty or holds blanks; nothing is set")
    store = KeyStore(home)
    try:
        store.set(provider, key)
    except DetourError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The key {mask(key)} for {provider} is in {store.file}.")
    _tell_of_stronger(known[provider], rules, home)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@rules_option
@home_option
def list_keys(as_json: bool, rules: Path | None, home: Path) -> None:
    """Show which providers have a key, masked, and where it comes from."""
    known, ring = _providers(find_rules(rules, home), home)
    rows: list[dict[str, str]] = []
    try:
        for name in KeyStore(home).names():
            known.setdefault(name, Provider(id=name, title=name, base_urls={}))
    except DetourError as error:
        raise click.ClickException(str(error)) from None
    for name, provider in known.items():
        try:
            key = ring.find(provider)
            source = ring.source(provider)
        except MissingKeyError:
            continue
        except DetourError as error:
            rows.append({"provider": name, "key": "", "source": "", "error": str(error)})
            continue
        if key is not None:
            rows.append({"provider": name, "key": mask(key), "source": source})
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif rows:
        for row in rows:
            told = row.get("error") or f"{row['key']:12} from {row['source']}"
            click.echo(f"{row['provider']:12} {told}")
    else:
        click.echo("There is no key. `detour keys set PROVIDER` keeps one.")
    if any("error" in row for row in rows):
        sys.exit(1)


@keys.command("remove")
@click.argument("provider")
@home_option
def remove_key(provider: str, home: Path) -> None:
    """Forget the stored key of PROVIDER."""
    store = KeyStore(home)
    try:
        if not store.remove(provider):
            raise click.ClickException(f"there is no key for {provider} in {store.file}")
    except DetourError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The key for {provider} is removed from {store.file}.")


@keys.command("rotate")
@home_option
def rotate_keys(home: Path) -> None:
    """Encrypt the store anew: with DETOUR_NEW_KEY where that is set, else with a new key file."""
    store = KeyStore(home)
    new = os.environ.get(NEW_VARIABLE, "").strip() or None
    try:
        count = store.rotate(new)
    except DetourError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{count} key{'' if count == 1 else 's'} in {store.file} encrypted anew.")
    if new is not None:
        click.echo(f"From now on set {VARIABLE} to what {NEW_VARIABLE} holds.")
    elif os.environ.get(VARIABLE, "").strip():
        click.echo(f"From now on leave {VARIABLE} unset.")


def _providers(rules: Path, home: Path) -> tuple[dict[str, Provider], KeyRing]:
    """Return the providers of the rules file, or the built-in ones where it cannot be read."""
    try:
        loaded = load(rules, home)
    except RulesError:
        environment = load_environment(environment_files(rules))
        return dict(BUILT_IN), KeyRing(environment, KeyStore(home))
    return dict(loaded.providers), loaded.keys


def _tell_of_stronger(provider: Provider, rules: Path | None, home: Path) -> None:
    """Say so where another place comes before the store."""
    _, ring = _providers(find_rules(rules, home), home)
    try:
        source = ring.source(provider)
    except DetourError:
        return
    if source != KEY_STORE:
        click.echo(f"But the one from {source} comes first: it stays in use.")
