import re

import pytest
from hypothesis import given

from addon.rules import RulesError, load_rules
from addon.rules.nodes import Mapping, Scalar, Sequence, parse
from addon.rules.places import find_places, path_of, write_path
from addon.rules.problems import Mark
from tests.laws.random_rules import broken_texts, rules_files


def values_of(node, path=()):
    """Go through all values that the reader of rules finds, each with its place."""
    yield path, node.mark
    if isinstance(node, Mapping):
        for key, value in node.entries:
            yield from values_of(value, (*path, key.text))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from values_of(item, (*path, index))


@given(rules_files())
def test_every_value_is_found_where_the_reader_finds_it(text):
    mistakes = []
    root = parse(text, mistakes.append)
    if root is None or mistakes or re.search(r"[&*]\w", text):
        return
    found = {(place.path, place.mark) for place in find_places(text) if place.kind != "key"}
    assert set(values_of(root)) <= found


@given(rules_files())
def test_a_scalar_is_found_from_its_first_character_to_its_last(text):
    for place in find_places(text):
        if place.kind == "scalar" and place.text and "\n" not in text[place.start : place.end]:
            again = parse(text[place.start : place.end], pytest.fail)
            assert not isinstance(again, Scalar) or again.text == place.text


@given(broken_texts())
def test_texts_that_break_off_are_read_as_far_as_they_go(text):
    for place in find_places(text):
        assert 0 <= place.start <= len(text)
        assert place.end <= len(text)


@given(rules_files())
def test_every_mistake_has_a_field(text):
    try:
        load_rules(text, "rules.yaml", {})
    except RulesError as error:
        places = find_places(text)
        for problem in error.problems:
            path = path_of(problem.message, Mark(problem.line, problem.column), places)
            assert path is not None, problem


def test_paths_are_written_as_people_write_them():
    assert write_path(("rules", 0, "when", "header", "x-a")) == "rules[0].when.header.x-a"
    assert write_path((1, "use")) == "[1].use"
    assert write_path(()) == ""


def test_keys_that_are_lists_or_maps_do_no_harm():
    places = find_places("{[a]: b, {c: d}: e}\n")
    assert [place.text for place in places if place.kind == "scalar"][-1] == "e"
