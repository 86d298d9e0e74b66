import time

from hypothesis import given
from hypothesis import strategies as st

from addon.embedded import EmbeddedProvider
from addon.engine.tape import PIECE, Tape
from tests.support.calls import collect, make_call


def kept(pieces):
    return b"".join(data for _, data in pieces)


@given(st.lists(st.binary(max_size=400)), st.integers(2, 1000))
def test_a_beginning_and_an_end_are_kept(pieces, limit):
    tape = Tape(limit)
    for piece in pieces:
        tape.add(piece)
    whole = b"".join(pieces)
    first, last = kept(tape.first), kept(tape.last)
    assert whole.startswith(first)
    assert whole.endswith(last)
    assert len(first) + tape.left_out + len(last) == len(whole)
    assert len(first) <= limit // 2
    assert len(last) <= limit // 2
    # A piece has some weight of its own, so that many small ones have a bound too.
    assert len(tape.first) + len(tape.last) <= limit // PIECE + 2
    if len(whole) + PIECE * len(pieces) <= limit // 2:
        assert first == whole


@given(st.lists(st.binary(min_size=1, max_size=50)))
def test_times_go_on(pieces):
    tape = Tape(1000)
    began = time.monotonic()
    for piece in pieces:
        tape.add(piece)
    times = [began, *(moment for moment, _ in (*tape.first, *tape.last)), time.monotonic()]
    assert times == sorted(times)


async def test_a_provider_is_taped_as_it_speaks():
    async with EmbeddedProvider() as provider:
        call = make_call(provider.base_url, "[[events 4]] [[say a b c d]]")
        tape = call.outcome.tape = Tape(100_000)
        await collect(call)
    (take,) = tape.takes
    assert (take.provider, take.model) == ("anthropic", "claude-sonnet-5-5")
    assert (take.format, take.status) == ("anthropic", 200)
    said = kept(tape.first)
    assert said.startswith(b"event: message_start")
    assert said.count(b"text_delta") == 4
    assert b"message_stop" in said
    assert take.time <= tape.first[0][0]


async def test_errors_are_taped_too():
    async with EmbeddedProvider() as provider:
        call = make_call(provider.base_url, "[[error 529 overloaded_error]]", stream=False)
        tape = call.outcome.tape = Tape(100_000)
        await collect(call)
    assert [take.status for take in tape.takes] == [529]
    assert b"overloaded_error" in kept(tape.first)
