"""What a benchmark finds: single costs, and comparisons of Detour with bare mitmproxy."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

type Rounds = dict[str, list[list[float]]]
"""Measurements of each way (`direct`, `bare`, `detour`), round by round."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Something that Detour's own code takes."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    """What it may be at most; None where nothing was promised."""

    @property
    def within(self) -> bool | None:
        """Whether the budget is kept."""
        return None if self.budget is None else self.value <= self.budget


@dataclass(frozen=True)
class Costs:
    """The same in several circumstances."""

    name: str
    values: dict[str, float | None]
    """By circumstance, the same for all rows of a section; None where there is no such thing."""
    unit: str
    budget: float | None = None
    """What each may be at most."""

    @property
    def within(self) -> bool | None:
        """Whether the budget is kept everywhere."""
        if self.budget is None:
            return None
        return all(value <= self.budget for value in self.values.values() if value is not None)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The same thing without a proxy, through bare mitmproxy and through Detour."""

    name: str
    unit: str
    direct: float | None
    bare: float
    detour: float | None
    lowest: float | None = None
    """The lowest ratio in any round."""
    highest: float | None = None
    target: float | None = None
    """What the ratio may be at most; None where nothing was promised."""
    allowance: float = 0
    """What Detour may take beyond that, in the unit, for work that has a budget of its own."""

    @property
    def ratio(self) -> float | None:
        """Detour in terms of bare mitmproxy."""
        return self.detour / self.bare if self.detour is not None and self.bare else None

    @property
    def within(self) -> bool | None:
        """Whether the target is met."""
        if self.target is None or self.detour is None:
            return None
        return self.detour <= self.target * self.bare + self.allowance


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The same thing with something switched off, and on."""

    name: str
    unit: str
    off: float
    on: float
    lowest: float
    """The lowest ratio in any round."""
    highest: float
    least: float | None = None
    """What the ratio must be at least; None where nothing was promised."""
    most: float | None = None
    """What it may be at most."""

    @property
    def ratio(self) -> float:
        """On in terms of off."""
        return self.on / self.off

    @property
    def within(self) -> bool | None:
        """Whether the promise is kept."""
        if self.least is not None:
            return self.ratio >= self.least
        return None if self.most is None else self.ratio <= self.most


def contrast(
    name: str,
    unit: str,
    off: Sequence[float],
    on: Sequence[float],
    *,
    scale: float = 1.0,
    least: float | None = None,
    most: float | None = None,
) -> Contrast:
    """Sum up rounds that took both in turn, one figure of each by round."""
    ratios = [after / before for before, after in zip(off, on, strict=True)]
    return Contrast(
        name=name,
        unit=unit,
        off=p50(off) * scale,
        on=p50(on) * scale,
        lowest=min(ratios),
        highest=max(ratios),
        least=least,
        most=most,
    )


@dataclass(frozen=True)
class Section:
    """Figures that belong together."""

    name: str
    title: str
    rows: Sequence[Cost | Costs | Comparison | Contrast]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` percent of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(len(ordered) * share / 100))]


def p50(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """Return the value that one in twenty exceeds."""
    return percentile(values, 95)


def compare(
    name: str,
    unit: str,
    samples: Rounds,
    *,
    statistic: Callable[[Sequence[float]], float] = p50,
    scale: float = 1.0,
    target: float | None = None,
    allowance: float = 0,
) -> Comparison:
    """Sum up interleaved rounds.

    Args:
        name: What was measured.
        unit: In what, after scaling.
        samples: What the rounds gave; a way that is missing has nothing to say.
        statistic: What is told of the samples of all rounds together.
        scale: Factor from what was measured to the unit.
        target: What the ratio may be at most.
        allowance: What Detour may take beyond that, in the unit.
    """

    def overall(way: str) -> float | None:
        values = [value for values in samples.get(way, ()) for value in values]
        return statistic(values) * scale if values else None

    bare = overall("bare")
    assert bare is not None
    rounds = zip(samples.get("detour", ()), samples["bare"], strict=False)
    ratios = [statistic(ours) / max(statistic(theirs), 1e-12) for ours, theirs in rounds]
    return Comparison(
        name=name,
        unit=unit,
        direct=overall("direct"),
        bare=bare,
        detour=overall("detour"),
        lowest=min(ratios, default=None),
        highest=max(ratios, default=None),
        target=target,
        allowance=allowance,
    )
