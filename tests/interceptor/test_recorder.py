import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.test import tflow

from addon.engine import Tape
from addon.engine.tape import Take
from addon.interceptor import recorder
from addon.interceptor.recorder import Recorder
from addon.views.metadata import STREAMS
from addon.views.timeline import unpack

KEY = "sk-provider-0123456789"


def record(limit=10_000, refresh=None, **more):
    flow = tflow.tflow(resp=True)
    flow.request.timestamp_start = time.time()
    return flow, Recorder(flow, limit, refresh, **more)


@given(st.lists(st.binary(min_size=1)))
def test_nothing_is_changed_and_everything_is_kept(chunks):
    flow, recorded = record()
    assert [recorded(chunk) for chunk in [*chunks, b""]] == [*chunks, b""]
    recorded.end()
    assert flow.response.raw_content == b"".join(chunks)
    timeline = unpack(flow.metadata[STREAMS], flow.response.raw_content)
    assert [piece.data for piece in timeline.agent] == chunks


def test_what_exceeds_the_limit_passes_unseen():
    flow, recorded = record(limit=5)
    assert [recorded(b"abcd") for _ in range(3)] == [b"abcd"] * 3
    recorded.end()
    assert flow.response.raw_content == b"abcdabcd"


async def test_people_see_the_first_piece_at_once():
    seen = []
    _, recorded = record(refresh=lambda flow: seen.append(flow.response.raw_content))
    recorded(b"a")
    await asyncio.sleep(0)
    assert seen == [b"a"]
    recorded.end()


async def test_and_the_last_one_also_when_nothing_follows_it(monkeypatch):
    monkeypatch.setattr(recorder, "REFRESH", 0.02)
    monkeypatch.setattr(recorder, "PER_RECORDING", 0)
    seen = []
    _, recorded = record(refresh=lambda flow: seen.append(flow.response.raw_content))
    for chunk in (b"a", b"b", b"c"):
        recorded(chunk)
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    assert seen == [b"a", b"abc"]
    await asyncio.sleep(0.1)
    assert len(seen) == 2, "nothing has come, so nothing is shown"
    recorded.end()


async def test_a_display_that_fails_harms_nothing(caplog):
    def fail(_):
        raise ValueError("no display")

    _, recorded = record(refresh=fail)
    assert recorded(b"a") == b"a"
    await asyncio.sleep(0.01)
    assert "no display" in caplog.text
    assert recorded(b"b") == b"b"
    recorded.end()


async def test_but_not_every_piece():
    seen = []
    _, recorded = record(refresh=lambda flow: seen.append(flow.response.raw_content))
    for _ in range(100):
        recorded(b"a")
        await asyncio.sleep(0)
    assert len(seen) == 1
    recorded.end()
    await asyncio.sleep(0)
    assert len(seen) == 1, "the end is for the hooks to tell"


async def test_many_answers_share_what_the_display_can_bear(monkeypatch):
    monkeypatch.setattr(recorder, "REFRESH", 0)
    monkeypatch.setattr(recorder, "PER_RECORDING", 0.01)
    seen = []
    recordings = [record(refresh=seen.append)[1] for _ in range(20)]
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        for recorded in recordings:
            recorded(b"a")
        await asyncio.sleep(0.01)
    for recorded in recordings:
        recorded.end()
    assert 20 <= len(seen) <= 20 + 0.5 / 0.01 + 20


async def test_both_streams_are_kept_in_time_and_without_keys():
    tape = Tape(1000)
    flow, recorded = record(tape=tape, secrets=("Bearer sk-agent-0123456789",))
    begun = time.monotonic()
    tape.begin(Take(begun, "anthropic", "claude", "anthropic", 200, (KEY,)))
    tape.add(b"provider says " + KEY[:10].encode())
    tape.add(KEY[10:].encode() + b" and sk-agent-0123456789.")
    recorded(b"agent gets sk-agent-0123456789")
    recorded.end()
    timeline = unpack(flow.metadata[STREAMS], flow.response.raw_content)
    (take,) = timeline.takes
    assert (take.target, take.status) == ("anthropic:claude", 200)
    said = b"".join(piece.data for piece in timeline.provider)
    assert said == b"provider says " + b"*" * len(KEY) + b" and " + b"*" * 19 + b"."
    assert [len(piece.data) for piece in timeline.provider] == [24, 37]
    assert flow.response.raw_content == b"agent gets " + b"*" * 19
    assert all(0 <= piece.time < 5000 for piece in (*timeline.provider, *timeline.agent))
