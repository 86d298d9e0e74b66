"""`detour check`: find every mistake in a rules file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from addon.authority.home import HOME
from addon.commands.options import home_option
from addon.neutral import DetourError
from addon.providers import KeyStore, environment_files, load_environment
from addon.rules import Problem, Rules, RulesError, load_rules, read_rules

DEFAULT_FILE = Path("rules.yaml")


def check_filter(expression: str) -> str | None:
    """Say what is wrong with a mitmproxy filter expression; mitmproxy is loaded only for that."""
    from addon.interceptor import filters

    return filters.check_filter(expression)


def load(path: Path, home: Path = HOME) -> Rules:
    """Read a rules file as the proxy reads it.

    Raises:
        RulesError: It has mistakes.
    """
    environment = load_environment(environment_files(path))
    text = read_rules(path)
    return load_rules(text, str(path), environment, check_filter, KeyStore(home))


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=DEFAULT_FILE)
@home_option
def check(file: Path, home: Path) -> None:
    """Validate a rules file (rules.yaml unless named).

    Prints FILE:LINE:COLUMN: what is wrong, for every mistake at once, and ends with 1 if there is
    any. Notices (what is legal but surely not meant, and keys that are missing on this machine)
    do not count as mistakes.
    """
    try:
        rules = load(file, home)
    except RulesError as error:
        for problem in error.problems:
            click.echo(problem)
        sys.exit(1)
    for notice in sorted([*rules.notices, *_missing_keys(rules, file)], key=lambda n: n[1:3]):
        place = f"{notice.file}:{notice.line}:{notice.column}"
        click.echo(f"{place}: notice: {notice.message}")
    count = len(rules.rules)
    click.echo(f"{file} is valid: {count} rule{'' if count == 1 else 's'}")


def _missing_keys(rules: Rules, file: Path) -> list[Problem]:
    """Find the providers of rules that have no usable key here, each at its first target."""
    notices: dict[str, Problem] = {}
    for target in rules.targets():
        try:
            rules.keys.find(rules.providers[target.provider])
        except DetourError as error:
            notices.setdefault(target.provider, Problem(str(file), *target.mark, str(error)))
    return list(notices.values())
