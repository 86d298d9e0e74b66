"""The unmodified asynchronous openai SDK, with many calls at once."""

from __future__ import annotations

import time

import pytest

from tests.support.clients import Outcomes, RunningDetour


@pytest.fixture(scope="module", params=[None, "compatible"], ids=["claude", "compatible"])
def outcomes(detour: RunningDetour, request: pytest.FixtureRequest) -> Outcomes:
    return detour.run("openai_async.py", request.param)


@pytest.mark.parametrize("case", ["create", "stream", "stream_helper"])
def test_an_answer(outcomes: Outcomes, case: str) -> None:
    assert outcomes[case] == "Good day"


def test_structured_output_is_parsed(outcomes: Outcomes) -> None:
    assert outcomes["parse"] is True


def test_a_tool_and_its_result(outcomes: Outcomes) -> None:
    assert outcomes["tools"] == "Found"


def test_answers_of_calls_at_the_same_time_do_not_mix(outcomes: Outcomes) -> None:
    assert outcomes["many"] is True
    assert len(outcomes.requests("many")) == 10


def test_an_error_is_raised(outcomes: Outcomes) -> None:
    assert outcomes["error"]["error"] == "InternalServerError"
    assert outcomes["cut"]["error"] == "APIError"


def test_the_provider_is_left_when_the_agent_leaves(outcomes: Outcomes) -> None:
    assert outcomes["left"] is True
    (request,) = outcomes.requests("left")
    deadline = time.monotonic() + 5
    while not request.disconnected.is_set() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert request.disconnected.is_set()
