"""Keeps the dashboard's tests from the keys of whoever runs them."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DETOUR_KEY", raising=False)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home."""
    return tmp_path_factory.mktemp("home")
