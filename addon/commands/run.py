"""`detour run`: an agent with everything set, through a running proxy or one of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from addon.authority import advice, authority_certificate, open_home, write_bundle
from addon.commands.agent_process import run_agent
from addon.commands.node import node_variables
from addon.commands.options import (
    Address,
    AddressType,
    agent_option,
    find_rules,
    home_option,
    rules_option,
)
from addon.commands.proxy_process import start_proxy
from addon.commands.running_proxy import check_reachable, running_authority
from addon.commands.variables import agent_variables, java_hint

REFUSED = "refuses mitmproxy's certificate"
"""What the proxy logs when an agent does not trust it."""
_JAVA = frozenset({"java", "gradle", "gradlew", "mvn", "mvnw", "sbt", "kotlin", "scala"})


@click.command(context_settings={"ignore_unknown_options": True})
@agent_option
@click.option(
    "--proxy",
    type=AddressType(),
    help="A proxy that runs already; one is started for the agent when not given.",
)
@rules_option
@home_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    agent: str | None,
    proxy: Address | None,
    rules: Path | None,
    home: Path,
    command: tuple[str, ...],
) -> None:
    """Run an agent with everything set so that it goes through Detour.

    Ends with the agent's exit code. Put `--` before COMMAND when it has options of its own.
    """
    if proxy is not None and rules is not None:
        raise click.UsageError("--rules is for a proxy of its own; the one at --proxy has its own.")
    try:
        home = open_home(home)
        if proxy is not None:
            check_reachable(proxy)
            code = _run(command, agent, proxy, running_authority(proxy), home)
        else:
            code = _run_with_own_proxy(command, agent, find_rules(rules, home), home)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    sys.exit(code)


def _run_with_own_proxy(
    command: tuple[str, ...], agent: str | None, rules: Path, home: Path
) -> int:
    authority = authority_certificate()
    with start_proxy(rules, home) as proxy:
        code = _run(command, agent, proxy.address, authority, home)
    if REFUSED in proxy.read_log():
        click.echo(f"\ndetour run: {Path(command[0]).name}: {advice(agent)}", err=True)
    return code


def _run(
    command: tuple[str, ...], agent: str | None, proxy: Address, authority: bytes, home: Path
) -> int:
    bundle = write_bundle(home, authority, os.environ)
    if Path(command[0]).name in _JAVA:
        click.echo(f"detour run: {java_hint(str(proxy), home)}", err=True)
    variables = agent_variables(str(proxy), agent, bundle, os.environ)
    return run_agent(command, variables | node_variables(os.environ))
