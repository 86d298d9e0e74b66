from __future__ import annotations

import itertools

import pytest

from addon.wire.opened_body import encoded_member, glance, open_body

_serial = itertools.count()


def opened(rest):
    """Open a body that another one began like."""
    body = f'{{"model":"beginning {next(_serial)}",'.encode() + rest
    assert open_body(body, "messages") is None
    return open_body(body, "messages")


def test_messages_and_tools_stay_encoded_as_they_came():
    body = opened(b'"messages":[ {"a": 1} , {"b":2}],"tools": [ {} ],"n":[1,{"c":null}]}')
    assert body.messages == b'[ {"a": 1} , {"b":2}]'
    assert body.tools == b"[ {} ]"
    assert body.rest.keys() == {"model", "n"}
    assert body.rest["n"] == [1, {"c": None}]


@pytest.mark.parametrize("tools", [b"null", b"{}", b'"[]"', b"0"])
def test_tools_that_are_no_array_are_decoded(tools):
    body = opened(b'"messages":[{}],"tools":%s}' % tools)
    assert body.tools is None
    assert "tools" in body.rest


def test_a_body_without_tools_has_none():
    body = opened(b'"messages":[{}]}')
    assert body.tools is None
    assert "tools" not in body.rest


@pytest.mark.parametrize(
    "rest",
    [
        b'"messages":"Hello."}',
        b'"messages":null}',
        b'"message":[{}]}',
        b'"messages":[{}]',
        b'"messages":[{}],"a":NaN}',
        b'"messages":[{}],"a":"\xff"}',
        b'"messages":[{}],"a":' + b"[" * 9000,
    ],
)
def test_any_other_body_is_left_to_be_decoded_as_a_whole(rest):
    assert opened(rest) is None


def test_a_longer_conversation_that_begins_alike_is_opened_at_once():
    words = "x" * 2000
    beginning = f'{{"messages":[{{"content":"{next(_serial)} {words}"}}'.encode()
    assert open_body(beginning + b"]}", "messages") is None
    longer = open_body(beginning + b',{"content":"more"}],"stream":true}', "messages")
    assert longer.messages.endswith(b'{"content":"more"}]')
    assert longer.rest == {"stream": True}


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","stream":true,"messages":[{"content":"Hello."}]}',
        b'{"model":"m","stream":true,"messages":[{"content":"\xff"}]}',
        b'{"model":"m","stream":true,"messages":[NaN]}',
        b'\xef\xbb\xbf{"model":"m","stream":true}',
    ],
)
def test_a_glance_sees_what_is_asked_for(body):
    assert glance(body, ("model", "stream", "tools")) == {"model": "m", "stream": True}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"model":', b"[" * 9000, b"\xff"])
def test_a_glance_at_what_is_no_object_sees_nothing(body):
    assert glance(body, ("model",)) == {}
    assert encoded_member(body, "model") == b""


def test_a_member_can_be_had_as_it_arrived():
    assert encoded_member(b'{"tools": [ {"a":1} ]}', "tools") == b'[ {"a":1} ]'
    assert encoded_member(b'{"tool": []}', "tools") == b""
