import pytest
from hypothesis import given

from addon.neutral import (
    ErrorInfo,
    EventChecker,
    GrammarError,
    PartEnd,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    StreamError,
    TextDelta,
)
from addon.neutral.events import Event
from addon.neutral.grammar import TRANSITIONS
from tests.support.strategies import event_streams

START = ResponseStart("r", "m")
END = ResponseEnd("stop")
BROKEN = StreamError(ErrorInfo("cut", "cut"))


@given(event_streams())
def test_every_legal_stream_is_accepted_to_its_end(events):
    checker = EventChecker()
    for event in events:
        assert not checker.ended
        checker.check(event)
    assert checker.ended


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([TextDelta(0, "a")], "not legal in state idle"),
        ([END], "not legal in state idle"),
        ([START, START], "not legal in state body"),
        ([START, TextDelta(0, "a")], "meets a part of kind None"),
        ([START, PartStart(1, "text")], "part 1 starts where 0 was due"),
        ([START, PartStart(0, "text"), ReasoningDelta(0, "a")], "meets a part of kind text"),
        ([START, PartStart(0, "tool_call")], "has no call id"),
        ([START, PartEnd(0)], "ends a part that is not open"),
        ([START, PartStart(0, "text"), END], r"parts \[0\] are open"),
        ([START, END, END], "not legal in state ended"),
        ([BROKEN, START], "not legal in state ended"),
    ],
)
def test_what_the_grammar_forbids_is_refused(events, complaint):
    checker = EventChecker()
    for event in events[:-1]:
        checker.check(event)
    with pytest.raises(GrammarError, match=complaint):
        checker.check(events[-1])


@pytest.mark.parametrize("before", [[], [START], [START, PartStart(0, "text")]])
def test_an_error_may_end_the_stream_at_any_time(before):
    checker = EventChecker()
    for event in [*before, BROKEN]:
        checker.check(event)
    assert checker.ended


def test_the_table_names_every_kind_of_event():
    named = {kind for row in TRANSITIONS.values() for kind in row}
    assert named == set(Event.__value__.__args__)
