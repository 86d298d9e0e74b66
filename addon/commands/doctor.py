"""`detour doctor`: look at all that has to be right, and say what to do about the rest."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click
import msgspec

from addon.commands.options import (
    DEFAULT_LISTEN,
    DEFAULT_WEB,
    Address,
    AddressType,
    find_rules,
    home_option,
    rules_option,
)
from addon.doctor import CHECKS, Finding, Machine, State, examine

_COLORS: dict[State, str] = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "blue"}


@click.command(epilog="Checks: " + "; ".join(f"{name} ({what})" for name, what in CHECKS.items()))
@click.option(
    "--only",
    type=click.Choice(tuple(CHECKS)),
    multiple=True,
    metavar="CHECK",
    help="Make this check only; may be given several times.",
)
@click.option("--no-network", is_flag=True, help="Ask nobody beyond this machine.")
@click.option("--verify", is_flag=True, help="Ask providers for a word, which costs a few tokens.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--listen",
    type=AddressType(),
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where agents connect.",
)
@click.option(
    "--web",
    type=AddressType(),
    default=DEFAULT_WEB,
    show_default=True,
    help="Where its pages are.",
)
@rules_option
@home_option
def doctor(
    *,
    only: tuple[str, ...],
    no_network: bool,
    verify: bool,
    as_json: bool,
    listen: Address,
    web: Address,
    rules: Path | None,
    home: Path,
) -> None:
    """Look at all that has to be right on this machine, and say what to do about the rest.

    Changes nothing, and sends no key unless --verify is given. Ends with 1 if anything failed.
    """
    machine = Machine(
        os.environ,
        home,
        find_rules(rules, home),
        listen,
        web,
        network=not no_network,
        verify=verify,
    )
    names = [name for name in CHECKS if name in only] if only else list(CHECKS)
    findings = asyncio.run(_examine(machine, names, show=not as_json))
    failed = any(finding.state == "failed" for finding in findings)
    if as_json:
        told = {"ok": not failed, "findings": findings}
        click.echo(msgspec.json.format(msgspec.json.encode(told)))
    else:
        click.echo(_sum_up(findings))
    sys.exit(1 if failed else 0)


async def _examine(machine: Machine, names: list[str], *, show: bool) -> list[Finding]:
    findings: list[Finding] = []
    async for finding in examine(machine, names, _progress if show else lambda _: None):
        findings.append(finding)
        if show:
            _progress("")
            _show(finding)
    return findings


def _show(finding: Finding) -> None:
    state = click.style(finding.state.ljust(8), fg=_COLORS[finding.state])
    click.echo(f"{state} {finding.check.ljust(11)} {finding.message}")
    for line in finding.remedy.splitlines():
        click.echo(f"{' ' * 21}{line}")


def _progress(waiting_for: str) -> None:
    """Say what is being waited for, where there is a screen."""
    if sys.stderr.isatty():
        text = f"... {waiting_for}" if waiting_for else ""
        click.echo(f"\r\033[K{text}", nl=False, err=True)


def _sum_up(findings: list[Finding]) -> str:
    failed = sum(finding.state == "failed" for finding in findings)
    warnings = sum(finding.state == "warning" for finding in findings)
    if not failed and not warnings:
        return "All is well."
    parts = [f"{failed} failed" if failed else "", f"{warnings} to think about" if warnings else ""]
    return f"{' and '.join(filter(None, parts))}; what to do stands below each."
