"""What README and the pages under docs say of rules, providers and files is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.providers import BUILT_IN
from tests.support.program import ROOT
from tests.support.reader import README, blocks

PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, text in enumerate(blocks(page.read_text(), "yaml"), 1)
]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("rules", EXAMPLES)
def test_an_example_is_valid(rules: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(rules)
    result = CliRunner().invoke(detour, ["check", str(file)])
    assert result.exit_code == 0, result.output


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_built_in_providers_are_named() -> None:
    (line,) = re.findall(r"Built-in providers: `([^`]+)`", README.read_text())
    assert line.split() == list(BUILT_IN)
