"""`detour usage`: what was used, and what it cost."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import click
import msgspec

from addon.commands.options import home_option
from addon.ledger import GROUPINGS, Grouping, Reader, Selection, UsageRow, moment


class Moment(click.ParamType[float]):
    """How far back, or since which day."""

    name = "TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds since 1970."""
        if isinstance(value, float):
            return value
        try:
            return moment(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither like 24h, 7d or 2w nor a day", param, ctx)


@click.command()
@click.option(
    "--since", type=Moment(), default="7d", show_default=True, help="24h, 7d, 2w, or 2026-05-01."
)
@click.option(
    "--by", type=click.Choice(GROUPINGS), default="model", show_default=True, help="What to add up."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
def usage(*, since: float, by: Grouping, as_json: bool, home: Path) -> None:
    """Say what agents have used, and what it cost by the providers' price lists.

    Costs are in US dollars. `?` is a price that is not known; with `+ ?` a sum lacks such prices.
    """
    rows: list[UsageRow] = []
    totals: list[UsageRow] = []
    try:
        reader = Reader(home.expanduser())
        try:
            rows, totals = (
                reader.usage(Selection(since=since), (by,)),
                reader.usage(Selection(since=since)),
            )
        finally:
            reader.close()
    except FileNotFoundError:
        pass  # nothing has been used yet
    except sqlite3.Error as error:
        click.echo(f"The ledger in {home} cannot be read: {error}", err=True)
        sys.exit(1)
    if as_json:
        groups = [{by: row.keys[0], **_numbers(row)} for row in rows]
        total = _numbers(totals[0]) if totals else None
        click.echo(msgspec.json.format(msgspec.json.encode({"groups": groups, "total": total})))
    else:
        click.echo(_table(by, rows, totals))


def _numbers(row: UsageRow) -> dict[str, int | float | None]:
    fields = msgspec.structs.asdict(row)
    del fields["keys"]
    return fields


def _table(by: Grouping, rows: list[UsageRow], totals: list[UsageRow]) -> str:
    if not rows:
        return "Nothing was used in this time."
    heads = [by, "requests", "errors", "input", "cached", "output", "cost"]
    body = [_cells(row.keys[0] or "?", row) for row in rows]
    lines = [heads, *body]
    if len(rows) > 1:
        lines.append(_cells("total", totals[0]))
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])],
        )
        for line in lines
    )


def _cells(name: str, row: UsageRow) -> list[str]:
    counts = (row.requests, row.errors, row.input_tokens, row.cache_read_tokens, row.output_tokens)
    return [name, *(f"{count:,}" for count in counts), _cost(row)]


def _cost(row: UsageRow) -> str:
    if row.cost_usd is None:
        return "?" if row.unpriced else "-"
    return f"${row.cost_usd:,.4f}" + (" + ?" if row.unpriced else "")
