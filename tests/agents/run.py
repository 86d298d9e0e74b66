#!/usr/bin/env python
"""Try real, unmodified agents against strict providers through a real Detour, and print a table.

    .venv/bin/python tests/agents/run.py --agents-home DIR --install
    .venv/bin/python tests/agents/run.py --agents-home DIR --agent codex --provider anthropic

Nothing leaves the machine but what `--install` downloads and what an agent calls beside its model.
Exits with 0 when every agent that is installed did its task, else with 1.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import tempfile
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.agents.agent import Agent
from tests.agents.catalogue import AGENTS
from tests.agents.installing import InstallationError, install
from tests.agents.stage import PROVIDER_FORMATS, Stage, open_stage
from tests.agents.table import as_markdown, as_text
from tests.agents.trial import Outcome, run_trial

HOME_VARIABLE = "DETOUR_AGENTS_HOME"


@click.command()
@click.option(
    "--agents-home",
    "home",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    envvar=HOME_VARIABLE,
    required=True,
    help=f"Folder that agents are installed in; {HOME_VARIABLE} names it as well.",
)
@click.option("--install", "installs", is_flag=True, help="Install what is missing (2 GB for all).")
@click.option("--agent", "names", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option("--provider", "formats", multiple=True, type=click.Choice([*PROVIDER_FORMATS]))
@click.option(
    "--websocket",
    type=click.Choice(["accept", "refuse"]),
    default="accept",
    help="What Detour says to agents that ask for one.",
)
@click.option("--json", "writes_json", is_flag=True, help="One JSON object a trial.")
@click.option("--markdown", "writes_markdown", is_flag=True, help="A table for a page.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    help="A new folder for all that was sent and said; a temporary one when not given.",
)
def main(
    home: Path,
    installs: bool,
    names: tuple[str, ...],
    formats: tuple[str, ...],
    websocket: str,
    writes_json: bool,
    writes_markdown: bool,
    keep: Path | None,
) -> None:
    """Try agents against providers."""
    chosen = _choose(names)
    if installs:
        _install(chosen, home)
    there = [agent for agent in chosen if agent.is_installed(home)]
    for agent in chosen:
        if agent not in there:
            click.echo(f"{agent.label}: not installed, left out", err=True)
    if not there:
        raise click.ClickException(f"none of them is installed in {home}; --install does it")
    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="detour-agents-")
        folder = keep or Path(stack.enter_context(temporary))
        stage = stack.enter_context(open_stage(folder, websocket=websocket))
        trials = itertools.product(there, formats or PROVIDER_FORMATS)
        outcomes = [_try(agent, name, stage, home) for agent, name in trials]
    if writes_json:
        for outcome in outcomes:
            click.echo(json.dumps(outcome.as_json()))
    else:
        click.echo((as_markdown if writes_markdown else as_text)(outcomes))
    sys.exit(not all(outcome.passed for outcome in outcomes))


def _choose(names: tuple[str, ...]) -> list[Agent]:
    known = {name for agent in AGENTS for name in (agent.name, agent.label)}
    if unknown := set(names) - known:
        raise click.UsageError(f"{', '.join(unknown)}: choose among {', '.join(sorted(known))}")
    return [a for a in AGENTS if not names or a.name in names or a.label in names]


def _install(agents: list[Agent], home: Path) -> None:
    for agent in agents:
        try:
            install(agent, home)
        except InstallationError as error:
            click.echo(f"{agent.label}: {error}", err=True)


def _try(agent: Agent, provider_format: str, stage: Stage, home: Path) -> Outcome:
    outcome = run_trial(agent, provider_format, stage, home)
    said = f"{agent.label} on {provider_format}: {outcome.result}; {outcome.happened}"
    click.echo(said, err=True)
    if not outcome.passed:
        click.echo(outcome.said, err=True)
    return outcome


if __name__ == "__main__":
    main()
