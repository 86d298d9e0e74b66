"""What is said where an optional package is missing."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from addon import optional_packages
from addon.optional_packages import installing, not_installed

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_installed_package_is_told_to_use_pip(
    extra: optional_packages.Extra, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert not_installed(extra).endswith(
        f" is not installed; run pip install 'detour-proxy[{extra}]'"
    )
    package = not_installed(extra).split()[2]
    assert any(wanted.startswith(f"{package}>=") for wanted in EXTRAS[extra])


def test_a_checkout_is_told_of_its_own_script(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(ROOT / ".venv"))
    assert installing("plot") == str(ROOT / "scripts" / "extras")
    # A checkout that somebody's own mitmproxy loads has no say over that one's packages.
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert installing("plot") == "pip install 'detour-proxy[plot]'"
