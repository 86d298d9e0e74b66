from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from addon.engine.ratelimits import translate_rate_limits

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)

ANTHROPIC = (
    ("anthropic-ratelimit-requests-limit", "50"),
    ("anthropic-ratelimit-requests-remaining", "49"),
    ("anthropic-ratelimit-requests-reset", "2026-11-20T12:00:01Z"),
    ("anthropic-ratelimit-input-tokens-reset", "2026-11-20T12:06:00Z"),
    ("other", "1"),
)
OPENAI = (
    ("x-ratelimit-limit-requests", "50"),
    ("x-ratelimit-remaining-requests", "49"),
    ("x-ratelimit-reset-requests", "1s"),
    ("x-ratelimit-reset-input-tokens", "6m0s"),
)


def test_from_anthropic_to_openai():
    assert translate_rate_limits(ANTHROPIC, "anthropic", "openai-chat", NOW) == OPENAI


def test_from_openai_to_anthropic():
    assert translate_rate_limits(OPENAI, "openai-chat", "anthropic", NOW) == ANTHROPIC[:-1]


def test_the_same_words_stay():
    assert translate_rate_limits(ANTHROPIC, "anthropic", "anthropic", NOW) == ANTHROPIC[:-1]
    assert translate_rate_limits(OPENAI, "openai-chat", "openai-responses", NOW) == OPENAI


def test_unreadable_ones_are_left_out():
    headers = (
        ("x-ratelimit-reset-tokens", "soon"),
        ("x-ratelimit-reset-requests", "1.2.3s"),
        ("x-ratelimit-remaining-requests", "3"),
    )
    assert translate_rate_limits(headers, "openai-chat", "anthropic", NOW) == (
        ("anthropic-ratelimit-requests-remaining", "3"),
    )
    broken = (("anthropic-ratelimit-requests-reset", "tomorrow"),)
    assert translate_rate_limits(broken, "anthropic", "openai-chat", NOW) == ()


@given(st.integers(0, 90_000))
def test_a_reset_survives_the_way_there_and_back(seconds):
    moment = datetime.fromtimestamp(NOW.timestamp() + seconds, UTC).isoformat()
    there = translate_rate_limits(
        (("anthropic-ratelimit-tokens-reset", moment),), "anthropic", "openai-chat", NOW
    )
    ((_, back),) = translate_rate_limits(there, "openai-chat", "anthropic", NOW)
    assert datetime.fromisoformat(back) == datetime.fromisoformat(moment)


@given(st.text(max_size=30))
def test_no_value_of_a_provider_does_harm(value):
    for name, source, target in (
        ("x-ratelimit-reset-tokens", "openai-chat", "anthropic"),
        ("anthropic-ratelimit-tokens-reset", "anthropic", "openai-chat"),
    ):
        translate_rate_limits(((name, value),), source, target, NOW)
