"""Whatever a file holds, it loads or says where its mistakes are."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules import RulesError, load_rules

SHIPPED = (Path(__file__).parents[2] / "rules.yaml").read_text(encoding="utf-8")
WORDS = re.findall(
    r"\S+",
    """
version rules providers default intercept websocket name when use set drop agent model endpoint
provider header has input_tokens filter base_url formats api_key models headers timeouts dialect
connect anthropic openai local pass block chat tools ${A} ${ anthropic:x local:* 1 -5 true ~
/(/ /a/ > &a *a <<: ? ! !!str | [ ] { } , : - # ' " % @ `
""",
)


def problems_in(text):
    try:
        load_rules(
            text, "rules.yaml", {}, lambda expression: "wrong" if "(" in expression else None
        )
    except RulesError as error:
        return list(error.problems) or pytest.fail("an error without a problem")
    return []


def assert_loads_or_complains(text):
    problems = problems_in(text)
    assert problems == sorted(problems, key=lambda problem: (problem.line, problem.column))
    for problem in problems:
        assert problem.message
        assert problem.column >= 1
        assert 1 <= problem.line <= len(text.splitlines()) + 1


@given(st.text())
def test_any_text(text):
    assert_loads_or_complains(text)


@given(st.lists(st.sampled_from([*WORDS, " ", " ", "\n", "\n  ", "\n    ", ": "])))
def test_words_of_the_language_in_any_order(words):
    assert_loads_or_complains("version: 1\n" + "".join(words))


leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(WORDS)
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(trees, trees, trees)
def test_well_formed_yaml_of_any_shape(providers, rules, default):
    parts = {"version": 1, "providers": providers, "rules": rules, "default": default}
    text = "".join(f"{key}: {_flow(value)}\n" for key, value in parts.items())
    assert_loads_or_complains(text)


def _flow(value):
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case dict():
            return (
                "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
            )
        case _:
            return repr(value)


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_the_shipped_file_with_mistakes_in_it(chance: random.Random, count):
    text = SHIPPED
    for _ in range(count):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.randrange(12))
        text = text[:start] + chance.choice([*WORDS, "\n", "  ", "\t", "\0"]) + text[end:]
    assert_loads_or_complains(text)
