"""Streams of server-sent events as messages of a socket."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.base import RequestLine
from addon.formats.openai_responses import FORMAT
from addon.neutral import ErrorInfo
from addon.sockets.events import EventWriter, error_message, steer_refusal
from addon.sockets.messages import Steer
from tests.support.strategies import cuts, event_streams

BODY = b'{"model": "gpt-5.1", "stream": true}'


def sse(*events, named=True):
    return b"".join(
        (b"event: %b\n" % event["type"].encode() if named else b"")
        + b"data: %b\n\n" % json.dumps(event).encode()
        for event in events
    )


@given(st.data(), event_streams(), st.none() | st.text())
def test_each_event_is_a_message_however_the_stream_is_cut(drawn, events, stream_id):
    encoder = FORMAT.encoder(FORMAT.reply(BODY, RequestLine()))
    data = b"".join(map(encoder.encode, events))
    writer = EventWriter(stream_id)
    pieces = drawn.draw(cuts(data))
    messages = [json.loads(message) for piece in pieces for message in writer.feed(piece)]
    expected = [json.loads(line[6:]) for line in data.splitlines() if line.startswith(b"data: ")]
    expected = [event for event in expected if event["type"] != "error"]
    for event in expected if stream_id is not None else []:
        event["stream_id"] = stream_id
    assert messages == expected
    assert writer.ended
    assert json.loads(writer.response) == expected[-1]["response"]
    assert writer.close() == []


def test_events_without_names_comments_and_the_old_end():
    created = {"type": "response.created", "response": {"id": "r"}}
    failed = {"type": "response.failed", "response": {"id": "r"}}
    error = {"type": "error", "error": {"message": "x"}}
    data = b": hello\n\n" + sse(created, error, failed, named=False) + b"data: [DONE]\n\n"
    writer = EventWriter()
    assert [json.loads(message) for message in writer.feed(data)] == [created, failed]
    assert writer.close() == []


def test_an_error_without_a_failure_is_told_at_the_end():
    flat = {"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None}
    writer = EventWriter("a")
    assert writer.feed(sse(flat)) == []
    (message,) = writer.close()
    wire = json.loads(message)
    assert (wire["type"], wire["status"], wire["stream_id"]) == ("error", 429, "a")
    assert wire["error"]["message"] == "slow"
    assert writer.close() == []


def test_a_stream_without_an_end_is_an_error():
    (message,) = EventWriter().close()
    assert json.loads(message)["error"]["code"] == "upstream_cut"


@pytest.mark.parametrize("kind", ["rate_limit", "overloaded", "context_length"])
def test_what_agents_can_mend_is_told_as_a_failed_response(kind):
    writer = EventWriter("a")
    error = ErrorInfo(kind, "no", retry_after=3)
    messages = [json.loads(message) for message in writer.refuse(error, BODY, "resp_1")]
    assert [message["type"] for message in messages] == [
        "response.created",
        "response.in_progress",
        "response.failed",
    ]
    assert {message["response"]["id"] for message in messages} == {"resp_1"}
    assert {message["stream_id"] for message in messages} == {"a"}
    assert messages[-1]["response"]["model"] == "gpt-5.1"
    assert writer.ended


def test_an_error_tells_its_status_and_headers():
    wire = json.loads(error_message(ErrorInfo("billing", "pay", request_id="req_1")))
    assert wire["status"] == 429
    assert wire["headers"] == wire["error"]["headers"]
    assert wire["headers"] == {"x-request-id": "req_1", "x-should-retry": "false"}


def test_a_refused_steer_gives_its_input_back():
    wire = json.loads(steer_refusal(Steer(previous="r", input=[{"role": "user"}])))
    assert wire["steer"] == {"previous_response_id": "r", "input": [{"role": "user"}]}
