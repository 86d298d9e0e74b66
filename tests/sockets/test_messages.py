import json

from hypothesis import given
from hypothesis import strategies as st

from addon.sockets.messages import Create, Misfit, Steer, read_message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def test_a_create_becomes_the_body_of_a_call_and_every_other_byte_stays():
    data = (
        b'{ "type":"response.create","model": "m" , "input":[1.50,"\\u00e4"],'
        b' "stream_id":"a", "generate":true, "background": false}'
    )
    message = read_message(data)
    assert message == Create(
        body=b'{ "model": "m" , "input":[1.50,"\\u00e4"],"stream":true}', stream_id="a"
    )


def test_a_stream_that_is_asked_for_or_not_is_one():
    for value in (b"true", b"false", b"null"):
        message = read_message(b'{"type":"response.create","stream":%b}' % value)
        assert message.body == b'{"stream":true}'


def test_json_that_is_not_quite_right_is_understood_as_by_http():
    message = read_message(b'\xef\xbb\xbf{"type":"response.create","temperature":NaN}')
    assert isinstance(message, Create)
    assert b"stream" in message.body
    message = read_message(b'{"type":"response.create","input":"\\ud83d","generate":false}')
    assert isinstance(message, Create)
    assert not message.generates


def test_a_steer():
    data = {"type": "response.steer", "previous_response_id": "r", "input": [{"a": 1}]}
    assert read_message(json.dumps(data).encode()) == Steer(previous="r", input=[{"a": 1}])


@given(JSON | st.fixed_dictionaries({"type": st.just("response.create") | JSON}, optional={
    "stream_id": JSON, "generate": JSON, "background": JSON, "stream": JSON, "input": JSON,
}))  # fmt: skip
def test_any_json_is_a_message_or_a_misfit(value):
    message = read_message(json.dumps(value).encode())
    if isinstance(message, Create):
        wire = json.loads(message.body)
        assert wire.pop("stream") is True
        assert wire == {
            key: inner
            for key, inner in value.items()
            if key not in ("type", "stream_id", "generate", "background", "stream")
        }


@given(st.binary())
def test_any_bytes_are_a_message_or_a_misfit(data):
    assert isinstance(read_message(data), Misfit | Create | Steer)
    assert isinstance(read_message(b'{"type":"response.create",' + data), Misfit | Create)
