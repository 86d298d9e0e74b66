import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.providers import expand
from addon.providers.expansion import is_well_formed, sole_variable

ENVIRONMENT = {"A": "1", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected", "missing"),
    [
        ("plain $A {A}", "plain $A {A}", ()),
        ("${A}", "1", ()),
        ("x${A}y${A}", "x1y1", ()),
        ("${B}", "", ("B",)),
        ("${B}${C}${A}", "1", ("B", "C")),
        ("${B:-two}", "two", ()),
        ("${A:-two}", "1", ()),
        ("${EMPTY:-two}", "two", ()),
        ("${B:-}", "", ()),
        ("${EMPTY}", "", ("EMPTY",)),
        ("$${A}", "${A}", ()),
    ],
)
def test_variables_are_filled_in(text, expected, missing):
    expansion = expand(text, ENVIRONMENT)
    assert (expansion.text, expansion.missing) == (expected, missing)
    assert is_well_formed(text)


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${a b}", "${A:x}", "x ${1}"])
def test_a_broken_reference_is_noticed(text):
    assert not is_well_formed(text)


@given(st.text())
def test_text_without_references_stays_as_it_is(text):
    text = text.replace("${", "")
    assert expand(text, ENVIRONMENT) == (text, (), ())


@pytest.mark.parametrize(
    ("text", "name"),
    [("${A}", "A"), ("x${A}", None), ("${A:-x}", None), ("$${A}", None), ("${A}${B}", None)],
)
def test_a_lone_variable_is_recognised(text, name):
    assert sole_variable(text) == name
