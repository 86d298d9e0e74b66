import re
from pathlib import Path

import pytest

from addon.providers import BUILT_IN
from addon.rules import DEFAULT_INTERCEPT, CallFacts, load_rules
from addon.rules.facts import FEATURES
from addon.rules.provider_definitions import PROVIDER
from addon.rules.rule_definitions import RULE, WHEN

TEXT = (Path(__file__).parents[2] / "rules.yaml").read_text(encoding="utf-8")
UNCOMMENTED = re.sub(r"^  # (?=- |  |[a-z-]+:)", "  ", TEXT, flags=re.MULTILINE)


def check_filter(expression):
    from addon.interceptor import filters

    return filters.check_filter(expression)


def decide(**fields):
    rules = load_rules(TEXT, "rules.yaml", {}, check_filter)
    return rules.decide(CallFacts(**fields), "openai-chat")


def test_it_is_valid_and_needs_one_key_only():
    rules = load_rules(TEXT, "rules.yaml", {}, check_filter)
    assert rules.notices == ()
    assert {target.provider for target in rules.targets()} == {"anthropic"}
    assert rules.providers["anthropic"].key_variables == ("ANTHROPIC_API_KEY",)
    assert rules.default == "pass"
    assert rules.intercept == DEFAULT_INTERCEPT


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("gpt-5", "openai", "claude-sonnet-5-5"),
        ("gpt-5-mini", "openai", "claude-haiku-5-5"),
        ("gpt-6-luna", "openai", "claude-haiku-5-5"),
        ("claude-opus-5-5", "anthropic", None),
    ],
)
def test_as_it_stands_claude_answers_for_openai(model, provider, expected):
    decision = decide(model=model, endpoint="chat", provider=provider)
    models = [place.model for place in decision.destinations]
    assert models == ([expected] if expected else [])
    assert decision.action == ("route" if expected else "pass")


def test_every_example_in_it_works_when_its_comment_marks_are_taken_away():
    rules = load_rules(UNCOMMENTED, "rules.yaml", {"GATEWAY_KEY": "k"}, check_filter)
    assert len(rules.rules) == 12
    assert {"office-vllm", "gateway"} <= set(rules.providers)
    assert rules.notices == ()


@pytest.mark.parametrize(
    "word",
    [
        *(field.name for record in (WHEN, RULE, PROVIDER) for field in record.fields),
        *FEATURES,
        *BUILT_IN,
        *(provider.key_variables[0] for provider in BUILT_IN.values() if provider.key_variables),
    ],
)
def test_it_shows_everything_there_is(word):
    assert re.search(rf"\b{word}\b", TEXT)
