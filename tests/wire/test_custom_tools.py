import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import Tool, ToolGrammar
from addon.wire.custom_tools import (
    InputExtractor,
    unwrap_arguments,
    wrap_input,
    wrapper_description,
    wrapper_schema,
)


def extract(arguments: str, cuts: list[int]) -> str:
    extractor = InputExtractor()
    bounds = [0, *sorted(min(cut, len(arguments)) for cut in cuts), len(arguments)]
    pieces = [arguments[start:end] for start, end in itertools.pairwise(bounds)]
    return "".join(extractor.feed(piece) for piece in pieces) + extractor.finish()


@given(st.text(), st.booleans(), st.lists(st.integers(0, 200)))
def test_the_input_survives_wrapping_and_any_cuts(text: str, ascii_only: bool, cuts: list[int]):
    arguments = json.dumps(wrap_input(text), ensure_ascii=ascii_only)
    assert extract(arguments, cuts) == text
    assert unwrap_arguments(arguments) == text


@given(
    st.text(alphabet='{}[]":\\\\,inputud83e0 \n', max_size=60),
    st.lists(st.integers(0, 60)),
)
def test_cuts_never_matter_even_for_broken_arguments(arguments: str, cuts: list[int]):
    assert extract(arguments, cuts) == unwrap_arguments(arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", ""),
        ("{}", ""),
        ('{"input": "a\\nb"}', "a\nb"),
        ('{"patch": "wrong key"}', "wrong key"),
        ('{"n": 1, "input": "later"}', "later"),
        ('{"n": 1, "patch": "only text"}', "only text"),
        ('"bare string"', "bare string"),
        ("*** Begin Patch", "*** Begin Patch"),
        ('{"input": 3}', '{"input": 3}'),
        ('{"input": "\\ud83d\\ude00"}', "\U0001f600"),
        ('{"input": "\\ud83d!"}', "\ufffd!"),
        ('{"input": "\\ude00"}', "\ufffd"),
        ('{"input": "cut off', "cut off"),
        ('{"input": "cut \\', "cut "),
        ('{"' + "k" * 3000 + '": "long key"}', "long key"),
    ],
)
def test_models_may_err(arguments: str, expected: str):
    assert unwrap_arguments(arguments) == expected
    assert extract(arguments, list(range(len(arguments)))) == expected


def test_text_is_handed_on_before_the_arguments_end():
    extractor = InputExtractor()
    assert extractor.feed('{"inp') == ""
    assert extractor.feed('ut": "*** Begin Pa') == "*** Begin Pa"
    assert extractor.feed("tch\\") == "tch"
    assert extractor.feed('n*** Update"') == "\n*** Update"
    assert extractor.feed("}") + extractor.finish() == ""


def test_the_description_tells_the_grammar():
    tool = Tool("p", "Edits files.", kind="custom", grammar=ToolGrammar("lark", "start: x"))
    description = wrapper_description(tool)
    assert description is not None
    assert description.startswith("Edits files.\n\n")
    assert "lark" in description
    assert description.endswith("start: x")
    assert wrapper_description(Tool("p", None, kind="custom")) is None


def test_the_schema_demands_one_string():
    schema = wrapper_schema()
    assert schema["required"] == ["input"]
    assert schema["properties"]["input"]["type"] == "string"
