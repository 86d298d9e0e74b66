"""The unmodified anthropic SDK, answered by a provider of Chat Completions or by Claude itself."""

from __future__ import annotations

import pytest

from tests.support.clients import Outcomes, RunningDetour


@pytest.fixture(scope="module", params=[None, "native"], ids=["compatible", "claude"])
def outcomes(detour: RunningDetour, request: pytest.FixtureRequest) -> Outcomes:
    return detour.run("anthropic_messages.py", request.param)


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """The address that the provider is called at."""
    native = request.node.callspec.params["outcomes"] == "native"
    return "/v1/messages" if native else "/v1/chat/completions"


def test_a_plain_answer(outcomes: Outcomes, path: str) -> None:
    facts = outcomes["create"]
    assert (facts["text"], facts["stop_reason"]) == ("Good day", "end_turn")
    assert facts["model"]
    assert facts["output_tokens"] > 1
    (request,) = outcomes.requests("create")
    assert request.path == path
    assert not any("sk-of-the-agent" in value for _, value in request.headers)


def test_a_stream(outcomes: Outcomes) -> None:
    facts = outcomes["stream"]
    assert facts["pieces"] == ["Good ", "day ", "to ", "you"]
    assert facts["stop_reason"] == "end_turn"


def test_thoughts_come_before_the_answer(outcomes: Outcomes) -> None:
    assert outcomes["thinking"] == ["thinking: Let me see", "text: 42"]


def test_tools_and_their_results(outcomes: Outcomes) -> None:
    first, second = outcomes["tools"]
    assert first["calls"] == [["look_up", {"word": "a"}], ["look_up", {"word": "b"}]]
    assert first["stop_reason"] == "tool_use"
    assert second["text"] == "Found"


def test_errors_are_raised(outcomes: Outcomes) -> None:
    error = outcomes["rate_limit"]
    assert (error["error"], error["status_code"]) == ("RateLimitError", 429)
    assert error["headers"]["retry-after"] == "7"
    assert "Slow down" in error["text"]


def test_a_stream_that_breaks_off_is_no_success(outcomes: Outcomes) -> None:
    assert outcomes["cut"]["error"] in ("APIStatusError", "InternalServerError", "APIError")
