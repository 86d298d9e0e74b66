import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.engine import Head
from addon.engine.conversation import Opening
from addon.engine.replies import BODY_LIMIT, ERROR_LIMIT
from addon.engine.streamed import StreamedAnswer
from addon.neutral import ErrorInfo, ProviderResponseError
from tests.support.calls import make_call
from tests.support.streams import data_of, error_frame, plain_answer, text_frames, text_of

EVENTS = Opening(200, (("content-type", "text/event-stream"), ("request-id", "req_1")))
JSON = Opening(200, (("content-type", "application/json"),))
STREAM_HEAD = Head(
    200,
    (
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("x-request-id", "req_1"),
    ),
)
COMMENT = b": keep-alive\n\n"


def run(chunks, opening=EVENTS, call=None):
    answer = StreamedAnswer(call or make_call())
    items = answer.open(opening)
    for chunk in chunks:
        items += answer.feed(chunk)
    return items + answer.close()


def stream(items):
    """The body, of which everything but the head is made; the time of its making is left out."""
    assert isinstance(items[0], Head)
    assert all(type(item) is bytes and item for item in items[1:])
    return re.sub(rb'"created":\d+,', b"", b"".join(items[1:]))


def error(items):
    """The status and the error of an answer that is nothing else."""
    head, body = items
    assert ("content-type", "application/json") in head.headers
    assert ("content-length", str(len(body))) in head.headers
    return head.status, json.loads(body)["error"]


def cuts(body):
    positions = st.lists(st.integers(0, len(body)), max_size=12).map(sorted)
    return positions.map(
        lambda found: [body[a:b] for a, b in zip([0, *found], [*found, len(body)], strict=True)]
    )


WHOLE = b"".join(text_frames())


@given(cuts(WHOLE))
def test_the_answer_is_the_same_however_the_provider_cuts_it(chunks):
    items = run(chunks)
    assert items[0] == STREAM_HEAD
    assert stream(items) == stream(run([WHOLE]))


def test_each_piece_goes_on_at_once():
    answer = StreamedAnswer(make_call())
    answer.open(EVENTS)
    frames = text_frames()
    first = answer.feed(frames[0])
    assert first[0] == STREAM_HEAD
    pieces = [answer.feed(frame) for frame in frames[2:5]]
    assert [text_of(b"".join(piece)) for piece in pieces] == ["Hello", " there", "!"]


def test_the_end_is_told():
    call = make_call()
    answer = StreamedAnswer(call)
    answer.open(EVENTS)
    frames = text_frames()
    for frame in frames[:-1]:
        answer.feed(frame)
        assert not answer.done
    answer.feed(frames[-1])
    assert answer.done
    assert answer.close() == []
    answer.report()
    assert call.outcome.finish_reason == "stop"
    assert call.outcome.usage.output_tokens == 3
    assert call.outcome.error is None


@pytest.mark.parametrize("agent_format", ["openai-chat", "anthropic"])
def test_an_error_as_the_first_event_becomes_a_status(agent_format):
    call = make_call(agent_format=agent_format)
    items = run([b": ping\n\n", error_frame()], call=call)
    head, body = items
    assert head.status == {"openai-chat": 503, "anthropic": 529}[agent_format]
    assert "Overloaded" in json.loads(body)["error"]["message"]
    assert call.outcome.error.kind == "overloaded"


def test_an_error_later_on_ends_the_stream():
    items = run([*text_frames()[:3], error_frame(), *text_frames()[3:]])
    assert items[0] == STREAM_HEAD
    last = data_of(stream(items))[-1]
    assert "Overloaded" in last["error"]["message"]


@given(st.integers(0, len(text_frames()) - 2), st.booleans())
def test_a_cut_at_any_event_is_never_taken_for_an_end(count, in_the_middle):
    frames = text_frames()
    rest = frames[count][:10] if in_the_middle else b""
    items = run([*frames[:count], rest])
    if count == 0:
        assert error(items)[0] == 502
    else:
        data = data_of(stream(items))
        assert "[DONE]" not in data
        assert "error" in data[-1]


def test_a_cut_after_all_that_matters_is_an_end():
    answer = StreamedAnswer(make_call())
    answer.open(EVENTS)
    for frame in text_frames()[:-1]:
        answer.feed(frame)
    (item,) = answer.fail(ErrorInfo("cut", "closed"))
    assert data_of(item)[-1] == "[DONE]"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 529])
def test_an_error_status_becomes_one(status):
    body = json.dumps({"type": "error", "error": {"type": "x", "message": "no"}}).encode()
    opening = Opening(status, (*JSON.headers, ("retry-after", "3")))
    head, _ = items = run([body[:7], body[7:]], opening)
    assert head.status == {413: 400, 529: 503}.get(status, status)
    assert "no" in error(items)[1]["message"]
    assert ("retry-after", "3") in head.headers


def test_only_so_much_of_an_error_is_read():
    answer = StreamedAnswer(make_call())
    answer.open(Opening(500, ()))
    items = answer.feed(b"x" * ERROR_LIMIT)
    assert error(items)[0] == 500
    assert answer.done
    assert answer.feed(b"x") == answer.close() == []


def test_an_error_with_status_200_becomes_an_error():
    body = b' \n{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    status, found = error(run([body[:2], body[2:]], EVENTS))
    assert status == 503
    assert "Overloaded" in found["message"]


def test_a_whole_answer_is_served_as_a_stream():
    call = make_call()
    items = run([plain_answer()], JSON, call)
    assert text_of(stream(items)) == "Hello there!"
    assert data_of(stream(items))[-1] == "[DONE]"
    assert call.outcome.usage.input_tokens == 10


def test_a_page_in_place_of_an_answer_is_an_error():
    with pytest.raises(ProviderResponseError):  # told to the agent by `answer`
        run(
            [b"<html>Sign in to the network</html>"], Opening(200, (("content-type", "text/html"),))
        )


def test_events_are_recognised_without_their_label():
    items = run(text_frames(), Opening(200, ()))
    assert text_of(stream(items)) == "Hello there!"


def test_a_redirect_is_refused_without_its_query():
    status, found = error(run([], Opening(307, (("location", "https://else.where/x?key=secret"),))))
    assert status == 500
    assert "https://else.where/x, which Detour does not follow" in found["message"]


def test_an_endless_document_is_given_up():
    answer = StreamedAnswer(make_call())
    answer.open(JSON)
    items = []
    for _ in range(BODY_LIMIT // (8 << 20) + 1):
        items += answer.feed(b"{" + b" " * (8 << 20))
    assert error(items)[0] == 500
    assert "64 MiB" in error(items)[1]["message"]


class TestSilence:
    def test_before_anything_a_stream_is_promised(self):
        answer = StreamedAnswer(make_call())
        head, comment = answer.silent()
        assert (head.status, comment) == (200, COMMENT)
        items = answer.open(EVENTS)
        for frame in text_frames():
            items += answer.feed(frame)
        assert not any(isinstance(item, Head) for item in items)
        assert text_of(b"".join(items)) == "Hello there!"

    def test_after_the_promise_errors_come_in_the_stream(self):
        answer = StreamedAnswer(make_call())
        answer.silent()
        answer.open(Opening(429, JSON.headers))
        answer.feed(b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}')
        (item,) = answer.close()
        assert "slow down" in data_of(item)[0]["error"]["message"]

    def test_comments_stand_between_events(self):
        answer = StreamedAnswer(make_call())
        answer.open(EVENTS)
        output = []
        for position in range(0, len(WHOLE), 7):
            output += answer.feed(WHOLE[position : position + 7])
            output += answer.silent() if output else []
        body = stream(output)
        assert body.replace(COMMENT, b"") == stream(run([WHOLE]))
        assert all(block == COMMENT[:-2] or b"keep" not in block for block in body.split(b"\n\n"))

    def test_agents_of_gemini_get_no_comments(self):
        call = make_call()
        call.agent_format = "gemini"
        answer = StreamedAnswer.__new__(StreamedAnswer)
        answer._call = call
        answer._finished = True
        assert answer.silent() == []

    def test_nothing_is_said_after_the_end(self):
        answer = StreamedAnswer(make_call())
        answer.fail(ErrorInfo("timeout", "late"))
        assert answer.silent() == []
        assert answer.fail(ErrorInfo("timeout", "later")) == []


@pytest.mark.parametrize("label", [EVENTS, Opening(200, ())])
@pytest.mark.parametrize("before", [b"", b"\n", b"\n\n: a comment\n\n"])
def test_a_stream_is_known_by_its_beginning_however_slowly_it_comes(label, before):
    whole = before + WHOLE
    slowly = run([whole[at : at + 1] for at in range(len(whole))], opening=label)
    assert stream(slowly) == stream(run([WHOLE]))


def test_comments_before_an_answer_in_the_agents_own_format_are_kept():
    frames = text_frames()
    items = run([b": thinking\n\n", *frames], call=make_call(agent_format="anthropic"))
    assert b"".join(items[1:]) == b": thinking\n\n" + WHOLE


def test_a_stream_that_begins_in_the_middle_passes_all_the_same():
    deltas = [frame for frame in text_frames() if b"content_block_delta" in frame]
    items = run(deltas, call=make_call(agent_format="anthropic"))
    assert b"".join(items[1:]).startswith(b"".join(deltas))


def test_endless_comments_are_given_up():
    answer = StreamedAnswer(make_call(agent_format="anthropic"))
    items = answer.open(EVENTS)
    comment = b": " + b"x" * 999_996 + b"\n\n"
    for _ in range(BODY_LIMIT // len(comment) + 1):
        items += answer.feed(comment)
    assert items[0].status >= 400
    assert answer.done


def test_the_model_that_answered_is_told():
    call = make_call()
    answer = StreamedAnswer(call)
    answer.open(EVENTS)
    answer.feed(WHOLE)
    answer.report()
    assert call.outcome.model == "claude-sonnet-5-5"
