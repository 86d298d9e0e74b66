"""Gathers what the laws counted, and shows it as one table at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from addon.formats import FORMATS

type Counted = dict[str, dict[tuple[str, str], str]]

_COUNTED = pytest.StashKey[Counted]()
_WIDTH = 40


@pytest.fixture
def matrix(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Remember how the recordings of one format fared in another."""
    counted = request.config.stash.setdefault(_COUNTED, {})

    def remember(
        kind: str, source: str, target: str, outcomes: dict[str, int], failed: int
    ) -> None:
        words = [f"{count} {word}" for word, count in outcomes.items() if count]
        counted.setdefault(kind, {})[source, target] = ", ".join([*words, f"{failed} failed"])

    return remember


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a table for each kind of recording: from the format of a row to that of a column."""
    for kind, cells in terminalreporter.config.stash.get(_COUNTED, {}).items():
        terminalreporter.section(f"recorded {kind}, from the row's format to the column's")
        rows = [["", *FORMATS]]
        rows += [
            [source, *(cells.get((source, target), "-") for target in FORMATS)]
            for source in FORMATS
        ]
        for row in rows:
            terminalreporter.write_line("".join(cell.ljust(_WIDTH) for cell in row).rstrip())
