from __future__ import annotations

import pytest

from addon.wire.readings import NotJson, Readings
from addon.wire.unread import Unread


def reader(calls):
    def parse(value, unread):
        calls.append(value)
        unread.lose("messages.color", value.get("color"))
        if "wrong" in value:
            raise ValueError("wrong")
        return value["content"]

    return parse


def test_a_piece_is_read_once_for_each_context():
    readings, calls = Readings(), []
    for context in (None, "1h", None, "1h"):
        assert readings.read(b'{"content":"a"}', context, Unread(), reader(calls)) == "a"
    assert len(calls) == 2


def test_what_was_left_unread_is_told_every_time():
    readings = Readings()
    for _ in range(3):
        unread = Unread()
        readings.read(b'{"content":"a","color":"red"}', None, unread, reader([]))
        assert [(extra.field, extra.value) for extra in unread.extras] == [
            ("messages.color", "red")
        ]


def test_of_two_pieces_the_first_to_lose_a_field_gives_its_value():
    readings = Readings()
    for _ in range(2):
        unread = Unread()
        for color in ("red", "blue"):
            data = b'{"content":"a","color":"%s"}' % color.encode()
            readings.read(data, None, unread, reader([]))
        assert [extra.value for extra in unread.extras] == ["red"]


def test_a_mistake_is_made_again():
    readings = Readings()
    for _ in range(2):
        with pytest.raises(ValueError, match="wrong"):
            readings.read(b'{"wrong":1}', None, Unread(), reader([]))


@pytest.mark.parametrize("data", [b'{"a":NaN}', b'{"a":"\xff"}', b"{", b'{"a":' + b"[" * 9000])
def test_what_is_no_strict_json_is_not_read(data):
    with pytest.raises(NotJson):
        Readings().read(data, None, Unread(), reader([]))
