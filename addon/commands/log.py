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
from addon.ledger import Reader, Record

_PAUSE = 0.5
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
@click.option("--json", "as_json", is_flag=True, help="Print each as JSON.")
@home_option
def log(*, follow: bool, lines: int, as_json: bool, home: Path) -> None:
    """Show the last exchanges, one line each: who asked whom, how it went, what it used."""
    home = home.expanduser()
    try:
        reader = _open(home, wait=follow)
        if reader is None:
            click.echo("Nothing has been recorded yet.")
            return
        with closing(reader):
            place = _show(reader.last(max(lines, 1)), as_json=as_json, most=lines)
            while follow:
                time.sleep(_PAUSE)
                place = _show(reader.after(place), as_json=as_json) or place
    except sqlite3.Error as error:
        click.echo(f"The ledger in {home} cannot be read: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        pass  # how people end it


def _open(home: Path, *, wait: bool) -> Reader | None:
    while True:
        try:
            return Reader(home)
        except FileNotFoundError:
            if not wait:
                return None
            time.sleep(_PAUSE)


def _show(records: list[tuple[int, Record]], *, as_json: bool, most: int | None = None) -> int:
    """Print records, and return the place of the last one; 0 where there is none."""
    shown = records if most is None else records[len(records) - most :]
    for _, record in shown:
        click.echo(msgspec.json.encode(record) if as_json else line_of(record))
    sys.stdout.flush()
    return records[-1][0] if records else 0


def line_of(record: Record) -> str:
    """Tell an exchange in one line."""
    asked = record.requested_model or record.endpoint
    words = [
        datetime.fromisoformat(record.time).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        record.agent or "?",
        asked,
    ]
    if record.actual_provider:
        words += ["->", ":".join(filter(None, (record.actual_provider, record.model)))]
    if record.rule:
        words.append(f"({record.rule})")
    words.append("left" if record.status is None else str(record.status))
    if record.duration_ms is not None:
        words.append(f"{record.duration_ms / 1000:.1f}s")
    if record.input_tokens is not None or record.output_tokens is not None:
        words.append(f"{_count(record.input_tokens)} in {_count(record.output_tokens)} out")
        words.append("$?" if record.cost_usd is None else f"${record.cost_usd:.4f}")
    failed = [attempt for attempt in record.attempts if attempt.get("error")]
    if failed and record.error is None:
        words.append(f"after {len(failed)} failed")
    if record.losses:
        words.append(f"{len(record.losses)} lost")
    if record.error:
        words.append(record.error.partition("\n")[0])
    return "  ".join(words[:2]) + "  " + " ".join(words[2:])


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"
