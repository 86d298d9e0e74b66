"""What was seen before is read and written as if it were seen for the first time.

Agents send a conversation again with every call, and earlier messages are not read and written
anew. So each request is sent once as one that nobody has seen, and again among others of the same
conversation; no byte and no loss may differ.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import ClientRequestError, Recurring, UnsupportedFeature
from addon.wire import transcripts
from tests.support.recordings import agent_requests, needs_recordings, recordings

LINE = RequestLine("/v1beta/models/asked-for:generateContent")
TARGETS = {
    "anthropic": [("claude-opus-5-5", "anthropic"), ("claude-haiku-4-5", "anthropic")],
    "gemini": [("gemini-3.8-flash", "google"), ("gemini-2.5-flash", "google")],
    "openai-responses": [("gpt-5.5", "openai"), ("deepseek-v4-pro", "deepseek")],
    "openai-chat": [("gpt-4.1", "openai"), ("mistral-large", "mistral"), ("m", "openrouter")],
}
MESSAGES = {
    "openai-chat": "messages",
    "openai-responses": "input",
    "anthropic": "messages",
    "gemini": "contents",
}


@pytest.fixture(autouse=True, scope="module")
def takes_short_conversations_for_one():
    """What tells conversations apart is longer than most that were recorded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcripts, "_BEGINNING", 30)
        yield


_POSITION = re.compile(r"line \d+ column \d+ \(char \d+\)")
_serial = itertools.count()


def unseen(body):
    """The same request, beginning like none before."""
    return f"{next(_serial):01024b}".replace("0", " ").replace("1", "\n").encode() + body


def outcome(source, body):
    """Everything that becomes of a request: what was read, and what is written everywhere."""
    try:
        request = FORMATS[source].parse_request(body, LINE)
    except ClientRequestError as problem:
        return _POSITION.sub("", str(problem)), problem.param
    written = []
    for target, models in TARGETS.items():
        for model, dialect in models:
            try:
                rendered = FORMATS[target].render_request(request, model, dialect)
                written.append((rendered.body, rendered.losses))
            except UnsupportedFeature as refusal:
                written.append(str(refusal))
    return request, written


@functools.cache
def conversations(source):
    """The recorded conversations: the request, and its messages."""
    found = []
    for recording in (*agent_requests(source), *recordings(source)):
        wire = json.loads(recording.request or b"{}")
        messages = wire.get(MESSAGES[source])
        if isinstance(messages, list) and len(messages) > 1:
            found.append((wire, messages))
    return found


def asking(source, wire, messages):
    return msgspec.json.encode({**wire, MESSAGES[source]: messages})


@needs_recordings
@pytest.mark.parametrize("source", FORMATS)
def test_a_recorded_conversation_grows_as_if_nobody_remembered_it(source):
    recurring = 0
    for wire, messages in conversations(source):
        lengths = range(1, len(messages) + 1)
        bodies = [asking(source, wire, messages[:length]) for length in lengths[-6:]]
        for body in (*bodies, *bodies[-2:]):
            assert outcome(source, body) == outcome(source, unseen(body))
        with contextlib.suppress(ClientRequestError):
            request = FORMATS[source].parse_request(bodies[-1], LINE)
            recurring += isinstance(request.messages, Recurring)
    assert recurring > len(conversations(source)) / 2


@needs_recordings
@settings(max_examples=150)
@pytest.mark.parametrize("source", FORMATS)
@given(data=st.data())
def test_any_mix_of_known_messages_says_the_same(source, data):
    """Calls without results, results without calls, turns of one side in a row, ..."""
    wire, messages = data.draw(st.sampled_from(conversations(source)))
    mixes = st.lists(st.sampled_from(messages), min_size=1, max_size=8)
    for mix in data.draw(st.lists(mixes, min_size=1, max_size=4)):
        body = asking(source, wire, mix)
        assert outcome(source, body) == outcome(source, unseen(body))


@pytest.mark.parametrize(
    "odd",
    [
        b'{"role":"user","content":"\\ud800"}',
        b'{"role":"user","content":"\xff"}',
        b'{"role":"user","content":NaN}',
        b'{"role":"user","content":1e999}',
        b'{"role":"user","content":"a\nb"}',
        b'{"role":"user","content":"a",}',
        b'{"role":"user"',
        b'{"role":"user","content":"a","content":"b"}',
        b'{"role":"user","content":[{"type":"text"}]}',
        b'"user"',
        b"null",
        b"{}",
        b"[" * 5000,
    ],
)
@pytest.mark.parametrize("source", FORMATS)
def test_an_odd_message_among_known_ones_says_the_same(source, odd):
    known = {"openai-responses": b'{"role":"user","content":"Hello."}'}.get(
        source, b'{"role":"user","content":"Hello.","parts":[{"text":"Hello."}]}'
    )
    key = MESSAGES[source].encode()
    for messages in (known, known + b"," + odd, odd, odd + b"," + known):
        body = b'{"model":"m","max_tokens":5,"%s":[%s]}' % (key, messages)
        assert [outcome(source, body) for _ in range(3)] == [outcome(source, unseen(body))] * 3
