import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.wire.json_edit import edit_object, items, members

scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["model", "stream", "a b", 'quo"te', "ü", ""])
objects = st.dictionaries(keys, values)
layouts = st.sampled_from([(None, (",", ":")), (None, (" ,\n ", " : ")), (2, (",", ": "))])


@given(objects, st.dictionaries(keys, st.none() | values), layouts, st.booleans())
def test_edits_change_the_named_members_and_no_other(document, changes, layout, ascii_only):
    indent, separators = layout
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=ascii_only)
    encoded = {
        key: None if value is None else json.dumps(value).encode() for key, value in changes.items()
    }
    edited = edit_object(text.encode(), encoded)
    expected = {key: value for key, value in document.items() if changes.get(key, 0) is not None}
    expected.update({key: value for key, value in changes.items() if value is not None})
    assert json.loads(edited) == expected
    assert list(json.loads(edited))[: len(expected)] == list(expected)


@given(objects, layouts, st.booleans(), st.booleans())
def test_measuring_and_scanning_agree(document, layout, ascii_only, doubled):
    indent, separators = layout
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=ascii_only)
    if doubled and document:
        text = text.replace("{", '{"model": [1, "x, y"], ', 1)
    body = text.encode()
    scanned = members(b" " + body, 1)
    assert [tuple(member) for member in members(body)] == [
        (key, start - 1, value_start - 1, value_end - 1)
        for key, start, value_start, value_end in scanned
    ]
    array = json.dumps([*document.values()], indent=indent, separators=separators).encode()
    assert items(array) == [(start - 1, end - 1) for start, end in items(b" " + array, 1)]


@given(objects, layouts)
def test_an_empty_edit_is_the_identity(document, layout):
    indent, separators = layout
    text = json.dumps(document, indent=indent, separators=separators).encode()
    assert edit_object(text, {}) == text


def test_only_the_span_of_the_value_changes():
    body = b'{ "model" : "gpt-5" ,\n "x":1.0e1, "s":"\\u00e9\\/" }'
    edited = edit_object(body, {"model": b'"claude"'})
    assert edited == b'{ "model" : "claude" ,\n "x":1.0e1, "s":"\\u00e9\\/" }'


@pytest.mark.parametrize(
    ("body", "changes", "expected"),
    [
        (b'{"a":1,"b":2,"c":3}', {"a": None}, b'{"b":2,"c":3}'),
        (b'{"a":1,"b":2,"c":3}', {"b": None}, b'{"a":1,"c":3}'),
        (b'{"a":1,"b":2,"c":3}', {"c": None}, b'{"a":1,"b":2}'),
        (b'{"a":1,"b":2}', {"a": None, "b": None}, b"{}"),
        (b'{"a":1,"b":2}', {"a": None, "b": None, "c": b"4"}, b'{"c":4}'),
        (b"{}", {"a": b"1"}, b'{"a":1}'),
        (b'{"a":1,"a":2}', {"a": b"3"}, b'{"a":3,"a":3}'),
        (b'{"a":1,"a":2,"b":0}', {"a": None}, b'{"b":0}'),
    ],
)
def test_commas_go_with_their_members(body, changes, expected):
    assert edit_object(body, changes) == expected


def test_members_and_items_are_located_through_nested_strings():
    body = b' {"m": [{"t":"} ] \\" {"}, "x]", 3 , []] , "n":null}'
    (m, n) = members(body)
    assert (m.key, n.key) == ("m", "n")
    spans = items(body, m.value_start)
    assert [body[a:b] for a, b in spans] == [b'{"t":"} ] \\" {"}', b'"x]"', b"3", b"[]"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"a"', b'{"a":', b'{"a":1', b'{"a" 1}', b'{"a":1 "b":2}', b"{1:2}"]
)
def test_what_is_no_object_is_a_value_error(body):
    with pytest.raises(ValueError):
        edit_object(body, {"model": b"1"})


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_nothing_but_value_error(body):
    with contextlib.suppress(ValueError):
        edit_object(b"{" + body, {"a": b"1"})
