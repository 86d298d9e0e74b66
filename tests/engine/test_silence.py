import asyncio
import math

import pytest

from addon.engine.silence import END, READ_AHEAD, SILENCE, Listener, ProviderTimeoutError
from addon.providers import Timeouts


class Source:
    """Yields items after pauses, and remembers how it ended."""

    def __init__(self, *steps):
        self.steps = steps
        self.closed = False
        self.yielded = 0

    async def run(self):
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                    continue
                self.yielded += 1
                yield step
        finally:
            self.closed = True


def listen(source, **timeouts):
    return Listener(source.run(), Timeouts(**timeouts))


async def drain(listener, patience=math.inf):
    for _ in range(10):
        await listener.receive(patience)


async def test_items_come_in_order_then_the_end():
    source = Source("a", "b", 0.01, "c")
    listener = listen(source)
    assert [await listener.receive() for _ in range(4)] == ["a", "b", "c", END]
    await listener.aclose()
    assert source.closed


async def test_what_has_come_meanwhile_can_be_taken_at_once_but_for_what_is_of_another_kind():
    listener = listen(Source("a", "b", "c", 4, "d"))
    assert await listener.receive() == "a"
    assert listener.take_ready(str) == ["b", "c"]
    assert listener.take_ready(str) == []
    assert [await listener.receive() for _ in range(3)] == [4, "d", END]
    assert listener.take_ready(str) == []
    await listener.aclose()


async def test_taking_what_has_come_lets_the_source_go_on():
    source = Source(*range(3 * READ_AHEAD))
    listener = listen(source)
    taken = [await listener.receive()]
    while len(taken) < 3 * READ_AHEAD:
        taken += listener.take_ready(int)
        await asyncio.sleep(0)
    assert taken == list(range(3 * READ_AHEAD))
    await listener.aclose()


async def test_silence_is_reported_without_losing_what_comes_after():
    listener = listen(Source("a", 0.05, "b"))
    assert await listener.receive(0.02) == "a"
    assert await listener.receive(0.02) is SILENCE
    heard = await listener.receive(0.2)
    assert heard == "b"
    await listener.aclose()


async def test_what_has_come_is_given_though_patience_is_at_an_end():
    listener = listen(Source("a", "b"))
    await asyncio.sleep(0.01)
    assert [await listener.receive(-1), await listener.receive(-1)] == ["a", "b"]
    await listener.aclose()


@pytest.mark.parametrize(
    ("steps", "limits", "limit"),
    [
        ((9.0,), {"first_byte": 0.03}, "first_byte"),
        (("a", 9.0), {"idle": 0.03}, "idle"),
        (("a", 0.02, "b", 0.02, "c", 0.02, "d"), {"total": 0.05}, "total"),
    ],
)
async def test_a_provider_that_takes_too_long_is_given_up(steps, limits, limit):
    source = Source(*steps)
    listener = listen(source, **limits)
    with pytest.raises(ProviderTimeoutError) as caught:
        await drain(listener)
    assert (caught.value.limit, caught.value.seconds) == (limit, limits[limit])
    await listener.aclose()
    assert source.closed


async def test_silence_comes_before_the_timeout():
    listener = listen(Source(9.0), first_byte=0.06)
    assert await listener.receive(0.02) is SILENCE
    with pytest.raises(ProviderTimeoutError):
        await drain(listener, 0.02)
    await listener.aclose()


async def test_a_slow_reader_slows_the_source_and_is_not_taken_for_its_silence():
    source = Source(*range(3 * READ_AHEAD), 0.01, "last")
    listener = listen(source, idle=0.05)
    assert await listener.receive() == 0
    await asyncio.sleep(0.1)
    assert source.yielded <= READ_AHEAD + 3
    heard = [await listener.receive() for _ in range(3 * READ_AHEAD)]
    assert heard == [*range(1, 3 * READ_AHEAD), "last"]
    await listener.aclose()


async def test_a_failure_of_the_source_is_raised_after_what_came_before_it():
    listener = listen(Source("a", ValueError("broken")))
    assert await listener.receive() == "a"
    with pytest.raises(ValueError, match="broken"):
        await listener.receive()
    await listener.aclose()


async def test_closing_stops_a_source_that_is_waiting():
    source = Source("a", 60.0)
    listener = listen(source)
    await listener.receive()
    await asyncio.wait_for(listener.aclose(), 1)
    assert source.closed


async def test_cancelling_the_reader_closes_the_source():
    source = Source(60.0)

    async def read():
        listener = listen(source)
        try:
            await listener.receive()
        finally:
            await listener.aclose()

    task = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task}, timeout=1)
    assert task.cancelled()
    assert source.closed


async def test_hurry_shortens_what_is_left():
    listener = listen(Source("a", 60.0))
    await listener.receive()
    listener.hurry(0.02)
    with pytest.raises(ProviderTimeoutError):
        await listener.receive()
    await listener.aclose()
