"""Every agent that is installed does its task, whatever its provider speaks.

That takes minutes, so it is done where somebody asks for it: DETOUR_AGENTS_HOME names the folder
that `run.py --install` has filled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.agent import Agent
from tests.agents.catalogue import AGENTS
from tests.agents.run import HOME_VARIABLE
from tests.agents.stage import PROVIDER_FORMATS, Stage, open_stage
from tests.agents.trial import run_trial

HOME = os.environ.get(HOME_VARIABLE)
pytestmark = pytest.mark.skipif(
    not HOME, reason=f"{HOME_VARIABLE} does not name a folder with agents (tests/agents/run.py)"
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.mark.parametrize("provider_format", PROVIDER_FORMATS)
@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.label)
def test_an_agent_does_its_task(agent: Agent, provider_format: str, stage: Stage) -> None:
    home = Path(HOME or "")
    if not agent.is_installed(home):
        pytest.skip(f"{agent.label} {agent.version} is not installed in {home}")
    outcome = run_trial(agent, provider_format, stage, home)
    assert outcome.passed, f"{outcome.happened}\n{outcome.said}"
