import pytest
from hypothesis import given

from addon.neutral import (
    Citation,
    ErrorInfo,
    EventChecker,
    ImagePart,
    OpaqueState,
    ReasoningPart,
    RefusalPart,
    Response,
    StreamError,
    TextPart,
    ToolCallPart,
    UrlMedia,
    Usage,
    fold,
    unfold,
)
from tests.support.strategies import event_streams

WHOLE = Response(
    id="r",
    model="m",
    parts=(
        ReasoningPart("why", OpaqueState("anthropic", "sig")),
        ReasoningPart("", OpaqueState("anthropic", "xx", "redacted")),
        TextPart("hello", (Citation("https://example.com", "t"),)),
        TextPart(""),
        RefusalPart("no"),
        ToolCallPart("c1", "ls", "{}"),
        ToolCallPart("c2", "patch", "*** Begin", kind="custom"),
        ToolCallPart("c3", "noop", "", state=OpaqueState("gemini", "sig")),
        TextPart("signed", state=OpaqueState("gemini", "sig")),
    ),
    finish_reason="tool_calls",
    raw_finish_reason="tool_use",
    stop_sequence="X",
    usage=Usage(1, 2, 3, 4, 5),
)


def test_unfolding_and_folding_is_the_identity():
    assert fold(unfold(WHOLE)) == WHOLE


def test_an_unfolded_answer_is_a_legal_stream():
    checker = EventChecker()
    for event in unfold(WHOLE):
        checker.check(event)
    assert checker.ended


@given(event_streams())
def test_folding_is_stable_under_unfolding(events):
    folded = fold(events)
    if isinstance(folded, ErrorInfo):
        assert events[-1] == StreamError(folded)
    else:
        assert fold(unfold(folded)) == folded


def test_parts_without_a_kind_of_event_leave_no_gap_in_the_indexes():
    response = Response(id="r", model="m", parts=(ImagePart(UrlMedia("https://x")), TextPart("a")))
    assert fold(unfold(response)) == Response(id="r", model="m", parts=(TextPart("a"),))


def test_a_stream_without_an_end_cannot_be_folded():
    with pytest.raises(ValueError, match="no terminal event"):
        fold(unfold(WHOLE)[:-1])
