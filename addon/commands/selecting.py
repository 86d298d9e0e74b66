"""Options that choose exchanges of the ledger, shared by the commands that read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, override

import click

from addon.ledger import Selection, moment


class Moment(click.ParamType[float]):
    """How far back, or since which day."""

    name = "TIME"

    @override
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


_OPTIONS = (
    click.option("--agent", metavar="NAME", help="Only calls of this agent; a glob such as 'co*'."),
    click.option("--provider", metavar="NAME", help="Only those that this provider answered."),
    click.option(
        "--model", metavar="NAME", help="Only those to or for this model, also PROVIDER:MODEL."
    ),
    click.option("--rule", metavar="NAME", help="Only those that this rule took."),
)


def selecting[Command: Callable[..., Any]](command: Command) -> Command:
    """Add options that choose exchanges by name; `selection` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def selection(names: dict[str, str | None], **more: Any) -> Selection:  # noqa: ANN401 - of Selection
    """Make the selection of what the options say, and more."""
    return Selection(**names, **more)
