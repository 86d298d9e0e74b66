"""README's table of phases is what the signatures say."""

from __future__ import annotations

from addon.rules import SIGNATURES
from scripts.phase_table import README, TITLES, rewritten


def test_the_table_is_as_the_signatures_are() -> None:
    readme = README.read_text(encoding="utf-8")
    assert rewritten(readme) == readme, "run `python -m scripts.phase_table`"


def test_every_agent_is_told_of() -> None:
    assert set(TITLES) == set(SIGNATURES)
