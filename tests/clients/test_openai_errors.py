"""The unmodified openai SDK raises for a provider's errors what it raises for OpenAI's own."""

from __future__ import annotations

import pytest

from tests.support.clients import Outcomes, RunningDetour

STATUSES = [
    ("authentication", "AuthenticationError", 401, "invalid_api_key"),
    ("authentication_streamed", "AuthenticationError", 401, "invalid_api_key"),
    ("permission", "PermissionDeniedError", 403, "permission_error"),
    ("not_found", "NotFoundError", 404, "model_not_found"),
    ("too_large", "BadRequestError", 400, "request_too_large"),
    ("rate_limit", "RateLimitError", 429, "rate_limit_exceeded"),
    ("internal", "InternalServerError", 500, "api_error"),
    ("overloaded", "InternalServerError", 503, "server_is_overloaded"),
    ("overloaded_streamed", "InternalServerError", 503, "server_is_overloaded"),
    ("gateway", "InternalServerError", 502, None),
    ("bad_request", "BadRequestError", 400, "invalid_request_error"),
    ("context_length", "BadRequestError", 400, "context_length_exceeded"),
    ("cut_plain", "InternalServerError", 502, "upstream_cut"),
    ("blocked", "PermissionDeniedError", 403, "blocked_by_detour"),
]
WORDS = [
    ("permission", "Not for you"),
    ("not_found", "model: claude-x"),
    ("rate_limit", "Slow down"),
    ("internal", "Oh dear"),
    ("bad_request", "messages: no good"),
    ("context_length", "prompt is too long"),
]


@pytest.fixture(scope="module")
def claude(detour: RunningDetour) -> Outcomes:
    return detour.run("openai_errors.py")


@pytest.fixture(scope="module")
def compatible(detour: RunningDetour) -> Outcomes:
    return detour.run("openai_errors.py", "compatible")


@pytest.fixture(params=["claude", "compatible"])
def either(request: pytest.FixtureRequest) -> Outcomes:
    """The answers of both kinds of provider; the agent cannot tell them apart."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(("case", "error", "status", "code"), STATUSES)
def test_the_exception(
    either: Outcomes, case: str, error: str, status: int, code: str | None
) -> None:
    facts = either[case]
    assert (facts["error"], facts["status_code"], facts["code"]) == (error, status, code)
    assert facts["headers"]["content-type"] == "application/json"
    assert facts["body"].keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize(("case", "words"), WORDS)
def test_the_providers_words_reach_the_agent(either: Outcomes, case: str, words: str) -> None:
    assert words in either[case]["text"]


def test_the_provider_says_when_to_come_back(either: Outcomes) -> None:
    assert either["rate_limit"]["headers"]["retry-after"] == "7"


def test_the_call_can_be_named_to_the_provider(either: Outcomes) -> None:
    assert either["internal"]["request_id"].startswith("req_")


def test_the_sdks_own_retry_waits_and_succeeds(either: Outcomes) -> None:
    assert either["retried"]["text"] == "Well"
    assert 1 <= either["retried"]["seconds"] < 4
    assert [request.status for request in either.requests("retried")] == [429, 200]


def test_an_ill_formed_request_never_reaches_claude(claude: Outcomes) -> None:
    facts = claude["ill_formed"]
    assert (facts["error"], facts["param"]) == ("BadRequestError", "messages[0].role")
    assert claude.requests("ill_formed") == []


def test_audio_is_refused_by_name_where_it_cannot_be_heard(
    claude: Outcomes, compatible: Outcomes
) -> None:
    facts = claude["audio"]
    assert (facts["error"], facts["param"]) == ("BadRequestError", "input_audio")
    assert claude.requests("audio") == []
    assert compatible["audio"]["choices"], "a provider of the same format may well hear it"


def test_an_error_in_the_stream_is_raised(either: Outcomes) -> None:
    facts = either["in_stream"]
    assert (facts["error"], facts["code"]) == ("APIError", "server_is_overloaded")
    assert facts["said"].startswith("word1")
    assert facts["finish_reasons"] == []


@pytest.mark.parametrize("case", ["cut", "reset", "ended_early"])
def test_a_stream_that_breaks_off_is_no_success(either: Outcomes, case: str) -> None:
    facts = either[case]
    assert (facts["error"], facts["code"]) == ("APIError", "upstream_cut")
    assert facts["said"].startswith("word1")
    assert facts["finish_reasons"] == []


def test_no_error_tells_a_key(either: Outcomes) -> None:
    for case, *_ in STATUSES:
        assert "bad-key" not in str(either[case])
        assert "sk-provider" not in str(either[case])
