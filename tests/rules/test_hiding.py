"""No key of a rules file is in what is shown of it, and all come back unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules.hiding import UnknownWord, hide_in_words, hide_keys
from addon.rules.nodes import parse, to_json
from tests.laws.random_rules import broken_texts, rules_files

KEY = "sk-ant-api03-0123456789abcdefghij"
SECRET = "not-a-usual-key-at-all"


def value_of(text):
    return to_json(parse(text, lambda mistake: None))


@pytest.mark.parametrize(
    "text",
    [
        "providers: {zai: {api_key: %s}}\n",
        "providers: {zai: {api_key: '%s', title: a}}\n",
        'providers:\n  zai:\n    api_key: "%s"   # mine\n    title: a\n',
        "providers:\n  zai:\n    api_key: |\n      %s\n    title: a\n",
        "providers:\n  zai:\n    api_key: &k %s\n  glm: {api_key: *k}\n",
        "providers: {zai: {headers: {x-any: %s}}}\n",
        "providers: {zai: {headers: {authorization: 'Bearer %s'}}}\n",
        "rules: [{use: pass, api_key: %s}]\n",
        "providers: {zai: {api_key: '${NAME:-%s}'}}\n",
    ],
)
@pytest.mark.parametrize("key", [KEY, SECRET])
def test_a_key_is_hidden_wherever_it_may_stand(text, key):
    written = text % key
    hidden = hide_keys(written)
    assert key not in hidden.text
    assert hidden.reveal_text(hidden.text) == written
    assert hidden.reveal(value_of(hidden.text)) == {
        **value_of(hidden.text),
        **_stripped(value_of(written)),
    }


def _stripped(value):
    """Leave out the line break that ends a block scalar, which is not hidden with it."""
    match value:
        case dict():
            return {key: _stripped(inner) for key, inner in value.items()}
        case list():
            return [_stripped(inner) for inner in value]
        case _:
            return value


def test_a_key_that_has_been_used_once_is_hidden_everywhere():
    text = (
        f"# it was {KEY}, then {SECRET}\nproviders: {{zai: {{api_key: {SECRET}, title: {KEY}}}}}\n"
    )
    hidden = hide_keys(text)
    assert KEY not in hidden.text
    assert SECRET not in hidden.text
    assert hidden.reveal_text(hidden.text) == text


@pytest.mark.parametrize(
    "value", ["none", "pass", '"${NAME}"', '"Bearer ${NAME}"', "''", '"${A} ${B}"']
)
def test_what_is_no_key_is_shown(value):
    text = f"providers: {{zai: {{api_key: {value}, headers: {{a: {value}}}}}}}\n"
    assert hide_keys(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "providers:\n  zai:\n    api_key: %s\n  bad: [\nrules:\n  - api_key: %s\n",
        "bad: {\nproviders: {zai: {api_key: '%s', title: a}}\n",
        'bad: [\nproviders:\n  zai:\n    headers: {x-any: %s, x-other: "%s"}\n',
        "bad: [\nproviders:\n  zai:\n    headers:\n      x-any: %s\n\n      x-other: %s   # mine\n",
        "\t- api_key: %s",
        "x-api-key: %s\n: : :\n",
    ],
)
def test_also_in_a_text_that_cannot_be_read(text):
    written = text % ((SECRET,) * text.count("%s"))
    hidden = hide_keys(written)
    assert SECRET not in hidden.text
    assert hidden.reveal_text(hidden.text) == written


def test_a_word_that_stands_for_nothing_is_refused():
    with pytest.raises(UnknownWord):
        hide_keys("version: 1\n").reveal_text("api_key: <kept:0123456789ab>")
    with pytest.raises(UnknownWord):
        hide_keys("version: 1\n").reveal({"a": ["<kept:0123456789ab>"]})


def test_words_are_the_same_each_time():
    text = f"providers: {{zai: {{api_key: {KEY}}}}}\n"
    assert hide_keys(text) == hide_keys(text)


def test_what_is_said_to_people_holds_no_key():
    assert KEY not in hide_in_words(f"expected PROVIDER:MODEL, found `{KEY}`")


@given(st.one_of(rules_files(), broken_texts()))
def test_every_text_comes_back_unchanged(text):
    hidden = hide_keys(text)
    assert hidden.reveal_text(hidden.text) == text
