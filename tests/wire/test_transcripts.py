from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.wire.readings import NotJson
from addon.wire.transcripts import Transcripts
from addon.wire.unread import Unread

MESSAGE = st.fixed_dictionaries(
    {"content": st.text(max_size=3) | st.sampled_from(['"}]', "[{", ",", "\\"])},
    optional={"color": st.sampled_from(["red", "blue"])},
)


class Reader:
    """Reads conversations, and counts the messages that it had to read."""

    def __init__(self):
        self.transcripts = Transcripts()
        self.read = 0

    def parse(self, position, value, unread):
        self.read += 1
        unread.lose("messages.color", value.get("color"))
        if value["content"] == "wrong":
            raise ValueError(f"{position} is wrong")
        return value["content"]

    def __call__(self, array, context=None):
        unread = Unread()
        said = list(self.transcripts.read(array, context, unread, self.parse))
        return said, [(extra.field, extra.value) for extra in unread.extras]


LONG = {"content": "x" * 5000}
"""Conversations that begin with it are taken for one."""


def encoded(messages, **style):
    return json.dumps([LONG, *messages], **style).encode()


def expected(messages):
    colors = [message["color"] for message in messages if "color" in message]
    words = [message["content"] for message in (LONG, *messages)]
    return words, [("messages.color", color) for color in colors[:1]]


@given(
    st.lists(st.lists(MESSAGE, min_size=1, max_size=6), min_size=1, max_size=5),
    st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}]),
)
def test_whatever_came_before_a_conversation_says_what_it_says(conversations, style):
    reader = Reader()
    for messages in conversations:
        for length in range(1, len(messages) + 1):
            part = messages[:length]
            assert reader(encoded(part, **style)) == expected(part)
        assert reader(encoded(messages)) == expected(messages)


def test_a_message_is_read_once():
    reader = Reader()
    messages = [{"content": str(number)} for number in range(30)]
    for length in range(1, 31):
        reader(encoded(messages[:length]))
    assert reader.read == 31


def test_a_message_is_read_once_even_after_one_that_has_changed():
    reader = Reader()
    messages = [{"content": str(number)} for number in range(30)]
    reader(encoded(messages))
    reader(encoded([*messages[:10], {"content": "other"}, *messages[11:]]))
    assert reader.read == 32


def test_each_context_has_readings_of_its_own():
    reader = Reader()
    for context in (None, "1h", None, "1h"):
        assert reader(b'[{"content":"a"}]', context) == (["a"], [])
    assert reader.read == 2


def test_a_mistake_is_told_with_its_place_every_time():
    reader = Reader()
    for place in (2, 2, 3):
        messages = [{"content": "a"}] * (place - 1) + [{"content": "wrong"}]
        with pytest.raises(ValueError, match=f"{place} is wrong"):
            reader(encoded(messages))


def test_what_came_before_a_mistake_is_told_first():
    unread = Unread()
    reader = Reader()
    said = reader.transcripts.read(
        encoded([{"content": "a", "color": "red"}, {"content": "wrong"}]),
        None,
        unread,
        reader.parse,
    )
    assert [next(said), next(said)] == [LONG["content"], "a"]
    assert [extra.value for extra in unread.extras] == ["red"]


@pytest.mark.parametrize(
    "array",
    [
        b"[]",
        b"[ ]",
        b'["a"]',
        b'[{"content":"a"},1]',
        b'[{"content":"a"},[]]',
        b'[{"content":"a"} {"content":"b"}]',
        b'[{"content":"a"},]',
        b'[{"content":"a"}',
        b'[{"content":"\xff"}]',
        b'[{"content":NaN}]',
    ],
)
def test_what_is_no_array_of_objects_is_not_read(array):
    reader = Reader()
    for _ in range(2):
        with pytest.raises(NotJson):
            reader(array)
        reader(b'[{"content":"a"}]')
