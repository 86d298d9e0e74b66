"""Every agent that is installed does its task, whatever its provider speaks.

That takes minutes, so it is done where somebody asks for it: DETOUR_AGENTS_HOME names the folder
that `run.py --install` has filled.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.agents.agent import Agent
from tests.agents.catalogue import AGENTS
from tests.agents.stage import PROVIDER_FORMATS, Stage
from tests.agents.trial import finish, run_trial, start, what_is_wrong


@pytest.mark.parametrize("provider_format", PROVIDER_FORMATS)
@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.label)
def test_an_agent_does_its_task(
    agent: Agent, provider_format: str, home: Path, stage: Stage
) -> None:
    require(agent, home)
    outcome = run_trial(agent, provider_format, stage, home)
    assert outcome.passed, f"{outcome.happened}\n{outcome.said}"


def test_agents_work_side_by_side(home: Path, stage: Stage) -> None:
    pairs = [("codex", "gemini"), ("opencode", "anthropic"), ("openai-python", "openai-chat")]
    running = []
    for name, provider_format in pairs:
        agent = require(named(name), home)
        folder = stage.new_folder()
        running.append((start(agent, provider_format, stage, home, folder), folder))
    for process, folder in running:
        code, said = finish(process)
        assert what_is_wrong(code, said, folder) == ""


@pytest.mark.parametrize("provider_format", PROVIDER_FORMATS)
@pytest.mark.parametrize("name", ["codex", "opencode", "openai-python", "openai-node"])
def test_an_interrupted_agent_interrupts_its_provider(
    name: str, provider_format: str, home: Path, stage: Stage
) -> None:
    agent = replace(require(named(name), home), task="[[silent 60]] [[say Too late.]]")
    asked, read = len(stage.provider.requests), stage.log.stat().st_size
    process = start(agent, provider_format, stage, home, stage.new_folder())
    try:
        wait_for(lambda: len(stage.provider.requests) > asked)
        os.killpg(process.pid, signal.SIGINT)
        wait_for(lambda: b"the agent left" in stage.log.read_bytes()[read:])
    finally:
        code, _ = finish(process, 10)
    assert code is not None


def wait_for(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def named(name: str) -> Agent:
    return next(agent for agent in AGENTS if agent.label == name)


def require(agent: Agent, home: Path) -> Agent:
    if not agent.is_installed(home):
        pytest.skip(f"{agent.label} {agent.version} is not installed in {home}")
    return agent
