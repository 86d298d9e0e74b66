"""The outcomes for people to read: plain text, or Markdown for a page."""

from __future__ import annotations

from collections.abc import Sequence

from tests.agents.trial import Outcome

COLUMNS = ("agent", "version", "speaks", "provider", "transport", "result", "seconds", "happened")


def as_text(outcomes: Sequence[Outcome]) -> str:
    """Write one line an outcome, in columns."""
    rows = [COLUMNS, *(_row(outcome) for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS) - 1)]
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """Write one line an agent, and one column a provider's format."""
    formats = list(dict.fromkeys(outcome.provider for outcome in outcomes))
    agents = list(dict.fromkeys((o.agent, o.version, o.speaks) for o in outcomes))
    cells = {(o.agent, o.provider): f"{o.result}, {o.transport}" for o in outcomes}
    lines = [
        _line("Agent", "Version", "Speaks", *(f"on {name}" for name in formats)),
        _line(*["---"] * (3 + len(formats))),
    ]
    for agent, version, speaks in agents:
        found = [cells.get((agent, name), "") for name in formats]
        lines.append(_line(agent, version, speaks, *found))
    return "\n".join(lines)


def _row(outcome: Outcome) -> tuple[str, ...]:
    return tuple(str(getattr(outcome, column)) for column in COLUMNS)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
