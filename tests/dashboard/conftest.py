"""Keeps the dashboard's tests from the keys of whoever runs them."""

from pathlib import Path

import pytest

from tests.support.dashboard import Page
from tests.support.proxy import Proxy


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DETOUR_KEY", raising=False)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def page(running: tuple[Page, Proxy]) -> Page:
    """The page of the dashboard that a module runs."""
    return running[0]


@pytest.fixture
def proxy(running: tuple[Page, Proxy]) -> Proxy:
    """The proxy behind it."""
    return running[1]
