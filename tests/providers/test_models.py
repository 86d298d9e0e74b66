import re

import pytest

from addon.neutral import Usage, billing
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


OPUS = BUILT_IN["anthropic"].facts("claude-opus-5-5")
GPT = BUILT_IN["openai"].facts("gpt-5.5")
GEMINI = BUILT_IN["google"].facts("gemini-2.5-pro")
QWEN = BUILT_IN["qwen"].facts("qwen-plus-2025-07-14")
HAND = ModelFacts(
    prices=(Price(input=2, output=8, reasoning=20, cache_read=1, cache_write=3),),
    any_tier=True,
    regions={"us": 9},
)


def count(read, written, *, cached=None, stored=None, thought=None, **billed):
    beside = billed.pop("beside", None)
    return Usage(read, cached, stored, written, thought, billing(**billed), beside)


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        # 4 in, 20 out, 0.2 read, 5 written for minutes, 8 for an hour
        (OPUS, count(1_000_000, 100_000), 4 + 2),
        (OPUS, count(1_000_000, 0, cached=600_000, stored=300_000), 0.12 + 1.5 + 0.4),
        (
            OPUS,
            count(1_000_000, 0, stored=500_000, cache_write_1h_tokens=200_000),
            0.3 * 5 + 0.2 * 8 + 0.5 * 4,
        ),
        (OPUS, count(1_000_000, 100_000, region="us"), 6 * 1.1),
        (OPUS, count(1_000_000, 100_000, region="eu"), 6),
        (OPUS, count(1_000_000, 100_000, tier="batch"), 3),
        (OPUS, count(1_000_000, 100_000, tier="fast"), 12),
        (
            OPUS,
            count(1_000_000, 0, stored=1_000_000, cache_write_1h_tokens=1_000_000, tier="batch"),
            4,
        ),
        (OPUS, count(1_000_000, 100_000, tier="standard"), 6),
        (OPUS, count(1_000_000, 100_000, tier="priority"), None),
        (OPUS, count(100_000, 10_000, beside=count(200_000, 20_000)), 0.6 + 1.2),
        (OPUS, count(100_000, 10_000, beside=Usage()), None),
        # 5 in, 30 out; 10 and 45 above 272,000; 12.5 and 75 with priority, in short requests only
        (GPT, count(272_000, 10_000), 0.272 * 5 + 0.3),
        (GPT, count(272_001, 10_000), 0.272001 * 10 + 0.45),
        (GPT, count(400_000, 10_000, cached=300_000), 0.1 * 10 + 0.3 * 1 + 0.45),
        (GPT, count(100_000, 10_000, tier="flex"), 0.25 + 0.15),
        (GPT, count(300_000, 10_000, tier="flex"), 1.5 + 0.225),
        (GPT, count(100_000, 10_000, tier="priority"), 1.25 + 0.75),
        (GPT, count(300_000, 10_000, tier="priority"), None),
        (GPT, count(100_000, 10_000, tier="ultrafast"), None),
        # 1.25 in, 10 out; 2.5 and 15 above 200,000
        (GEMINI, count(200_000, 1000, thought=900), 0.25 + 0.01),
        (GEMINI, count(300_000, 1000, cached=100_000), 0.5 + 0.025 + 0.015),
        (GEMINI, count(300_000, 1000, tier="priority"), 1.35 + 0.027),
        # 0.4 in, 1.2 out, 4 for thoughts
        (QWEN, count(100_000, 1000, thought=400), 0.04 + 0.0016 + 0.00072),
        # by hand: in every tier and everywhere
        (HAND, count(100_000, 1000, tier="priority", region="us"), 0.2 + 0.008),
        (HAND, count(100_000, 1000, thought=500), 0.2 + 0.004 + 0.01),
        (HAND, count(100_000, 0, stored=40_000, cache_write_1h_tokens=10_000), 0.12 + 0.12),
        # as the provider says
        (OPUS, count(1_000_000, 100_000, cost_usd=0.5), 0.5),
        (OPUS, count(1_000_000, 100_000, cost_usd=0.0), 0),
        (ModelFacts(), count(None, None, cost_usd=0.25), 0.25),
        (OPUS, count(1_000_000, 100_000, cost_usd=-1), 6),
        (OPUS, count(100_000, 10_000, cost_usd=0.5, beside=count(100_000, 0)), 0.9),
    ],
)
def test_what_decides_about_a_price(model, usage, dollars):
    assert model.cost(usage) == (None if dollars is None else pytest.approx(dollars))


def test_what_is_billed_beside_an_answer_counts():
    usage = count(10, 1, cached=5, beside=count(100, 10, cached=50, thought=3))
    assert usage.billed == count(110, 11, cached=55, thought=3)
    assert (Usage(1, 2, 3, 4, 5) + Usage(None, 1, None, 1)).output_tokens == 5
    hours = count(1, 1, cache_write_1h_tokens=5, cost_usd=1.0) + count(1, 1, cost_usd=0.5)
    assert hours.billing == billing(cost_usd=1.5, cache_write_1h_tokens=5)
    assert (count(1, 1, cost_usd=1.0) + count(1, 1)).billing is None  # the sum is not known


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
