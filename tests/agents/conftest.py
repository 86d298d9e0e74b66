import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.run import HOME_VARIABLE
from tests.agents.stage import Stage, open_stage


@pytest.fixture(scope="session")
def home() -> Path:
    """Where agents are installed."""
    if not os.environ.get(HOME_VARIABLE):
        pytest.skip(f"{HOME_VARIABLE} does not name a folder with agents (tests/agents/run.py)")
    return Path(os.environ[HOME_VARIABLE])


@pytest.fixture(scope="session")
def stage(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage
