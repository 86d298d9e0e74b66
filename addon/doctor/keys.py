"""Whether the providers of the rules have keys, and whether others could read them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from addon.doctor.finding import Finding, State
from addon.doctor.machine import Machine
from addon.neutral import DetourError
from addon.providers import Provider, mask
from addon.providers.key_store import FILE_NAME as STORE
from addon.providers.master_key import FILE_NAME as KEY_FILE
from addon.rules import Rules


async def examine(machine: Machine) -> list[Finding]:
    """Look for keys and at the permissions of what holds them."""
    return await asyncio.to_thread(lambda: [*_permissions(machine.home), *_keys(machine.rules)])


def _permissions(home: Path) -> Iterator[Finding]:
    for path, right in ((home, 0o700), (home / STORE, 0o600), (home / KEY_FILE, 0o600)):
        try:
            mode = path.stat().st_mode & 0o777
        except FileNotFoundError:
            continue
        except OSError as error:
            message = f"{path} cannot be looked at: {error.strerror}"
            yield _finding("failed", message, "Make it yours, or name another with --home.")
            continue
        if mode & 0o077:
            message = f"others can look into {path} (mode {mode:o})"
            yield _finding("failed", message, f"chmod {right:o} {path}")
    if home.is_dir():
        yield _finding(
            "ok", f"{home} is there, for keys, records and what models want to see again"
        )
    else:
        yield _finding("ok", f"{home} is not made yet; the first start makes it, for you alone")


def _keys(rules: Rules | None) -> Iterator[Finding]:
    if rules is None:
        yield _finding("skipped", "whose keys are needed is not known without sound rules")
        return
    named = dict.fromkeys(target.provider for target in rules.targets())
    for name in named:
        yield _needed(rules.providers[name], rules)
    others = [
        found for name in rules.providers if name not in named for found in _other(name, rules)
    ]
    if others:
        yield _finding("ok", f"there are also keys for {', '.join(others)}, which no rule names")
    elif not named:
        yield _finding("ok", "no rule names a provider, and there are no keys")


def _needed(provider: Provider, rules: Rules) -> Finding:
    try:
        key, source = rules.keys.find(provider), rules.keys.source(provider)
    except DetourError as error:
        return _finding(
            "failed", f"{provider.id}: a rule sends calls there without a key", f"{error}."
        )
    if key is None:
        whose = "the agent's own is sent" if source == "the agent" else "none is needed"
        return _finding("ok", f"{provider.id}: {whose}")
    return _finding("ok", f"{provider.id}: {mask(key)} from {source}")


def _other(name: str, rules: Rules) -> Iterator[str]:
    provider = rules.providers[name]
    try:
        if rules.keys.find(provider) is not None:
            yield f"{name} ({rules.keys.source(provider)})"
    except DetourError:
        return


def _finding(state: State, message: str, remedy: str = "") -> Finding:
    return Finding(check="keys", state=state, message=message, remedy=remedy)
