"""Figures as tables for people, as JSON for programs, and as `docs/performance.md`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import Comparison, Contrast, Cost, Costs, Section
from benchmarks.machine import Machine

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"

_COST_COLUMNS = ("", "cost", "budget", "")
_COMPARISON_COLUMNS = (
    "",
    "unit",
    "no proxy",
    "mitmproxy",
    "Detour",
    "ratio",
    "rounds",
    "target",
    "",
)

_INTRODUCTION = """\
# Performance

Written by `scripts/bench.py --write`; every figure below was measured by that run.

| | |
|---|---|
"""

_EXPLANATION = """\
## How it is measured

**Translation** is measured in one process: CPU time, the best of several repeats, on made-up
requests and answers of the size and shape that coding agents produce. The collector of garbage is
set as `detour serve` sets it. *Growth* compares an amount
with ten times as much: 10 is linear. Every format is read and written, as the agent's and as the
provider's; what reads *unchanged* is the same format on both sides. Gemini gives the arguments of a
call whole, so their number of events does not grow. A request of which *all* is *new* begins like
none before it; of the others only the last message is new, as in the loop of an agent, which sends
the whole conversation with every call.

**The proxy** is measured from outside, in four processes on one machine: an agent that costs next
to nothing (HTTP by hand), a provider that costs next to nothing (fixed bytes in Anthropic's
format), bare mitmproxy, and Detour as `detour serve --ui dump` runs it. TLS is spoken on both sides
of both proxies. Bare mitmproxy has an addon that changes the destination and nothing else; it hands
the provider's bytes to the agent as they are. Detour translates the request from Chat Completions
to Anthropic's Messages, and the answer back. Both run at the same time and are measured in turn,
round by round, so that a machine that gets slower or faster does so for both.

* *ratio* is Detour in terms of bare mitmproxy; *rounds* are the lowest and the highest ratio of any
  round, which tell how far to trust it.
* *First byte* counts from the agent's sending (on a new connection: from its dialling) to the first
  byte of the answer, as the median (p50) and as what one call in twenty exceeds (p95). The provider
  answers at once unless it is said to wait, so what is left is the proxy. The last message of each
  request is new; where all of it is, the target allows for the translation, which has a budget of
  its own.
* *Provider to agent* is the time that a text delta takes from the provider's socket to the agent.
* *Records and views*: two Detours in mitmweb, one of which keeps a record of every exchange and
  both streams of it for the views, as it does where nothing is said, and one that does neither
  (`detour_ledger_size=0`, `detour_stream_limit=0`). Fifty agents call at once, and call again as
  soon as they are answered. mitmweb holds 500 flows and lets the oldest go.
* *CPU* is that of the proxy's process, user and system; per chunk it is taken while all streams
  run, so that it holds nothing of the requests.

Repeat it on a machine that does nothing else:

```sh
.venv/bin/python scripts/bench.py
```

`scripts/test` sets `.venv` up. `--quick` takes half a minute and shows the order of magnitude,
`--only translation` measures one part, `--json` writes for programs, `--write` renews this page.
"""


def as_text(machine: Machine, sections: Sequence[Section]) -> str:
    """Write tables for a screen."""
    lines = [f"{name}: {value}" for name, value in _circumstances(machine)]
    for section in sections:
        rows = _rows(section)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += ["", section.title, ""]
        lines += [
            "  ".join(
                cell.ljust(width) if number == 0 else cell.rjust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
    return "\n".join(lines)


def as_json(machine: Machine, sections: Sequence[Section]) -> str:
    """Write everything as one JSON object, sections by name."""
    figures = {
        section.name: [
            {
                **asdict(row),
                **({"ratio": row.ratio} if isinstance(row, Comparison | Contrast) else {}),
            }
            | {"within": row.within}
            for row in section.rows
        ]
        for section in sections
    }
    return json.dumps({"machine": asdict(machine), **figures}, indent=2, ensure_ascii=False)


def as_markdown(machine: Machine, sections: Sequence[Section]) -> str:
    """Write the page for `docs`."""
    pieces = [_INTRODUCTION]
    pieces += [f"| {name} | {value} |\n" for name, value in _circumstances(machine)]
    for section in sections:
        header, *rows = _rows(section)
        rule = "|".join(["---"] + ["---:"] * (len(header) - 1))
        pieces.append(f"\n## {section.title}\n\n{_line(header)}|{rule}|\n")
        pieces += [_line(row) for row in rows]
    return "".join([*pieces, "\n", _EXPLANATION])


def _circumstances(machine: Machine) -> list[tuple[str, str]]:
    rows = [
        ("Date", machine.date),
        ("Machine", f"{machine.cpu}, {machine.cores} cores, {machine.system}"),
        ("Detour", machine.detour),
        ("Python", machine.python),
        (
            "Libraries",
            f"mitmproxy {machine.mitmproxy}, httpx2 {machine.httpx2}, msgspec {machine.msgspec}",
        ),
    ]
    if machine.busy:
        warning = f"{machine.load}: other programs were running, and the figures are doubtful"
        rows.append(("Load", warning))
    return rows


def _rows(section: Section) -> list[tuple[str, ...]]:
    header = _COMPARISON_COLUMNS
    match section.rows[0]:
        case Cost():
            header = _COST_COLUMNS
        case Contrast():
            header = ("", "unit", "off", "on", "ratio", "rounds", "target", "")
        case Costs() as costs:
            header = ("", *costs.values, "budget", "")
        case _:
            pass
    return [header, *map(_cells, section.rows)]


def _cells(row: Cost | Costs | Comparison | Contrast) -> tuple[str, ...]:
    verdict = {True: "kept", False: "MISSED", None: ""}[row.within]
    if isinstance(row, Costs):
        found = [_amount(value, row.unit) for value in row.values.values()]
        budget = "" if row.budget is None else f"{row.budget:g} {row.unit}"
        return row.name, *found, budget, verdict
    if isinstance(row, Cost):
        budget = "" if row.budget is None else f"{row.budget:g} {row.unit}"
        return row.name, f"{_number(row.value)} {row.unit}", budget, verdict
    if isinstance(row, Contrast):
        target = "" if row.most is None else f"at most {row.most:g}"
        target = target if row.least is None else f"at least {row.least:g}"
        rounds = f"{row.lowest:.2f}-{row.highest:.2f}"
        measured = _number(row.off), _number(row.on), f"{row.ratio:.2f}"
        return row.name, row.unit, *measured, rounds, target, verdict
    measured = map(_number, (row.direct, row.bare, row.detour))
    rounds = "" if row.lowest is None else f"{row.lowest:.2f}-{row.highest:.2f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    target = "" if row.target is None else f"{row.target:g}"
    if row.allowance:
        target += f" + {row.allowance:g} {row.unit}"
    return row.name, row.unit, *measured, ratio, rounds, target, verdict


def _amount(value: float | None, unit: str) -> str:
    return "" if value is None else f"{_number(value)} {unit}"


def _number(value: float | None) -> str:
    """Write three digits that count."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return (
        f"{value:.1f}"
        if abs(value) >= 10
        else f"{value:.2f}"
        if abs(value) >= 1
        else f"{value:.3f}"
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
