"""Variables of this shell that lead agents past Detour, or let them trust nobody or everybody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from addon.authority.bundle import VARIABLES
from addon.commands.running_proxy import is_reachable
from addon.commands.variables import INTERCEPTED, covers
from addon.doctor.finding import Finding, State
from addon.doctor.leading import is_at, leads_to_detour, proxy_of, shown
from addon.doctor.machine import Machine

BASE_URLS = (
    "OPENAI_BASE_URL",
    "OPENAI_API_BASE",
    "ANTHROPIC_BASE_URL",
    "GOOGLE_GEMINI_BASE_URL",
    "GEMINI_BASE_URL",
)
"""Variables that send an SDK's calls elsewhere than to the API that Detour knows."""
_UNCHECKED = {
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "PYTHONHTTPSVERIFY": "0",
    "GIT_SSL_NO_VERIFY": "1",
}
"""Variables, and the value with which a runtime trusts anybody."""


async def examine(machine: Machine) -> list[Finding]:
    """Look at the variables."""
    found = await asyncio.to_thread(lambda: list(_examine(machine)))
    return found or [_finding("ok", "no variable of this shell leads agents astray")]


def _examine(machine: Machine) -> Iterator[Finding]:
    yield from _proxies(machine)
    yield from _exemptions(machine)
    yield from _base_urls(machine)
    yield from _bundles(machine)
    for name, value in _UNCHECKED.items():
        if machine.environment.get(name) == value:
            message = f"{name}={value}: programs trust anybody, also whoever is not Detour"
            yield _finding("failed", message, f"unset {name}")


def _proxies(machine: Machine) -> Iterator[Finding]:
    environment, listen = machine.environment, machine.listen
    upper, lower = environment.get("HTTPS_PROXY", ""), environment.get("https_proxy", "")
    if upper and lower and upper != lower:
        message = f"HTTPS_PROXY is {shown(upper)} and https_proxy is {shown(lower)}: agents differ"
        yield _finding("failed", message, 'unset https_proxy HTTPS_PROXY; eval "$(detour env)"')
    elif lower and not upper:
        message = "https_proxy is set in lower case only, which some agents do not read"
        yield _finding("warning", message, f"export HTTPS_PROXY={shown(lower)}")
    proxy = proxy_of(machine)
    if leads_to_detour(machine) and not is_reachable(listen):
        message = f"HTTPS_PROXY leads to {listen}, where nobody listens: agents of this shell fail"
        remedy = (
            f"Start the proxy (`detour serve --listen {listen}`), or unset HTTPS_PROXY https_proxy"
        )
        yield _finding("failed", message, remedy)
    elif proxy and not is_at(proxy, listen):
        message = (
            f"HTTPS_PROXY is {shown(proxy)}: agents of this shell go there, not through Detour"
        )
        remedy = (
            "Start agents with `detour run`, which sets it for them. If Detour itself reaches "
            f"providers only that way: `detour serve -- --mode upstream:{shown(proxy)}`."
        )
        yield _finding("warning", message, remedy)
    everything = environment.get("ALL_PROXY") or environment.get("all_proxy")
    if everything and not proxy and not is_at(everything, listen):
        message = f"ALL_PROXY is {shown(everything)}: some agents go there, and some do not"
        yield _finding(
            "warning", message, "Start agents with `detour run`, or unset ALL_PROXY all_proxy"
        )


def _exemptions(machine: Machine) -> Iterator[Finding]:
    for name in ("NO_PROXY", "no_proxy"):
        given = re.split(r"[,\s]+", machine.environment.get(name, ""))
        covering = [entry for entry in given if entry and covers(entry, INTERCEPTED)]
        if covering:
            message = f"{name} exempts {', '.join(covering)}: those calls go past Detour"
            led = leads_to_detour(machine)
            remedy = f"Take that out of {name}, or start agents with `detour run`, which does."
            yield _finding("failed" if led else "warning", message, remedy)


def _base_urls(machine: Machine) -> Iterator[Finding]:
    for name in BASE_URLS:
        value = machine.environment.get(name)
        if not value:
            continue
        host = urlsplit(value).hostname or ""
        hosts = machine.rules.intercept if machine.rules is not None else INTERCEPTED
        if host not in hosts:
            message = (
                f"{name} is {shown(value)}: calls go there, past Detour, also under `detour run`"
            )
            remedy = f"unset {name}, or add {host} to `intercept` in rules.yaml"
            yield _finding("failed", message, remedy)


def _bundles(machine: Machine) -> Iterator[Finding]:
    for name, readers in VARIABLES.items():
        value = machine.environment.get(name)
        if value and not Path(value).expanduser().is_file():
            message = f"{name} names {value}, which is not there: {readers} trust nobody"
            yield _finding("failed", message, f"unset {name}, or name a file that is there")


def _finding(state: State, message: str, remedy: str = "") -> Finding:
    return Finding(check="environment", state=state, message=message, remedy=remedy)
