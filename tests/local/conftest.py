from collections.abc import Iterator

import pytest

from addon.engine import local_servers
from tests.support.llama_server import llama_server


@pytest.fixture(scope="session")
def llama_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with llama_server(
        tmp_path_factory.mktemp("llama"), "--embeddings", "--pooling", "mean"
    ) as port:
        yield port


@pytest.fixture
def llama(llama_port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a llama.cpp that Detour finds where it usually listens."""
    monkeypatch.setattr(local_servers, "PORTS", {llama_port: "llama.cpp"})
    return f"http://127.0.0.1:{llama_port}"
