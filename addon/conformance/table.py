"""Outcomes as a table: a row for each scenario, a column for each agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from addon.conformance.suite import Outcome

_GAP = "  "


def cell(outcomes: Sequence[Outcome]) -> str:
    """Sum up the plain and the streamed outcome of one scenario for one agent."""
    failed = [outcome for outcome in outcomes if outcome.verdict == "failed"]
    if failed:
        ways = {("stream" if outcome.streamed else "plain") for outcome in failed}
        played = [outcome for outcome in outcomes if outcome.verdict != "not applicable"]
        return "FAILED" if len(failed) == len(played) else f"FAILED ({', '.join(sorted(ways))})"
    return "ok" if any(outcome.verdict == "ok" for outcome in outcomes) else "-"


def render_table(outcomes: Sequence[Outcome]) -> list[str]:
    """Write the table of one provider, and a line for each failure below it."""
    agents = list(dict.fromkeys(outcome.agent for outcome in outcomes))
    names = list(dict.fromkeys(outcome.scenario for outcome in outcomes))
    rows = [["", *agents]]
    for name in names:
        rows.append([name])
        for agent in agents:
            here = [o for o in outcomes if o.scenario == name and o.agent == agent]
            rows[-1].append(cell(here))
    widths = [max(len(row[column]) for row in rows) for column in range(len(agents) + 1)]
    lines = [_GAP.join(map(str.ljust, row, widths)).rstrip() for row in rows]
    failures = [
        f"{o.agent}, {o.scenario}, {'streamed' if o.streamed else 'plain'}: {o.reason}"
        for o in outcomes
        if o.verdict == "failed"
    ]
    return [*lines, "", *failures] if failures else lines


def as_records(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the outcomes for a program to read."""
    return [
        {
            "provider": outcome.provider,
            "agent": outcome.agent,
            "scenario": outcome.scenario,
            "streamed": outcome.streamed,
            "verdict": outcome.verdict,
            "reason": outcome.reason,
            "seconds": round(outcome.seconds, 3),
        }
        for outcome in outcomes
    ]
