"""Values as YAML text: every reader reads them back."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from addon.rules.nodes import parse, to_json
from addon.rules.writing import write_entries, write_inline, write_item, write_json

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"))
odd = st.sampled_from(
    [
        *("", " ", "a: b", "a:", "x #y", "- a", "*", "&a", "'", "{", "[a", "é", "\u2028", "a\nb"),
        *("yes", "Off", "null", "~", "True", "1e3", "0o17", "0x1f", "1_000", "2026-11-21", "12:30"),
    ]
)
words = texts | odd
numbers = st.integers() | st.floats(allow_infinity=False, allow_nan=False)
values = st.recursive(
    words | st.none() | st.booleans() | numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


def read(text):
    return to_json(parse(text, pytest.fail))


@given(values)
def test_what_is_written_on_one_line_is_read_back(value):
    written = write_inline({"key": value})
    assert len(written.splitlines()) == 1
    assert read(written) == {"key": value}
    assert read(write_json({"key": value})) == {"key": value}


@given(st.dictionaries(words, values, min_size=1, max_size=3), st.integers(0, 3))
def test_what_is_written_without_brackets_is_read_back(value, levels):
    assert read("\n".join(write_entries(value, levels, 2))) == value
    assert read("\n".join(write_item(value))) == [value]


@given(words)
def test_other_programs_read_text_as_text(text):
    assert yaml.safe_load(write_inline([text])) == [text]


@pytest.mark.parametrize(
    "text", ["anthropic:claude-opus-5-5", "http://127.0.0.1:1/v1", "Our vLLM", "gpt-5", "glm:*"]
)
def test_what_needs_no_quotes_gets_none(text):
    assert write_inline([text]) == f"[{text}]"
