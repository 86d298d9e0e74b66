import itertools

from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import (
    Citation,
    EventChecker,
    OpaqueState,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    TextDelta,
    Usage,
    fold,
)
from addon.translation.joining import MOST_ROUNDS, JoinedDecoder, Joiner
from tests.support.strategies import event_streams


class Suspended:
    """Goes on a given number of times."""

    def __init__(self, times, *, joins_text):
        self.times = times
        self.joins_text = joins_text

    def feed(self, data):
        pass

    def follow_up(self):
        self.times -= 1
        return b"more" if self.times >= 0 else None


def join(streams, *, joins_text):
    joiner = Joiner(Suspended(len(streams) - 1, joins_text=joins_text))
    events = []
    for stream in streams:
        if events:
            assert joiner.follow_up == b"more"
            joiner.resume()
        events += joiner.join(stream)
    assert joiner.follow_up is None
    return events


def text(words, *citations, signed=False, index=0, usage=None):
    sign = [SignatureDelta(index, OpaqueState("gemini", "s"))] if signed else []
    return [
        ResponseStart("r", "m", None),
        PartStart(index, "text"),
        TextDelta(index, words),
        *sign,
        PartEnd(index, citations),
        ResponseEnd("stop", None, None, usage),
    ]


orderly = event_streams().filter(lambda events: type(events[-1]) is ResponseEnd)


@given(st.lists(orderly, min_size=1, max_size=4))
def test_the_parts_of_all_make_one_answer(streams):
    events = join(streams, joins_text=False)
    checker = EventChecker()
    for event in events:
        checker.check(event)
    whole = fold(events)
    apart = [fold(stream) for stream in streams]
    assert whole.parts == tuple(itertools.chain.from_iterable(one.parts for one in apart))
    assert (whole.id, whole.finish_reason) == (apart[0].id, apart[-1].finish_reason)
    counted = [one.usage.output_tokens for one in apart if one.usage and one.usage.output_tokens]
    assert ((whole.usage and whole.usage.output_tokens) or 0) == sum(counted)


@given(st.lists(orderly, min_size=1, max_size=4))
def test_words_that_go_on_stay_the_same_words(streams):
    events = join(streams, joins_text=True)
    checker = EventChecker()
    for event in events:
        checker.check(event)
    words = [part.text for part in fold(events).parts if hasattr(part, "text")]
    apart = [part.text for one in streams for part in fold(one).parts if hasattr(part, "text")]
    assert "".join(words) == "".join(apart)


def test_an_answer_that_is_whole_stays_as_it_is():
    stream = text("hello")
    assert join([stream], joins_text=True) == stream


def test_a_text_goes_on_with_its_citations():
    first = text("One, ", Citation("https://a", start=0, end=3), usage=Usage(10, output_tokens=2))
    second = text("two", Citation("https://b", start=0, end=3), usage=Usage(12, output_tokens=3))
    (part,) = fold(join([first, second, text("!")], joins_text=True)).parts
    assert part.text == "One, two!"
    assert [(found.start, found.end) for found in part.citations] == [(0, 3), (5, 8)]
    assert fold(join([first, second], joins_text=True)).usage == Usage(22, output_tokens=5)


def test_what_is_signed_does_not_go_on():
    parts = fold(join([text("One, ", signed=True), text("two")], joins_text=True)).parts
    assert [part.text for part in parts] == ["One, ", "two"]


def test_there_is_an_end_to_going_on():
    joiner = Joiner(Suspended(1000, joins_text=False))
    rounds = 0
    while True:
        joiner.join(text("x"))
        if joiner.follow_up is None:
            break
        joiner.resume()
        rounds += 1
    assert rounds == joiner.rounds == MOST_ROUNDS


def test_what_follows_a_suspended_stream_is_not_read():
    class Decoder:
        losses = ()

        def feed(self, data):
            return text(data.decode())

    decoder = JoinedDecoder(Decoder, Suspended(1, joins_text=False))
    assert [type(event) for event in decoder.feed(b"a")] == [
        ResponseStart,
        PartStart,
        TextDelta,
        PartEnd,
    ]
    assert decoder.feed(b"rest") == decoder.feed_eof() == []
    decoder.resume()
    assert decoder.feed(b"b")[-1] == ResponseEnd("stop")
    assert [loss.field for loss in decoder.losses] == ["finish_reason"]
