import pytest

from addon.formats.anthropic.models import NEWEST, OTHER_MAKER, claude_model


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("claude-opus-5-20260401", "claude-opus-5"),
        ("anthropic/claude-opus-4.6", "claude-opus-4-6"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("claude-opus-5-5[1m]", "claude-opus-5-5"),
        ("claude-fable-5-20260101", "claude-fable-5"),
        ("claude-3-5-sonnet-latest", "claude-3-5-haiku-20241022"),
        ("anthropic/claude-opus-4.1", "claude-opus-4"),
    ],
)
def test_dates_prefixes_and_spellings_do_not_matter(name, same_as):
    assert claude_model(name) is claude_model(same_as)


def test_a_younger_generation_is_not_taken_for_an_older_one():
    assert claude_model("claude-opus-5-7") is NEWEST
    assert claude_model("claude-opus-6") is NEWEST
    assert claude_model("claude-fable-5-2") is not claude_model("claude-fable-5")


def test_other_makers_get_the_plain_protocol():
    assert claude_model("deepseek-v4-pro") is OTHER_MAKER
    assert claude_model("") is OTHER_MAKER


@pytest.mark.parametrize(
    ("name", "forced", "sampling", "prefill", "limit"),
    [
        ("claude-opus-5-5", False, False, False, 128_000),
        ("claude-sonnet-5-5", False, False, False, 128_000),
        ("claude-haiku-5-5", True, False, False, 128_000),
        ("claude-fable-5", True, False, False, 128_000),
        ("claude-fable-5-1", False, False, False, 128_000),
        ("claude-opus-4-8", True, False, False, 128_000),
        ("claude-sonnet-4-6", True, True, False, 128_000),
        ("claude-haiku-4-5", True, True, True, 64_000),
        ("claude-opus-4-1", True, True, True, 32_000),
        ("claude-3-haiku-20240307", True, True, True, 4096),
    ],
)
def test_the_generations_differ_as_documented(name, forced, sampling, prefill, limit):
    model = claude_model(name)
    assert (model.forced_tool_choice, model.sampling, model.prefill, model.max_output_tokens) == (
        forced,
        sampling,
        prefill,
        limit,
    )
