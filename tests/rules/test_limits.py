"""How much the calls of a rule may use."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import Excess, Limit, RulesError, Used, load_rules
from addon.rules.limits import PERIODS

NOON = datetime(2026, 5, 17, 12, 34, 56).timestamp()
RULES = """
version: 1
providers:
  anthropic: {{api_key: k}}
  local: {{base_url: 'http://127.0.0.1:1/v1', models: [small]}}
rules:
  - name: one
    use: anthropic:claude-sonnet-5-5
    limit: {limit}
"""


def load(limit):
    return load_rules(RULES.format(limit=limit), "rules.yaml", {})


def limits(text):
    return load(text).rules[0].limits


def test_one_limit_or_several():
    assert limits("{requests: 3}") == (Limit(requests=3, per="day"),)
    first, second = limits(
        "[{tokens: 5, cost_usd: 0.5, per: hour, by: agent}, {requests: 9, else: local:small}]"
    )
    assert first == Limit(tokens=5, cost_usd=0.5, per="hour", by_agent=True)
    assert [target.provider for target in second.otherwise] == ["local"]
    assert limits("{requests: 1, else: block}")[0].otherwise == "block"


@pytest.mark.parametrize(
    ("limit", "complaint"),
    [
        ("{per: day}", "9:12: limit: an amount is missing: `requests`, `tokens` or `cost_usd`"),
        ("{requests: 0}", "9:23: requests: expected a whole number from 1, found a number"),
        ("{requests: 1, per: week}", "expected a period"),
        ("{requests: 1, by: model}", "by: expected `agent`"),
        ("{requests: 1, else: nowhere:x}", "unknown provider `nowhere`"),
        ("{requests: 1, else: [block, local:small]}", "else: `block` stands alone"),
        ("{request: 1}", "unknown key `request`"),
    ],
)
def test_mistakes_are_told_with_their_place(limit, complaint):
    with pytest.raises(RulesError) as raised:
        load(limit)
    assert complaint in str(raised.value)


def test_the_targets_of_else_are_targets():
    names = {target.provider for target in load("{requests: 1, else: local:small}").targets()}
    assert names == {"anthropic", "local"}


def test_a_price_that_is_not_known_is_pointed_out():
    text = RULES.format(limit="{cost_usd: 5}")
    assert load_rules(text, "rules.yaml", {}).notices == ()
    text = text.replace("claude-sonnet-5-5", "claude-of-tomorrow")
    (notice,) = load_rules(text, "rules.yaml", {}).notices
    assert "cost_usd does not count it" in notice.message


@given(st.integers(0, 4_000_000_000), st.sampled_from(PERIODS))
def test_periods_follow_one_another_without_gaps(now, per):
    limit = Limit(requests=1, per=per)
    start, end = limit.window(now)
    assert start <= now < end
    assert limit.window(end).start == end
    assert limit.window(start) == limit.window(end - 1) == (start, end)


def test_days_and_months_are_those_of_the_calendar():
    day = Limit(requests=1, per="day").window(NOON)
    assert datetime.fromtimestamp(day.start) == datetime(2026, 5, 17)
    assert datetime.fromtimestamp(day.end) == datetime(2026, 5, 18)
    month = Limit(requests=1, per="month").window(NOON)
    assert datetime.fromtimestamp(month.start) == datetime(2026, 5, 1)
    assert datetime.fromtimestamp(month.end) == datetime(2026, 6, 1)
    hour = Limit(requests=1, per="hour").window(NOON)
    assert timedelta(seconds=hour.end - hour.start) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("used", "reached"),
    [
        (Used(requests=9, tokens=99, cost_usd=0.99), None),
        (Used(requests=10), "10 requests"),
        (Used(tokens=100), "100 tokens"),
        (Used(cost_usd=1.5), "$1"),
    ],
)
def test_what_is_used_up(used, reached):
    assert Limit(requests=10, tokens=100, cost_usd=1).reached(used) == reached


def test_limits_and_their_end_are_told_in_words():
    limit = Limit(requests=1, tokens=2_000_000, cost_usd=5, by_agent=True)
    assert str(limit) == "1 requests, 2,000,000 tokens or $5 per day for each agent"
    used = Used(requests=1, tokens=7, cost_usd=0.25)
    until = limit.window(NOON).end
    error = Excess(limit=limit, rule="one", agent="coder", used=used, until=until, now=NOON).error()
    assert (error.kind, error.status) == ("rate_limit", 429)
    assert error.retry_after == round(until - NOON)
    for words in ("`one`", "1 request per day", "agent coder", "7 tokens", "2026-05-18 00:00"):
        assert words in error.message
