"""Names and sizes that keep the tree readable, and importable from within mitmproxy."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADDON = ROOT / "addon"
MOST_LINES = 450
VENDORED = {"vendor", "axe"}
"""Folders of what others have written."""
VAGUE = {"utils", "util", "helpers", "common", "misc", "types"}


def tracked(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_no_module_of_the_addon_hides_one_that_mitmproxy_needs():
    # `mitmproxy -s addon/main.py` puts this folder first on the module path.
    ours = {path.stem for path in ADDON.iterdir()} - {"__init__", "__main__", "__pycache__", "main"}
    installed = set(importlib.metadata.packages_distributions()) - {"addon"}
    assert not ours & (set(sys.stdlib_module_names) | installed)


def test_no_file_is_longer_than_a_person_reads():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked("*.py", "*.js", "*.css", "*.html", "scripts/*")
        if path.parent.name not in VENDORED
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_no_module_has_a_name_that_says_nothing():
    assert not [path for path in tracked("*.py") if path.stem in VAGUE]


def test_every_module_of_the_addon_says_what_it_is_for():
    silent = [
        path
        for path in ADDON.rglob("*.py")
        if not path.read_text(encoding="utf-8").startswith(('"""', "#!"))
    ]
    assert silent == []
