"""Draws what was used over time: cost and tokens as stacked bars.

This needs matplotlib, which is an extra.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from addon.ledger import Grouping, Point, Reader, Selection, Step, starts

_library: Any = matplotlib
"""Its own types are incomplete."""

_HOURS = 49 * 3600
"""Seconds up to which bars stand for hours, and for days beyond."""
_MOST = 7
"""Colours; where there are more groups, the last one is for the smallest of them together."""
_MOST_BARS = 400
_MOST_LABELS = 12
_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#a463f2", "#9c6b4e")
_REST = "#b8bcc4"
_TEXT = "#24292f"
_FAINT = "#6e7781"
_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _TEXT,
    "axes.labelcolor": _TEXT,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "svg.fonttype": "none",
    "svg.hashsalt": "detour",
}


class _Group:
    """What one agent, model, ... used, by hour or day."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.cost: dict[str, float] = defaultdict(float)
        self.tokens: dict[str, int] = defaultdict(int)
        self.dollars = 0.0
        self.count = self.unpriced = 0

    def add(self, point: Point) -> None:
        self.points.append(point)
        self.cost[point.start] += _cost(point)
        self.tokens[point.start] += _tokens(point)
        self.dollars += _cost(point)
        self.count += _tokens(point)
        self.unpriced += point.unpriced

    @property
    def rank(self) -> tuple[float, int]:
        """What it is ordered by: the dearest first."""
        return -self.dollars, -self.count


class _Layer(NamedTuple):
    """One colour of the bars."""

    colour: str
    cost: list[float]
    tokens: list[int]
    label: str


def draw(reader: Reader, chosen: Selection, by: Sequence[Grouping], path: Path, now: float) -> None:
    """Draw into a file, as PNG or SVG by its suffix.

    Args:
        reader: The ledger.
        chosen: Of which exchanges.
        by: What has a colour of its own.
        path: The file.
        now: Until when, where the selection does not say; seconds since 1970.

    Raises:
        OSError: The file cannot be written.
        sqlite3.Error: The ledger cannot be read.
    """
    until = now if chosen.until is None else chosen.until
    step: Step = "hour" if until - chosen.since <= _HOURS else "day"
    by = [name for name in by if name != "day"]
    points = reader.series(step, chosen, by)
    first = datetime.fromisoformat(points[0].start).timestamp() if points else until
    bars = starts(step, max(chosen.since, first), until)[-_MOST_BARS:]
    layers = _layers(points, bars)
    with _library.rc_context(_STYLE):
        figure: Any = Figure(figsize=(10, 6.4), dpi=150, facecolor="white", layout="constrained")
        figure.get_layout_engine().set(w_pad=0.14, h_pad=0.14)
        above, below = figure.subplots(2, 1, sharex=True)
        width = 0.82 if len(bars) > 1 else 0.3
        _stack(above, [layer.cost for layer in layers], layers, width)
        _stack(below, [layer.tokens for layer in layers], layers, width)
        dollars = FuncFormatter(_dollar_form(above.get_ylim()[1]))
        _finish(above, _title("Cost", sum(map(_cost, points)), points), dollars)
        tokens = _short(sum(map(_tokens, points)))
        _finish(below, f"Tokens, read and written: {tokens}", FuncFormatter(_token_tick))
        places, labels = _labels(step, bars)
        below.set_xticks(places, labels)
        below.set_xlim(-0.6, max(len(bars) - 0.4, 0.6))
        if by and layers:
            handles, names = above.get_legend_handles_labels()
            figure.legend(
                handles,
                names,
                loc="outside right upper",
                frameon=False,
                title=", ".join(by),
                alignment="left",
                labelspacing=0.9,
            )
        metadata: dict[str, Any] = {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, format=path.suffix.lower()[1:], metadata=metadata)


def _layers(points: Sequence[Point], bars: Sequence[str]) -> list[_Layer]:
    """Give the largest groups a colour each, the largest first, and the rest one together."""
    groups: dict[str, _Group] = defaultdict(_Group)
    for point in points:
        groups[" · ".join(key or "?" for key in point.keys)].add(point)
    ranked = sorted(groups.items(), key=lambda entry: (*entry[1].rank, entry[0]))
    own = ranked if len(ranked) <= _MOST else ranked[: _MOST - 1]
    shown = [(name, group, colour) for (name, group), colour in zip(own, _COLOURS, strict=False)]
    if rest := ranked[len(own) :]:
        together = _Group()
        for _, group in rest:
            for point in group.points:
                together.add(point)
        shown.append((f"{len(rest)} others", together, _REST))
    return [
        _Layer(
            colour,
            [group.cost[bar] for bar in bars],
            [group.tokens[bar] for bar in bars],
            f"{_cut(name)}\n{_money(group.dollars, group.unpriced)}, {_short(group.count)} tokens",
        )
        for name, group, colour in shown
    ]


def _stack(
    axes: Any,  # noqa: ANN401 - of matplotlib, whose types are incomplete
    values: Sequence[Sequence[float]],
    layers: Sequence[_Layer],
    width: float,
) -> None:
    bottom = [0.0] * (len(values[0]) if values else 0)
    for heights, layer in zip(values, layers, strict=True):
        axes.bar(
            range(len(heights)),
            heights,
            width,
            bottom,
            color=layer.colour,
            label=layer.label,
            linewidth=0.4,
            edgecolor="white",
        )
        bottom = [low + high for low, high in zip(bottom, heights, strict=True)]
    axes.set_ylim(0, max(bottom, default=0) * 1.08 or 1)


def _finish(axes: Any, title: str, form: FuncFormatter) -> None:  # noqa: ANN401 - as above
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=10)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(form)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#c5cad1")


def _labels(step: Step, bars: Sequence[str]) -> tuple[list[int], list[str]]:
    """Name some bars, by the time of this machine; the day or the year where a new one begins."""
    stride = max(-(-len(bars) // _MOST_LABELS), 1)
    places = list(range(0, len(bars), stride))
    moments = [datetime.fromisoformat(bars[place]) for place in places]
    if step == "day":
        texts = [f"{moment.day} {moment:%b}" for moment in moments]
        marks = [f"{moment:%Y}" for moment in moments]
    else:
        moments = [moment.astimezone() for moment in moments]
        texts = [f"{moment:%H:%M}" for moment in moments]
        marks = [f"{moment.day} {moment:%b}" for moment in moments]
    news = [True, *(before != after for before, after in pairwise(marks))]
    return places, [
        f"{text}\n{mark}" if new else text
        for text, mark, new in zip(texts, marks, news, strict=False)
    ]


def _title(what: str, dollars: float, points: Sequence[Point]) -> str:
    unpriced = sum(point.unpriced for point in points)
    title = f"{what}: {_money(dollars, 0)}"
    if not unpriced:
        return title
    requests = "request" if unpriced == 1 else "requests"
    return f"{title}, and {unpriced:,} {requests} of unknown price"


def _cost(point: Point) -> float:
    return point.cost_usd or 0.0


def _tokens(point: Point) -> int:
    return point.input_tokens + point.output_tokens


def _cut(name: str, most: int = 34) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _money(dollars: float, unpriced: int) -> str:
    if unpriced and not dollars:
        return "cost unknown"
    digits = 2 if dollars >= 1 or not dollars else 4
    return f"${dollars:,.{digits}f}" + (" + ?" if unpriced else "")


def _short(count: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.0f}"


def _dollar_form(top: float) -> Callable[[float, float], str]:
    digits = 0 if top >= 20 else 2 if top >= 0.05 else 5
    return lambda value, _: f"${value:,.{digits}f}"


def _token_tick(value: float, _: float) -> str:
    return _short(value)
