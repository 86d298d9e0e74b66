"""Events reach every listener: all of them, or the last of each thing, and never too much."""

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from addon.dashboard import hub as hubs
from addon.dashboard.hub import Hub


def told(events):
    return [(event.kind, event.key, json.loads(event.data)) for event in events]


async def test_all_listeners_are_told():
    hub = Hub()
    with hub.listening() as one, hub.listening() as two:
        hub.publish("rules", {"n": 1})
        for listener in (one, two):
            assert told(await listener.take(1)) == [("rules", "", {"n": 1})]


async def test_silence_ends_after_a_while():
    with Hub().listening() as listener:
        assert await listener.take(0.01) == []


async def test_a_listener_that_waits_is_woken_by_an_event_and_by_the_end():
    hub = Hub()
    with hub.listening() as listener:
        waiting = asyncio.create_task(listener.take(10))
        await asyncio.sleep(0)
        hub.publish("keys", {})
        assert len(await waiting) == 1
        waiting = asyncio.create_task(listener.take(10))
        await asyncio.sleep(0)
        hub.close()
        assert await waiting == []
        assert listener.closed


async def test_a_slow_listener_gets_the_last_of_each_thing():
    hub = Hub()
    with hub.listening() as listener:
        for number in range(10_000):
            hub.publish("exchange", {"n": number}, f"{number % 50}")
        events = await listener.take(1)
    assert [event.key for event in events] == [str(key) for key in range(50)]
    assert [json.loads(event.data)["n"] for event in events] == list(range(9950, 10_000))


async def test_a_listener_that_misses_too_much_is_told_to_read_anew():
    hub = Hub()
    with hub.listening() as listener:
        for number in range(hubs.MOST_PENDING + 10):
            hub.publish("exchange", {}, str(number))
        events = await listener.take(1)
        assert [event.kind for event in events] == ["reset"] + ["exchange"] * 9
        assert len(listener._pending) == 0


async def test_nothing_is_kept_for_nobody(monkeypatch):
    hub = Hub()
    for number in range(100):
        hub.publish("exchange", {"n": number}, str(number))
    assert not hub.listens
    assert not hub._recent
    with hub.listening():
        hub.publish("rules", {})
    assert hub.listens  # the page may come back
    monkeypatch.setattr(hubs, "MEMORY", 0.0)
    hub.publish("rules", {})
    assert not hub._recent


@given(st.lists(st.integers(0, 3), max_size=30), st.data())
def test_a_page_that_comes_back_misses_nothing(keys, data):
    async def check():
        hub = Hub()
        with hub.listening() as first:
            hub.publish("rules", {})
            (seen,) = await first.take(1)
            cut = data.draw(st.integers(0, len(keys)))
            for key in keys[:cut]:
                hub.publish("exchange", {"key": key}, str(key))
                seen = (await first.take(1))[-1]
        for number, key in enumerate(keys[cut:]):
            hub.publish("exchange", {"number": number}, str(key))
        last = {}
        for number, key in enumerate(keys[cut:]):
            last.pop(str(key), None)
            last[str(key)] = {"number": number}
        with hub.listening(seen.id) as second:
            events = await second.take(0.001)
        assert [(key, document) for _, key, document in told(events)] == list(last.items())

    asyncio.run(check())


@given(st.text(max_size=20) | st.from_regex(r"[0-9a-f]{8}-[0-9]{1,20}", fullmatch=True))
def test_whoever_names_another_event_reads_everything_anew(last):
    async def check():
        hub = Hub()
        with hub.listening(last) as listener:
            events = await listener.take(0.001)
        assert [event.kind for event in events] == (["reset"] if last else [])

    asyncio.run(check())


async def test_what_was_missed_for_too_long_is_read_anew():
    hub = Hub()
    with hub.listening() as listener:
        hub.publish("rules", {})
        (seen,) = await listener.take(1)
        for number in range(hubs.MOST_RECENT + 1):
            hub.publish("exchange", {}, str(number))
    with hub.listening(seen.id) as again:
        assert [event.kind for event in await again.take(1)] == ["reset"]
