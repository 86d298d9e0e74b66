"""Measure what Detour costs: translation by itself, and the whole way beside bare mitmproxy.

    .venv/bin/python scripts/bench.py [--quick] [--only PART] [--json] [--write]

`docs/performance.md` says what the figures mean.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

from benchmarks import proxy, report, translation, watching  # noqa: E402 - needs the path above
from benchmarks.agent import AnswerError  # noqa: E402
from benchmarks.machine import this_machine  # noqa: E402
from benchmarks.processes import StartError  # noqa: E402

PARTS = ("translation", "proxy", "watching")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Half a minute instead of some: orders of magnitude.")
@click.option("--only", type=click.Choice(PARTS), help="Measure one part alone.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of tables.")
@click.option("--write", is_flag=True, help="Write docs/performance.md too.")
def main(*, quick: bool, only: str | None, as_json: bool, write: bool) -> None:
    """Measure what Detour costs, alone and beside bare mitmproxy passing the same bytes."""
    if write and (quick or only):
        raise click.UsageError("--write takes the whole measurement, without --quick and --only")
    parts = (only,) if only else PARTS
    if {"proxy", "watching"} & {*parts} and sys.platform != "linux":
        message = "only Linux tells the CPU time of other processes; use --only translation"
        raise click.ClickException(message)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine = this_machine()
    if machine.busy:
        say(f"The load of this machine is {machine.load}: what it measures now is doubtful.")
    began = time.monotonic()

    def progress(what: str) -> None:
        say(f"{time.monotonic() - began:5.0f} s  {what}")

    sections = translation.measure(progress, quick=quick) if "translation" in parts else []
    for name, part in (("proxy", proxy), ("watching", watching)):
        if name in parts:
            try:
                sections += asyncio.run(part.measure(progress, quick=quick))
            except (AnswerError, StartError) as error:
                notes = getattr(error, "__notes__", ())
                raise click.ClickException("\n".join((str(error), *notes))) from error
    progress("done")
    click.echo((report.as_json if as_json else report.as_text)(machine, sections))
    if write:
        report.DOCUMENT.write_text(report.as_markdown(machine, sections), encoding="utf-8")
        say(f"{report.DOCUMENT} is written.")


def say(text: str) -> None:
    """Tell how it goes; standard output belongs to the figures."""
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
