"""`detour serve`: the proxy with one of mitmproxy's three faces."""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

import click

from addon.authority import authority_certificate, open_home
from addon.authority.certificate import CONFIGURATION_FOLDER
from addon.commands.options import (
    DEFAULT_LISTEN,
    DEFAULT_WEB,
    Address,
    AddressType,
    find_rules,
    home_option,
    rules_option,
)


@click.command(context_settings={"ignore_unknown_options": False})
@click.option(
    "--ui",
    type=click.Choice(["web", "dump", "console"]),
    default="web",
    show_default=True,
    help="mitmweb, mitmdump or mitmproxy.",
)
@click.option(
    "--listen",
    type=AddressType(),
    help=f"Where agents connect; port 0 takes a free one.  [default: {DEFAULT_LISTEN}]",
)
@click.option(
    "--web",
    type=AddressType(),
    help="Where the pages are, mitmweb's and the dashboard, or the dashboard alone; port 0 takes a"
    f" free one.  [default: {DEFAULT_WEB}, for the dashboard alone 127.0.0.1:8082]",
)
@rules_option
@home_option
@click.option("--end-with-stdin", is_flag=True, hidden=True)
@click.argument("mitmproxy_options", nargs=-1, type=click.UNPROCESSED)
def serve(
    ui: Literal["web", "dump", "console"],
    listen: Address | None,
    web: Address | None,
    rules: Path | None,
    home: Path,
    *,
    end_with_stdin: bool,
    mitmproxy_options: tuple[str, ...],
) -> None:
    """Run the proxy.

    What follows `--` goes to mitmproxy as it is, such as `-- --set confdir=DIR`.
    """
    _end_quietly_when_told_to()
    rules = find_rules(rules, home)
    check_rules(rules)
    try:
        home = open_home(home)
        authority_certificate(_configuration_folder(mitmproxy_options))
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    chosen: dict[str, object] = {"detour_rules": str(rules), "detour_home": str(home)}
    if listen is not None:
        chosen |= {"listen_host": listen.host, "listen_port": listen.port}
    if web is not None and ui == "web":
        web = _with_port(web)
        chosen |= {"web_host": web.host, "web_port": web.port}
    elif web is not None:
        chosen["detour_dashboard"] = str(web)
    # mitmproxy's own options may say otherwise than the defaults; then the look is mitmproxy's.
    if listen or not mitmproxy_options:
        _check_free(listen or AddressType().convert(DEFAULT_LISTEN, None, None), "--listen")
    if web or (ui == "web" and not mitmproxy_options):
        _check_free(web or AddressType().convert(DEFAULT_WEB, None, None), "--web")
    # Imported late: it takes half a second, and the mistakes above need not wait for it.
    from addon.commands.mitmproxy_program import run_mitmproxy

    run_mitmproxy(ui, chosen, mitmproxy_options, end_with_stdin=end_with_stdin)


def check_rules(path: Path) -> None:
    """Refuse to start with rules that `detour check` would not pass.

    Raises:
        SystemExit: The rules are bad; every mistake is on standard error.
    """
    from addon.interceptor.filters import check_filter
    from addon.providers import environment_files, load_environment
    from addon.rules import RulesError, load_rules, read_rules

    try:
        environment = load_environment(environment_files(path))
        load_rules(read_rules(path), str(path), environment, check_filter)
    except RulesError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise SystemExit(1) from None


def _end_quietly_when_told_to() -> None:
    """Make a signal during the start a clean end too; mitmproxy takes over once it runs."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)


def _configuration_folder(arguments: Sequence[str]) -> Path:
    for argument in reversed(arguments):
        if "confdir=" in argument:
            return Path(argument.partition("confdir=")[2])
    return CONFIGURATION_FOLDER


def _check_free(address: Address, option: str) -> None:
    """Find out early, and say in one line, that an address cannot be had."""
    if address.port == 0:
        return
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"{address} is in use by another program; choose another with {option}."
            else:
                message = f"Cannot listen on {address}: {error.strerror}."
            raise click.ClickException(message) from None


def _with_port(address: Address) -> Address:
    """Settle on a free port now: mitmweb has to know its own before it listens."""
    if address.port:
        return address
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((address.host, 0))
        return Address(address.host, probe.getsockname()[1])
