from collections.abc import Iterator
from pathlib import Path

import pytest

from addon.authority import authority_certificate
from addon.embedded import EmbeddedProvider
from tests.support.program import Machine, background_provider


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home in which the authority is made already: a key takes a third of a second."""
    home = tmp_path_factory.mktemp("home")
    authority_certificate(home / ".mitmproxy")
    return home


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep commands that run in this process from the keys of whoever runs the tests."""
    home = tmp_path / "own-home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("DETOUR_KEY", raising=False)
    return home / ".detour"


@pytest.fixture
def machine(home: Path, tmp_path: Path) -> Machine:
    return Machine(home, tmp_path)


@pytest.fixture
def provider() -> Iterator[EmbeddedProvider]:
    with background_provider() as provider:
        yield provider
