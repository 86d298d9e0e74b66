import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules.patterns import COMPARISON_PATTERN, any_of, compile_pattern, parse_comparison


def matches(pattern, name):
    return bool(compile_pattern(pattern).search(name))


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("gpt-5", "gpt-5", True),
        ("gpt-5", "gpt-5.1", False),
        ("gpt-5", "x-gpt-5", False),
        ("gpt-5*", "gpt-5", True),
        ("gpt-5*", "gpt-5.1-mini", True),
        ("gpt-*-mini", "gpt-5-mini", True),
        ("gpt-*-mini", "gpt-mini", False),
        ("gpt-?", "gpt-5", True),
        ("gpt-?", "gpt-55", False),
        ("QWEN*", "qwen3", True),
        ("a.c", "abc", False),
        ("claude-opus[1m]", "claude-opus[1m]", True),
        ("claude-opus[1m]", "claude-opus1", False),
        ("[!a]", "b", False),
        ("*", "", True),
        ("*", "two\nlines", True),
        ("/^gpt-[45]/", "gpt-4o", True),
        ("/gpt/", "my-gpt-model", True),
        ("/GPT/", "gpt", False),
        ("/(?i)GPT/", "gpt", True),
        ("/", "/", True),
        ("a/b", "a/b", True),
    ],
)
def test_globs_and_regular_expressions(pattern, name, expected):
    assert matches(pattern, name) is expected


@given(st.text(), st.text())
def test_text_without_wildcards_matches_itself_alone(pattern, name):
    pattern = pattern.replace("*", "").replace("?", "").replace("/", "")
    assert matches(pattern, pattern)
    if name.lower() != pattern.lower() and name.casefold() != pattern.casefold():
        assert matches(pattern, name) is bool(re.fullmatch(re.escape(pattern), name, re.I))


@given(st.text(alphabet="ab-", max_size=6), st.text(alphabet="ab-", max_size=6), st.text())
def test_a_star_stands_for_anything(start, end, middle):
    assert matches(f"{start}*{end}", start + middle + end)


def test_many_stars_take_no_time():
    assert not matches("*a" * 40 + "b", "a" * 5000)


@given(st.lists(st.sampled_from(["a*", "*b", "c", "/d/", "/^e$/"]), min_size=1), st.text("abcde"))
def test_a_list_matches_where_one_of_it_does(patterns, name):
    joined = any_of(tuple(map(compile_pattern, patterns)))
    assert bool(joined.search(name)) == any(matches(pattern, name) for pattern in patterns)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("> 10", 10, 11), (">=10", 9, 10), (" < 1_000 ", 1000, 999), ("<= 10", 11, 10)],
)
def test_comparisons(text, low, high):
    comparison = parse_comparison(text)
    assert not comparison.holds(low)
    assert comparison.holds(high)
    assert re.match(COMPARISON_PATTERN, text)


@pytest.mark.parametrize("text", ["", "10", "= 10", "> ten", "> -1", "> 1.5", ">> 1", "> 60k"])
def test_what_is_no_comparison_is_refused(text):
    with pytest.raises(ValueError, match="expected a comparison such as `> 60000`"):
        parse_comparison(text)
    assert not re.match(COMPARISON_PATTERN, text)
