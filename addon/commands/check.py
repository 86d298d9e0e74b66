"""`detour check`: find every mistake in a rules file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from addon.commands.options import find_rules, home_option
from addon.inspection.loading import load, missing_keys
from addon.rules import RulesError


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@home_option
def check(file: Path | None, home: Path) -> None:
    """Validate a rules file: rules.yaml in this folder, else in the home folder, unless named.

    Prints FILE:LINE:COLUMN: what is wrong, for every mistake at once, and ends with 1 if there is
    any. Notices (what is legal but surely not meant, and keys that are missing on this machine)
    do not count as mistakes.
    """
    file = find_rules(file, home)
    try:
        rules = load(file, home)
    except RulesError as error:
        for problem in error.problems:
            click.echo(problem)
        sys.exit(1)
    for notice in sorted([*rules.notices, *missing_keys(rules, file)], key=lambda n: n[1:3]):
        place = f"{notice.file}:{notice.line}:{notice.column}"
        click.echo(f"{place}: notice: {notice.message}")
    count = len(rules.rules)
    click.echo(f"{file} is valid: {count} rule{'' if count == 1 else 's'}")
