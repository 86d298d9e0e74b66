from __future__ import annotations

from addon.neutral import Message, NativePart, Recurring, TextPart
from addon.wire.kept_messages import keep


def said(*parts):
    return Message("user", parts)


def test_equal_messages_become_the_same_object():
    first, second = keep([said(TextPart("a"))]), keep([said(TextPart("a")), said(TextPart("b"))])
    assert isinstance(second, Recurring)
    assert second[0] is first[0]
    assert second == (said(TextPart("a")), said(TextPart("b")))


def test_what_has_no_hash_stays_as_it_is():
    message = said(NativePart("gemini", "executableCode", {"code": "1"}))
    assert keep([message])[0] is message
