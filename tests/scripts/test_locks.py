"""The lock files name the same versions of what they share, and hold what the project declares."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
_ENTRY = re.compile(r"^(\S+)==(\S+)(?: ; ([^\\\n]+?))? \\\n((?:    --hash=\S+(?: \\)?\n)+)", re.M)


def pins(name: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return version and hashes by name and the environment they are for."""
    text = (ROOT / name).read_text()
    found = {
        (package, where): (version, hashes)
        for package, version, where, hashes in _ENTRY.findall(text)
    }
    assert len(found) == text.count("==") - len(re.findall(r" ; .*==", text))
    return found


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("requirements.lock", "requirements-extras.lock"),
        ("requirements-extras.lock", "requirements-development.lock"),
    ],
)
def test_a_lock_holds_the_lesser_one_with_the_same_pins(less: str, more: str) -> None:
    smaller, larger = pins(less), pins(more)
    assert {place: larger.get(place) for place in smaller} == smaller
    assert len(larger) > len(smaller)


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_packages_of_an_extra_are_locked(extra: str) -> None:
    locked = {
        package: version for (package, _), (version, _) in pins("requirements-extras.lock").items()
    }
    always = {package for package, _ in pins("requirements.lock")}
    for wanted in map(Requirement, EXTRAS[extra]):
        name = canonicalize_name(wanted.name)
        assert wanted.specifier.contains(locked[name], prereleases=True)
        assert name not in always


def test_whoever_develops_has_all_extras() -> None:
    development = set(PROJECT["dependency-groups"]["development"])
    assert development.issuperset(wanted for extra in EXTRAS.values() for wanted in extra)
