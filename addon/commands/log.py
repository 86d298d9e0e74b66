"""`detour log`: one line for each exchange."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click
import msgspec

from addon.commands.options import home_option
from addon.commands.selecting import Moment, selecting, selection
from addon.ledger import Follower, Reader, Record, read_bodies

_PAUSE = 0.3
"""Seconds between two looks into the ledger."""


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on, as exchanges end.")
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many of the last exchanges.",
)
@click.option("--since", type=Moment(), default=None, help="Only those since then: 24h, 7d, ...")
@click.option("--errors", is_flag=True, help="Only those that went wrong.")
@click.option("--id", "only", metavar="ID", help="One exchange, with all that was kept of it.")
@selecting
@click.option("--json", "as_json", is_flag=True, help="Print each as a line of JSON.")
@home_option
def log(
    *,
    follow: bool,
    lines: int,
    since: float | None,
    errors: bool,
    only: str | None,
    as_json: bool,
    home: Path,
    **names: str | None,
) -> None:
    """Show the last exchanges, one line each: who asked whom, how it went, what it used."""
    chosen = selection(names, since=since or 0.0, status="error" if errors else None)
    try:
        reader = _open(home, wait=follow)
        if reader is None:
            click.echo("Nothing has been recorded yet.")
            return
        with closing(reader):
            if only is not None:
                _show_one(reader, home, only)
                return
            follower = Follower(reader, chosen, lines)
            _show(follower.receive(), as_json=as_json)
            while follow:
                time.sleep(_PAUSE)
                _show(follower.receive(), as_json=as_json)
    except sqlite3.Error as error:
        click.echo(f"The ledger in {home} cannot be read: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # how people end it


def _open(home: Path, *, wait: bool) -> Reader | None:
    while True:
        try:
            return Reader(home)
        except FileNotFoundError:
            if not wait:
                return None
            time.sleep(_PAUSE)


def _show_one(reader: Reader, home: Path, name: str) -> None:
    record = reader.exchange(name)
    if record is None:
        click.echo(f"No exchange has the id {name}.", err=True)
        sys.exit(1)
    click.echo(msgspec.json.format(msgspec.json.encode(record)))
    for part, body in read_bodies(home, record).items():
        click.echo(f"\n--- {part}\n{body.decode('utf-8', 'replace')}")


def _show(records: list[Record], *, as_json: bool) -> None:
    for record in records:
        click.echo(msgspec.json.encode(record) if as_json else line_of(record))
    sys.stdout.flush()


def line_of(record: Record) -> str:
    """Tell an exchange in one line, in colours that `click.echo` keeps for terminals."""
    moment = datetime.fromisoformat(record.time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    asked = record.requested_model or record.endpoint
    words = [asked]
    if record.actual_provider:
        answered = ":".join(filter(None, (record.actual_provider, record.model)))
        words += ["->", click.style(answered, fg="cyan")]
    if record.rule:
        words.append(click.style(f"({record.rule})", dim=True))
    words.append(_status(record))
    if record.duration_ms is not None:
        words.append(f"{record.duration_ms / 1000:.1f}s")
    if record.input_tokens is not None or record.output_tokens is not None:
        words.append(f"{_count(record.input_tokens)} in {_count(record.output_tokens)} out")
    if record.input_tokens is not None or record.output_tokens is not None or record.cost_usd:
        words.append("$?" if record.cost_usd is None else f"${record.cost_usd:.4f}")
    failed = [attempt for attempt in record.attempts if attempt.get("error")]
    if failed and record.error is None:
        words.append(click.style(f"after {len(failed)} failed", fg="yellow"))
    if record.losses:
        words.append(click.style(f"{len(record.losses)} lost", fg="yellow"))
    if record.error:
        words.append(click.style(_plain(record.error.partition("\n")[0]), fg="red"))
    agent = click.style(record.agent or "?", bold=True)
    return f"{click.style(moment, dim=True)}  {agent}  {' '.join(words)}"


def _status(record: Record) -> str:
    if record.status is None:
        word = "killed" if (record.error or "").startswith("interrupted:") else "left"
        return click.style(word, fg="yellow")
    return click.style(str(record.status), fg="green" if record.status < 400 else "red")


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _plain(text: str) -> str:
    """Leave out what would steer the terminal."""
    return "".join(letter for letter in text if letter.isprintable())
