"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, override

import click

from addon.authority.home import HOME

DEFAULT_RULES = Path("rules.yaml")
DEFAULT_LISTEN = "127.0.0.1:8080"
DEFAULT_WEB = "127.0.0.1:8081"
LISTENING = "Detour is listening on "
"""How the line begins that `serve` prints when agents can connect; HOST:PORT follows."""


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class AddressType(click.ParamType[Address]):
    """HOST:PORT, `[IPV6]:PORT`, `:PORT` or PORT; the host is 127.0.0.1 when it is left out."""

    name = "HOST:PORT"

    @override
    def convert(
        self, value: str | Address, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        if isinstance(value, Address):
            return value
        host, _, port = value.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8080", param, ctx)
        return Address(host.strip("[]") or "127.0.0.1", int(port))


def _expanded(_context: click.Context, _option: click.Parameter, folder: Path) -> Path:
    return folder.expanduser()


rules_option = click.option(
    "--rules",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Rules file; rules.yaml in this folder, else in the home folder, when not given.",
)
home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=HOME,
    show_default=True,
    metavar="DIR",
    callback=_expanded,
    help="Folder for what must survive a restart.",
)
agent_option = click.option(
    "--agent", metavar="NAME", help="Name under which rules know the agent (`when: {agent: NAME}`)."
)


def find_rules(given: Path | None, home: Path) -> Path:
    """Return the rules file to use; the first place to look when there is none at all."""
    if given is not None:
        return given
    places = (DEFAULT_RULES, home / DEFAULT_RULES)
    return next((place for place in places if place.is_file()), places[0])
