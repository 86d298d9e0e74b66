"""`detour usage`: what was used, and what it cost."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, cast, override

import click
import msgspec

from addon.commands.options import home_option
from addon.commands.selecting import Moment, selecting, selection
from addon.ledger import GROUPINGS, Grouping, Reader, Selection, Totals, UsageRow
from addon.optional_packages import not_installed
from addon.providers import table_date

_COLUMNS: tuple[tuple[str, str], ...] = (
    ("requests", "requests"),
    ("errors", "errors"),
    ("input", "input_tokens"),
    ("cached", "cache_read_tokens"),
    ("written", "cache_write_tokens"),
    ("output", "output_tokens"),
    ("thought", "reasoning_tokens"),
)
_IF_ANY = frozenset(("written", "thought"))
"""Columns that are left out where they would hold nothing."""


class Groupings(click.ParamType[tuple[Grouping, ...]]):
    """One or more of the things to add up by, with commas between them."""

    name = "WHAT"

    @override
    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Grouping, ...]:
        """Return them without repetition."""
        names = [name.strip() for name in str(value).split(",")]
        for name in names:
            if name not in GROUPINGS:
                self.fail(f"{name!r} is none of {', '.join(GROUPINGS)}", param, ctx)
        return tuple(cast("Grouping", name) for name in dict.fromkeys(names))


class Picture(click.ParamType[Path]):
    """A file to draw into."""

    name = "FILE"

    @override
    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return its path."""
        path = Path(str(value)).expanduser()
        if path.suffix.lower() not in (".png", ".svg"):
            self.fail(f"{value!r} must end with .png or .svg", param, ctx)
        return path


@click.command()
@click.option(
    "--since", type=Moment(), default="7d", show_default=True, help="24h, 7d, 2w, or 2026-05-01."
)
@click.option("--until", type=Moment(), help="Likewise; now, where nothing is said.")
@click.option(
    "--by",
    type=Groupings(),
    default="model",
    show_default=True,
    help=f"What to add up by: {', '.join(GROUPINGS)}, or several with commas (agent,model).",
)
@selecting
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--plot", type=Picture(), help="Draw it over time, as PNG or SVG by the suffix.")
@home_option
def usage(
    *,
    since: float,
    until: float | None,
    by: tuple[Grouping, ...],
    as_json: bool,
    plot: Path | None,
    home: Path,
    **names: str | None,
) -> None:
    """Say what agents have used, and what it cost by the providers' price lists.

    Costs are in US dollars. `?` is a price that is not known; with `+ ?` a sum lacks such prices.
    """
    chosen = selection(names, since=since, until=until)
    rows: list[UsageRow] = []
    totals: list[UsageRow] = []
    try:
        with closing(Reader(home)) as reader:
            rows, totals = reader.usage(chosen, by), reader.usage(chosen)
            if plot is not None:
                _draw(reader, chosen, by, plot)
    except FileNotFoundError:
        pass  # nothing has been used yet
    except sqlite3.Error as error:
        click.echo(f"The ledger in {home} cannot be read: {error}", err=True)
        sys.exit(1)
    if as_json:
        groups = [{**dict(zip(by, row.keys, strict=True)), **_numbers(row)} for row in rows]
        total = _numbers(totals[0]) if totals else None
        told = {"groups": groups, "total": total, "prices_as_of": table_date()}
        click.echo(msgspec.json.format(msgspec.json.encode(told)))
    elif not rows:
        click.echo("Nothing was used in this time.")
    else:
        click.echo(_table(by, rows, totals[0]))
        click.echo(f"\n{_note(totals[0])}")
    if plot is not None and rows:
        click.echo(f"Drawn into {plot}.", err=True)


def _draw(reader: Reader, chosen: Selection, by: tuple[Grouping, ...], path: Path) -> None:
    try:
        from addon.commands.usage_plot import draw
    except ModuleNotFoundError:
        click.echo(f"--plot: {not_installed('plot')}", err=True)
        sys.exit(1)
    try:
        draw(reader, chosen, by, path, time.time())
    except OSError as error:
        click.echo(f"--plot: {path} cannot be written: {error.strerror}", err=True)
        sys.exit(1)


def _numbers(row: UsageRow) -> dict[str, Any]:
    fields = msgspec.structs.asdict(row)
    del fields["keys"]
    return fields


def _table(by: tuple[Grouping, ...], rows: list[UsageRow], total: UsageRow) -> str:
    columns = [
        (head, field) for head, field in _COLUMNS if head not in _IF_ANY or getattr(total, field)
    ]
    lines = [[*by, *(head for head, _ in columns), "cost"]]
    fields = [field for _, field in columns]
    lines += [[*(key or "?" for key in row.keys), *_cells(row, fields)] for row in rows]
    if len(rows) > 1:
        lines.append([*("total", *[""] * len(by))[: len(by)], *_cells(total, fields)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [
                *map(str.ljust, line[: len(by)], widths),
                *map(str.rjust, line[len(by) :], widths[len(by) :]),
            ]
        )
        for line in lines
    )


def _cells(row: Totals, fields: list[str]) -> list[str]:
    return [*(f"{getattr(row, field):,}" for field in fields), cost(row)]


def cost(row: Totals) -> str:
    """Write what is known of a cost, and that some of it is not."""
    if row.cost_usd is None:
        return "?" if row.unpriced else "-"
    return f"${row.cost_usd:,.4f}" + (" + ?" if row.unpriced else "")


def _note(total: Totals) -> str:
    known = f"Prices as of {table_date()}"
    if not total.unpriced:
        return f"{known}."
    count = total.unpriced
    what = "one request" if count == 1 else f"{count:,} requests"
    return f"{known}; what {what} cost is not known (`price` in rules.yaml says it)."
