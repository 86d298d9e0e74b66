from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.test import tflow

from addon.interceptor import recorder
from addon.interceptor.recorder import Recorder


def record(limit=10_000, refreshed=None):
    flow = tflow.tflow(resp=True)
    return flow, Recorder(flow, limit, (refreshed if refreshed is not None else []).append)


@given(st.lists(st.binary(min_size=1)))
def test_nothing_is_changed_and_everything_is_kept(chunks):
    flow, recorded = record()
    assert [recorded(chunk) for chunk in [*chunks, b""]] == [*chunks, b""]
    recorded.show()
    assert flow.response.raw_content == b"".join(chunks)


def test_what_exceeds_the_limit_passes_unseen():
    flow, recorded = record(limit=5)
    assert [recorded(b"abcd") for _ in range(3)] == [b"abcd"] * 3
    recorded.show()
    assert flow.response.raw_content == b"abcdabcd"


def test_people_see_it_grow(monkeypatch):
    refreshed = []
    flow, recorded = record(refreshed=refreshed)
    monkeypatch.setattr(recorder, "REFRESH", 0)
    recorded(b"a")
    assert flow.response.raw_content == b"a"
    recorded(b"b")
    assert flow.response.raw_content == b"ab"
    assert refreshed == [flow, flow]


def test_but_not_at_every_piece():
    flow, recorded = record(refreshed=(refreshed := []))
    before = flow.response.raw_content
    for _ in range(100):
        recorded(b"a")
    assert flow.response.raw_content == before
    assert refreshed == []
