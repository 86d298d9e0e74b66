from hypothesis import given
from hypothesis import strategies as st

from addon.wire.request_fields import Fields
from addon.wire.unread import Unread

KNOWN = frozenset(("type", "text"))


def fields(unread):
    return [extra.field for extra in unread.extras]


def test_members_beyond_the_known_are_gathered_once_and_without_positions():
    unread = Unread()
    for index in range(3):
        unread.look({"type": "text", "phase": "final"}, KNOWN, f"messages[{index}].content[0]")
    assert fields(unread) == ["messages.content.phase"]


def test_what_asks_for_nothing_is_nothing_to_lose():
    unread = Unread()
    unread.look({"a": None, "b": False, "c": [], "d": {}, "e": "", "f": 0}, KNOWN, "item")
    assert fields(unread) == ["item.f"]


def test_objects_within_report_to_the_same_list():
    unread = Unread()
    root = Fields({"a": {"b": 1}, "list": [{"c": 2}]}, unread=unread)
    inner = root.object("a")
    assert inner is not None
    inner.knows(frozenset())
    for item in root.objects("list"):
        item.knows(frozenset())
    assert fields(unread) == ["a.b", "list.c"]


def test_fields_of_nobody_report_to_nobody():
    lonely = Fields({"a": 1})
    lonely.knows(frozenset())
    lonely.lose("a")
    assert lonely.unread is None


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text())))
def test_nothing_that_says_something_is_passed_over(wire):
    unread = Unread()
    unread.look(wire, KNOWN, "here")
    said = {
        key for key, value in wire.items() if value not in (None, "") and value is not False
    } - KNOWN
    assert len(fields(unread)) <= len(said)
    assert {extra.value for extra in unread.extras} <= set(wire.values())
