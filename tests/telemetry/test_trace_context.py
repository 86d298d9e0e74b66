"""Where an exchange stands in a trace, whatever the agent says about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.telemetry import outgoing_headers, trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def test_an_agents_span_is_the_parent():
    headers = (("Traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "a=1,b=2"))
    trace = trace_of("flow 1", headers)
    assert f"{trace.trace_id:032x}" == TRACE
    assert f"{trace.parent_id:016x}" == SPAN
    assert (trace.flags, trace.state) == (1, "a=1,b=2")
    assert dict(outgoing_headers(trace, headers)) == {
        "Traceparent": f"00-{TRACE}-{trace.span_id:016x}-01",
        "tracestate": "a=1,b=2",
    }


@pytest.mark.parametrize(
    "said",
    [
        "",
        "hello",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
    ],
)
def test_what_cannot_be_read_begins_a_trace(said):
    headers = (("traceparent", said), ("tracestate", "a=1"))
    trace = trace_of("flow 1", headers)
    assert trace.parent_id is None
    assert trace.state == ""
    assert outgoing_headers(trace, headers) == headers


def test_a_later_version_is_read_as_far_as_it_is_known():
    trace = trace_of("flow 1", (("traceparent", f"01-{TRACE}-{SPAN}-01-more"),))
    assert f"{trace.trace_id:032x}" == TRACE


@given(st.text(), st.text())
def test_ids_are_an_exchanges_own_and_stay_the_same(one, other):
    first, second = trace_of(one, ()), trace_of(other, ())
    assert (first == second) == (one == other)
    assert 0 < first.trace_id < 1 << 128
    assert 0 < first.span_id < 1 << 64
