import json

from hypothesis import given
from hypothesis import strategies as st

from addon.formats.anthropic.continuation import continuation
from tests.support.strategies import cuts
from tests.support.streams import frames

BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_1"}]}'
STREAM = b"".join(
    frames(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " "}},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "server_tool_use", "id": "s", "name": "n", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"q": "\\u00e9'},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": 'lan"}'},
        },
        {"type": "message_delta", "delta": {"stop_reason": "pause_turn"}, "usage": {}},
    )
)


@given(st.data())
def test_the_follow_up_is_the_same_however_the_stream_is_cut(data):
    reader = continuation(BODY, "m")
    for piece in data.draw(cuts(STREAM)):
        reader.feed(piece)
    body = json.loads(reader.follow_up())
    use = {"type": "server_tool_use", "id": "s", "name": "n", "input": {"q": "élan"}}
    assert body["messages"][1:] == [{"role": "assistant", "content": [use]}]
    assert reader.follow_up() is None


@given(st.binary(max_size=80), st.booleans())
def test_nothing_breaks_it(data, whole):
    reader = continuation(BODY, "m")
    if whole:
        reader.read_whole(data)
    else:
        reader.feed(data)
        reader.feed(STREAM)
    reader.follow_up()


def test_requests_without_the_apis_own_tools_are_never_paused():
    assert continuation(b'{"messages":[],"tools":[{"name":"web_search_1"}]}', "m") is None
