"""The files of the pages hold together: none is missing, unused, changed or fetched elsewhere."""

import hashlib
import re
from pathlib import Path

import pytest

from addon.providers import PASSING

STATIC = Path(__file__).parents[2] / "addon" / "dashboard" / "static"
VENDOR = STATIC / "vendor"
OURS = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)
SHEETS = sorted(STATIC.rglob("*.css"))
PAGE = (STATIC / "index.html").read_text()
NAMESPACES = {"http://www.w3.org/2000/svg"}
LATER = re.compile(r'\bimport\("([^"]+)"\)')
IMPORT = re.compile(r'^(?:import|export)\s(?:[^;"]*\sfrom\s)?"([^"]+)";', re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(STATIC))


def imports(path: Path, *patterns: re.Pattern[str]) -> set[Path]:
    text = path.read_text(encoding="utf-8")
    found = {target for pattern in patterns for target in pattern.findall(text)}
    return {(path.parent / target).resolve() for target in found}


def reached_from_the_page(*patterns: re.Pattern[str]) -> set[Path]:
    """Return the modules that the page loads."""
    reached: set[Path] = set()
    waiting = {STATIC / "app.js"}
    while waiting:
        module = waiting.pop()
        assert module.is_file(), module
        reached.add(module)
        waiting |= imports(module, *patterns) - reached
    return reached


def test_every_module_is_there_and_used() -> None:
    reached = reached_from_the_page(IMPORT, LATER)
    assert set(OURS) - reached == {STATIC / "theme.js"}
    assert {path for path in reached if VENDOR in path.parents} == set(VENDOR.glob("*.js"))


def test_the_page_names_every_style_sheet_and_nothing_that_is_missing() -> None:
    named = set(re.findall(r'(?:href|src)="static/([^"]+)"', PAGE))
    assert {name(path) for path in SHEETS} | {"app.js", "theme.js"} <= named
    assert all((STATIC / file).is_file() for file in named)


def test_what_is_shown_first_is_fetched_all_at_once() -> None:
    preloaded = set(re.findall(r'rel="modulepreload" href="static/([^"]+)"', PAGE))
    assert preloaded == {name(path) for path in reached_from_the_page(IMPORT)} - {"app.js"}


def test_the_page_has_neither_script_nor_style_within_itself() -> None:
    assert "<style" not in PAGE
    assert not re.findall(r"<script(?![^>]*src=)", PAGE)
    assert not re.findall(r"\s(?:on\w+|style)=", PAGE)


@pytest.mark.parametrize("path", [*OURS, *SHEETS, STATIC / "index.html"], ids=name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    addresses = set(re.findall(r"https?://[\w./-]+", text))
    assert addresses <= NAMESPACES


@pytest.mark.parametrize("path", OURS, ids=name)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("/**")


def test_vendored_files_are_the_ones_that_their_readme_names() -> None:
    table = (VENDOR / "README.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+\.js)` .*`([0-9a-f]{64})`", table, re.MULTILINE))
    assert rows == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")
    }
    for licence in re.findall(r"`(LICENSE-\w+)`", table):
        assert (VENDOR / licence).stat().st_size > 500


def test_the_form_of_a_rule_knows_which_failures_pass_on() -> None:
    form = (STATIC / "pages" / "rules" / "rule_form.js").read_text()
    (listed,) = re.findall(r"const PASSING = \[([^\]]*)\]", form)
    assert set(re.findall(r'"(\w+)"', listed)) == set(PASSING)
