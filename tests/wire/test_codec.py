import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.wire.codec import decode, decode_object, encode, encode_text

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(values)
def test_what_is_encoded_is_decoded(value):
    assert decode(encode(value)) == value
    assert decode(encode_text(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'"\\ud83d"', "\ufffd"),
        (b'{"a\\ud83d":["\\ude00x"]}', {"a\ufffd": ["\ufffdx"]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"[NaN,Infinity,1]", [None, None, 1]),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a":"\n"}', {"a": "\n"}),
        (b'{"a":"\xff"}', {"a": "\ufffd"}),
    ],
)
def test_what_strict_json_refuses_is_read_leniently(data, value):
    assert decode(data) == value


@pytest.mark.parametrize("data", [b"", b"{", b"data", b"{'a':1}", b"[" * 100_000])
def test_what_is_not_json_is_a_value_error(data):
    with pytest.raises(ValueError):
        decode(data)


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b"x"])
def test_only_an_object_is_an_object(data):
    assert decode_object(data) is None
