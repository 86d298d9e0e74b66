from collections.abc import Iterator

import pytest

from addon.authority import authority_certificate
from tests.support.clients import RunningDetour, running_detour
from tests.support.program import Machine


@pytest.fixture(scope="session")
def detour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDetour]:
    home = tmp_path_factory.mktemp("clients-home")
    authority_certificate(home / ".mitmproxy")
    with running_detour(Machine(home, tmp_path_factory.mktemp("clients"))) as running:
        yield running
