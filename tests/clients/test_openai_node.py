"""The unmodified openai SDK for Node, where it is installed: tests download nothing."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support.clients import Outcomes, RunningDetour
from tests.support.program import ROOT

FIND = "console.log(require.resolve('openai', {paths: [process.cwd(), ...module.paths]}))"


def find_package() -> str:
    """Return the file that the package `openai` begins with; skip where there is none."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    found = subprocess.run([node, "-e", FIND], cwd=ROOT, capture_output=True, text=True)
    if found.returncode:
        pytest.skip("the npm package openai is not installed (NODE_PATH may name its folder)")
    return found.stdout.strip()


@pytest.fixture(scope="module", params=[None, "compatible"], ids=["claude", "compatible"])
def outcomes(detour: RunningDetour, request: pytest.FixtureRequest) -> Outcomes:
    return detour.run("openai_node.mjs", request.param, OPENAI_PACKAGE=find_package())


@pytest.mark.parametrize("case", ["create", "stream", "stream_helper"])
def test_an_answer(outcomes: Outcomes, case: str) -> None:
    assert outcomes[case] == "Good day"


def test_a_tool_and_its_result(outcomes: Outcomes) -> None:
    assert outcomes["tools"] == "Found"
    assert len(outcomes.requests("tools")) == 2


def test_errors_are_thrown(outcomes: Outcomes) -> None:
    assert outcomes["error"] == {
        "error": "RateLimitError",
        "status": 429,
        "code": "rate_limit_exceeded",
    }
    assert outcomes["cut"] == {"error": "APIError", "code": "upstream_cut"}
