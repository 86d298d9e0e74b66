import re

import pytest

from addon.neutral import Usage
from addon.providers import BUILT_IN, ModelFacts, Price, known_models, table_date


def test_the_table_is_dated_and_every_entry_makes_sense():
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", table_date())
    for provider in BUILT_IN:
        for name, facts in known_models(provider).items():
            assert facts.context is None or facts.context >= 1000, name
            starts = [price.start for price in facts.prices]
            assert starts == sorted(set(starts)), name
            assert not starts or starts[0] == 0, name


@pytest.mark.parametrize("provider", BUILT_IN.values(), ids=lambda provider: provider.id)
def test_the_models_of_the_registry_are_in_the_table(provider):
    unknown = [model for model in provider.models if provider.facts(model) is None]
    allowed = {"openrouter/auto", "qwen3.8-flash", "qwen3-coder-flash", "devstral-latest"}
    assert set(unknown) <= allowed


def test_a_dated_name_is_the_same_model():
    anthropic = BUILT_IN["anthropic"]
    dated = anthropic.facts("claude-opus-4-6-20260101")
    assert dated == anthropic.facts("claude-opus-4-6")
    assert anthropic.facts("claude-nobody") is None


def test_an_aggregator_sells_the_models_of_others():
    routed = BUILT_IN["openrouter"].facts("anthropic/claude-sonnet-5.5")
    assert routed == BUILT_IN["anthropic"].facts("claude-sonnet-5-5")
    assert BUILT_IN["glm"].facts("glm-5.3") == BUILT_IN["zai"].facts("glm-5.3")


CHEAP = Price(input=1, output=10, cache_read=0.1, cache_write=1.25)
DEAR = Price(start=1000, input=2, output=20, cache_read=0.2)
MODEL = ModelFacts(prices=(CHEAP, DEAR))


@pytest.mark.parametrize(
    ("usage", "millionths"),
    [
        (Usage(input_tokens=100, output_tokens=10), 200),
        (Usage(input_tokens=100, output_tokens=10, cache_read_tokens=60), 146),
        (Usage(input_tokens=100, output_tokens=10, cache_write_tokens=40), 210),
        (Usage(input_tokens=1000, output_tokens=0), 1000),
        (Usage(input_tokens=1001, output_tokens=0), 2002),
        (Usage(input_tokens=2000, output_tokens=0, cache_write_tokens=1000), 4000),
        (Usage(input_tokens=10, output_tokens=0, cache_read_tokens=99), 9.9),
    ],
)
def test_what_an_answer_costs(usage, millionths):
    assert MODEL.cost(usage) == pytest.approx(millionths / 1e6)


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        (ModelFacts(), Usage(input_tokens=1, output_tokens=1)),
        (MODEL, Usage(input_tokens=1)),
        (MODEL, Usage()),
    ],
)
def test_what_is_not_known_costs_an_unknown_amount_and_not_nothing(model, usage):
    assert model.cost(usage) is None
