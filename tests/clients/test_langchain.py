"""LangChain's unmodified ChatOpenAI."""

from __future__ import annotations

import pytest

from tests.support.clients import Outcomes, RunningDetour


@pytest.fixture(scope="module", params=[None, "compatible"], ids=["claude", "compatible"])
def outcomes(detour: RunningDetour, request: pytest.FixtureRequest) -> Outcomes:
    return detour.run("langchain_chat.py", request.param)


def test_invoke(outcomes: Outcomes) -> None:
    facts = outcomes["invoke"]
    assert facts["text"] == "Good day"
    assert facts["usage"]["total_tokens"] > 2
    assert facts["meta"]["finish_reason"] == "stop"


def test_stream(outcomes: Outcomes) -> None:
    facts = outcomes["stream"]
    assert facts["pieces"] == ["Good ", "day ", "to ", "you"]
    assert facts["finish_reason"] == "stop"
    assert facts["usage"]["output_tokens"] > 1


def test_a_bound_tool_is_called_and_its_result_answered(outcomes: Outcomes) -> None:
    expected = {"args": {"first": 6, "second": 7}, "result": "42", "text": "It is 42"}
    assert outcomes["bind_tools"] == expected


def test_streamed_calls_are_put_together(outcomes: Outcomes) -> None:
    assert outcomes["stream_tools"] == [
        ["multiply", {"first": 6, "second": 7}],
        ["multiply", {"first": 1}],
    ]


def test_a_forced_tool(outcomes: Outcomes) -> None:
    assert outcomes["forced_tool"] == ["multiply"]


@pytest.mark.parametrize("way", ["schema", "tool", "json"])
def test_structured_output(outcomes: Outcomes, way: str) -> None:
    assert outcomes[f"structured_by_{way}"] is True


def test_errors_are_raised(outcomes: Outcomes) -> None:
    error = outcomes["error"]
    assert error["error"].endswith("AuthenticationError")
    assert error["status_code"] == 401
    assert outcomes["cut"]["error"] == "APIError"
