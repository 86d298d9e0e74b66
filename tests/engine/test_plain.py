import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.engine.conversation import Opening
from addon.engine.plain import PlainAnswer
from addon.engine.replies import BODY_LIMIT, ERROR_LIMIT
from addon.neutral import ErrorInfo
from tests.support.calls import make_call
from tests.support.streams import error_frame, plain_answer, text_frames

JSON = Opening(
    200,
    (("content-type", "application/json; charset=utf-8"), ("request-id", "req_1"), ("x-y", "z")),
)


def run(chunks, opening=JSON, call=None):
    answer = PlainAnswer(call or make_call(stream=False))
    items = answer.open(opening)
    for chunk in chunks:
        items += answer.feed(chunk)
    items += answer.close()
    assert answer.done
    head, body = items
    assert dict(head.headers)["content-length"] == str(len(body))
    return head, json.loads(body)


@given(st.integers(0, len(plain_answer())))
def test_an_answer_is_translated_whole(position):
    body = plain_answer()
    call = make_call(stream=False)
    head, document = run([body[:position], body[position:]], call=call)
    assert head.status == 200
    assert dict(head.headers)["x-request-id"] == "req_1"
    assert "x-y" not in dict(head.headers)
    assert document["choices"][0]["message"]["content"] == "Hello there!"
    assert call.outcome.status == 200
    assert (call.outcome.usage.output_tokens, call.outcome.finish_reason) == (3, "stop")
    assert call.outcome.model == "claude-sonnet-5-5"


def test_an_answer_in_the_agents_own_format_is_untouched():
    call = make_call(stream=False, agent_format="anthropic")
    answer = PlainAnswer(call)
    answer.open(JSON)
    answer.feed(b" " + plain_answer() + b"\n")
    head, body = answer.close()
    assert body == b" " + plain_answer() + b"\n"
    assert dict(head.headers)["content-type"] == "application/json; charset=utf-8"


def test_nothing_is_said_before_the_end():
    answer = PlainAnswer(make_call(stream=False))
    assert answer.open(JSON) == answer.silent() == answer.feed(plain_answer()) == []


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "invalid_request_error", 400),
        (401, "authentication_error", 401),
        (403, "permission_error", 403),
        (404, "not_found_error", 404),
        (429, "rate_limit_error", 429),
        (500, "api_error", 500),
        (529, "overloaded_error", 503),
    ],
)
def test_an_error_is_one_of_the_agents_format(status, kind, expected):
    body = json.dumps({"type": "error", "error": {"type": kind, "message": "because"}}).encode()
    call = make_call(stream=False)
    head, document = run([body], Opening(status, (("retry-after", "9"),)), call)
    assert head.status == expected
    assert dict(head.headers)["retry-after"] == "9"
    assert "because" in document["error"]["message"]
    assert call.outcome.error.status == status


def test_an_error_with_status_200_is_an_error():
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    assert run([body])[0].status == 503


def test_a_stream_that_nobody_asked_for_is_put_together():
    call = make_call(stream=False)
    opening = Opening(200, (("content-type", "text/event-stream"),))
    head, document = run(text_frames(), opening, call)
    assert head.status == 200
    assert dict(head.headers)["content-type"] == "application/json"
    assert document["choices"][0]["message"]["content"] == "Hello there!"
    assert call.outcome.finish_reason == "stop"


def test_a_stream_that_nobody_asked_for_may_hold_an_error():
    head, document = run([*text_frames()[:3], error_frame()], Opening(200, ()))
    assert head.status == 503
    assert "Overloaded" in document["error"]["message"]


def test_an_error_page_is_told_in_words():
    head, document = run([b"<html>Bad Gateway</html>"], Opening(502, ()))
    assert head.status >= 500
    assert document["error"]["message"]


def test_only_so_much_is_read():
    answer = PlainAnswer(make_call(stream=False))
    answer.open(Opening(500, ()))
    assert answer.feed(b"x" * ERROR_LIMIT)[0].status == 500
    answer = PlainAnswer(make_call(stream=False))
    answer.open(JSON)
    items = []
    for _ in range(BODY_LIMIT // (16 << 20) + 1):
        items += answer.feed(b" " * (16 << 20))
    assert items[0].status == 500
    assert answer.feed(b" ") == []


def test_a_redirect_is_refused():
    answer = PlainAnswer(make_call(stream=False))
    head, body = answer.open(Opening(302, ()))
    assert head.status == 500
    assert b"base_url" in body


def test_a_failure_is_told_once():
    answer = PlainAnswer(make_call(stream=False))
    head, _ = answer.fail(ErrorInfo("unreachable", "gone"))
    assert head.status == 502
    assert answer.fail(ErrorInfo("unreachable", "gone")) == answer.close() == []


def test_an_end_without_a_beginning_is_an_error():
    assert PlainAnswer(make_call(stream=False)).close()[0].status == 502
