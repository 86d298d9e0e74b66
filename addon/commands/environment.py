"""`detour env`: what `detour run` sets, for a shell."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from addon.authority import authority_certificate, open_home, write_bundle
from addon.commands.node import node_variables
from addon.commands.options import DEFAULT_LISTEN, Address, AddressType, agent_option, home_option
from addon.commands.running_proxy import is_reachable, running_authority
from addon.commands.variables import agent_variables, java_hint


@click.command()
@agent_option
@click.option(
    "--proxy",
    type=AddressType(),
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where the proxy runs or will run.",
)
@home_option
def env(agent: str | None, proxy: Address, home: Path) -> None:
    """Print what `run` sets, as export lines for a shell.

    Use it as `eval "$(detour env)"`.
    """
    try:
        home = open_home(home)
        authority = running_authority(proxy) if is_reachable(proxy) else authority_certificate()
        bundle = write_bundle(home, authority, os.environ)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    variables = agent_variables(str(proxy), agent, bundle, os.environ) | node_variables(os.environ)
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    for line in java_hint(str(proxy), home).splitlines():
        click.echo(f"# {line}")
