import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.rules.nodes import (
    MAXIMUM_DEPTH,
    Mapping,
    Scalar,
    Sequence,
    parse,
    plain_value,
    to_json,
)
from addon.rules.problems import Mark, Mistake
from addon.wire.codec import encode_text


def read(text):
    mistakes = []
    node = parse(text, mistakes.append)
    return node, [(mistake.mark, str(mistake)) for mistake in mistakes]


def value_of(text):
    node, mistakes = read(text)
    assert mistakes == []
    return to_json(node)


def failure(text):
    with pytest.raises(Mistake) as caught:
        parse(text, lambda mistake: None)
    return caught.value.mark, str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("012", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-11-21", "2026-11-21"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("|\n 1\n", "1\n"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text, value):
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"])),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_json_is_read_as_json(value):
    assert value_of(f"x: {encode_text(value)}".replace("\ufeff", "")) == {
        "x": _without_marks(value)
    }


def _without_marks(value):
    match value:
        case str():
            return value.replace("\ufeff", "")
        case list():
            return [_without_marks(item) for item in value]
        case dict():
            return {key: _without_marks(item) for key, item in value.items()}
        case _:
            return value


def test_everything_knows_its_place():
    node, _ = read("a:\n  - x\n  - {b: 1}\n")
    assert isinstance(node, Mapping)
    (key, sequence) = node.entries[0]
    assert isinstance(sequence, Sequence)
    assert key == Scalar(Mark(1, 1), "a", "a")
    assert [item.mark for item in sequence.items] == [Mark(2, 5), Mark(3, 5)]


def test_columns_count_characters():
    node, _ = read("{ü: ä, b: c}")
    assert isinstance(node, Mapping)
    assert [key.mark.column for key, _ in node.entries] == [2, 8]


def test_anchors_and_merge_keys_work():
    text = "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: *x\nd: {<<: [*x, {r: 4}]}\n"
    assert value_of(text) == {
        "a": {"p": 1, "q": 2},
        "b": {"q": 3, "p": 1},
        "c": {"p": 1, "q": 2},
        "d": {"p": 1, "q": 2, "r": 4},
    }


@pytest.mark.parametrize(
    ("text", "mark", "message"),
    [
        ("a: 1\na: 2", (2, 1), "the key `a` stands here twice, first on line 1"),
        ("? [a]\n: 1", (1, 3), "a key must be text"),
        ("<<: 5", (1, 5), "`<<` merges maps only"),
        ("a: !foo b", (1, 4), "the tag `!foo` means nothing in a rules file"),
        ("a: !!set {b}", (1, 4), "the tag `!!set` means nothing in a rules file"),
    ],
)
def test_a_mistake_lets_the_rest_be_read(text, mark, message):
    _, mistakes = read(text)
    assert mistakes == [(mark, message)]


@pytest.mark.parametrize(
    ("text", "mark", "problem", "hint"),
    [
        (
            "{a: ${B}}",
            (1, 6),
            "did not find expected ',' or '}'",
            "within brackets, put text that holds `${`, a comma or a bracket in quotes",
        ),
        (
            "a: b: c",
            (1, 5),
            "mapping values are not allowed in this context",
            "put text that holds `: ` in quotes; check the indentation",
        ),
        (
            "a: @b",
            (1, 4),
            "found character that cannot start any token",
            "put text that begins with a special character in quotes",
        ),
        (
            "a: > 5",
            (1, 6),
            "did not find expected comment or line break",
            "put text that begins with `>` or `|` in quotes",
        ),
        (
            "a: 1\nb: 'c\nd: e",
            (2, 4),
            "found unexpected end of stream",
            "the closing quote is missing",
        ),
        (
            "a:\n\t- b",
            (2, 1),
            "found character that cannot start any token",
            "indent with blanks, not with tabs",
        ),
        ("- a\n b: c", (2, 3), "mapping values are not allowed in this context", None),
        ("a:\n  - b\n c: d", (3, 2), "did not find expected key", "check the indentation"),
    ],
)
def test_what_is_not_yaml_says_where_and_what_to_do(text, mark, problem, hint):
    place, message = failure(text)
    assert place == mark
    assert message.startswith(f"not valid YAML: {problem} (")
    assert hint is None or message.endswith(f" ({hint})")


@pytest.mark.parametrize(
    ("text", "mark", "message"),
    [
        (
            "a: *b-c",
            (1, 4),
            "`*b-c` repeats what `&b-c` marks, which is nowhere above;"
            " put text that begins with `*` in quotes",
        ),
        (
            "a: &a [*a]",
            (1, 8),
            "`*a` repeats what `&a` marks, which is nowhere above;"
            " put text that begins with `*` in quotes",
        ),
        ("a: 1\n---\nb: 2", (2, 1), "a rules file holds one YAML document only"),
        ("a: 1\nb: \x07", (2, 4), "the character '\\x07' is not allowed in YAML"),
    ],
)
def test_what_yaml_allows_and_a_rules_file_does_not(text, mark, message):
    assert failure(text) == (mark, message)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n...\n", "~"])
def test_an_empty_document_is_noticed(text):
    node, _ = read(text)
    assert node is None or node.value is None


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_instead_of_crashing(opening):
    _, message = failure(opening * 100_000)
    assert message == f"nested more than {MAXIMUM_DEPTH} levels deep"


def test_aliases_cannot_blow_the_file_up():
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    _, message = failure("\n".join(lines))
    assert message == "more than 100000 values, aliases filled in"


def test_endless_digits_do_no_harm():
    assert plain_value("9" * 100_000) == "9" * 100_000
