"""What holds of every view, whatever a flow is."""

import io
import json
import logging
import time
from array import array

import mitmproxy_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import contentviews, flowfilter
from mitmproxy import io as flow_files
from mitmproxy.contentviews import Metadata
from mitmproxy.test import tflow, tutils
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from addon.formats import FORMATS
from addon.views import VIEWS, metadata, register
from addon.views.page import MOST
from addon.views.view import FAILED, NOT_OURS

SUMMARY_FIELDS = (
    "action", "rule", "why", "phase", "endpoint", "provider", "model", "requested_model",
    "agent_format", "format", "stream", "losses", "attempts", "usage", "cost_usd", "error",
    "request_id", "seconds",
)  # fmt: skip
STREAM_FIELDS = (
    "began", "takes", "first", "first_times", "first_sizes", "last", "last_times", "last_sizes",
    "left_out", "agent_times", "agent_sizes",
)  # fmt: skip
NAMES = (
    metadata.AGENT, metadata.ORIGINAL, metadata.SENT, metadata.SUMMARY, metadata.STREAMS,
    metadata.SOCKET, metadata.REPLAY_OF, metadata.COMPARISON,
)  # fmt: skip
TEXT = st.text(max_size=20) | st.sampled_from(["[[1,2],[3,4]]", "[[0,9]]", "{", "null"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=40)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXT | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)
actions = st.sampled_from(["route", "pass", "refuse", "answer", "socket", "conquer"])
summaries = st.fixed_dictionaries(
    {"action": actions},
    optional={
        **dict.fromkeys(SUMMARY_FIELDS[1:], values),
        "agent_format": st.sampled_from([*FORMATS]) | values,
    },
)
numbers = st.lists(st.floats() | st.floats(0, 9), max_size=5).map(
    lambda found: array("d", found).tobytes()
)
sizes = st.lists(st.integers(0, 99), max_size=5).map(lambda found: array("I", found).tobytes())
streams = st.fixed_dictionaries(
    {},
    optional={
        name: values | (numbers if "times" in name else sizes if "sizes" in name else values)
        for name in STREAM_FIELDS
    },
)
bodies = (
    st.binary(max_size=200)
    | values.map(lambda value: json.dumps(value, default=str).encode("utf-8", "replace"))
    | st.sampled_from(
        [
            b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n',
            b'{"messages":[{"role":"user","content":"\\ud800"}],"model":"m"}',
            b'{"messages":[{"role":"assistant","tool_calls":[{"id":"1","function":{}}]}]}',
            b'{"type":"response.create","input":"hi"}',
            b'{"type":"response.output_text.delta","delta":"hi"}',
            b"[" * 5000,
        ]
    )
)
messages = st.fixed_dictionaries({}, optional={"body": bodies, "url": TEXT, "headers": values})
kept = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(NAMES, values),
        metadata.SUMMARY: summaries | values,
        metadata.STREAMS: streams | values,
        metadata.ORIGINAL: messages | values,
    },
)


def places(flow, content):
    """Return all that a view may be asked about, as mitmproxy describes it."""
    message = WebSocketMessage(Opcode.TEXT, True, content)
    return (
        Metadata(flow=flow),
        Metadata(flow=flow, http_message=flow.request, content_type="application/json"),
        Metadata(flow=flow, http_message=flow.response),
        Metadata(flow=flow, websocket_message=message),
    )


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
@given(
    kept=kept,
    asked=bodies,
    answered=st.none() | bodies,
    status=st.sampled_from([200, 200, 404, 503]),
    live=st.booleans(),
    failed=st.booleans(),
)
def test_no_view_fails(view, kept, asked, answered, status, live, failed):
    flow = tflow.tflow(req=tutils.treq(content=asked, path=b"/v1/chat/completions"), err=failed)
    if answered is not None:
        flow.response = tutils.tresp(content=answered, status_code=status)
    flow.live = live
    flow.metadata |= kept
    for place in places(flow, asked):
        told = view.write(flow, metadata.read(flow), asked, place)
        assert isinstance(told, str)
        assert len(told) <= 2 * MOST
        assert isinstance(view.fits(flow, metadata.read(flow), place), int | float)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
def test_flows_of_others_are_left_alone(view):
    for foreign in (tflow.tflow(resp=True), tflow.ttcpflow(), tflow.tdnsflow(), None):
        place = Metadata(flow=foreign)
        assert view.render_priority(b"", place) < 0
        assert view.prettify(b"", place)
    assert view.prettify(b"", Metadata()) == NOT_OURS


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
def test_a_bug_is_told_in_the_log_and_not_to_mitmproxy(view, monkeypatch, caplog):
    monkeypatch.setattr(type(view), "write", lambda *_: 1 / 0)
    monkeypatch.setattr(type(view), "fits", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        assert view.prettify(b"", Metadata(flow=tflow.tflow())) == FAILED
        assert view.render_priority(b"", Metadata(flow=tflow.tflow())) == -1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
def test_a_saved_flow_shows_the_same(view, flow):
    file = io.BytesIO()
    flow_files.FlowWriter(file).add(flow)
    file.seek(0)
    (loaded,) = flow_files.FlowReader(file).stream()
    for before, after in zip(places(flow, b"{}"), places(loaded, b"{}"), strict=True):
        assert view.prettify(b"{}", before) == view.prettify(b"{}", after)


def test_filters_see_no_more_of_a_flow_from_a_file(flow):
    file = io.BytesIO()
    flow_files.FlowWriter(file).add(flow)
    file.seek(0)
    (loaded,) = flow_files.FlowReader(file).stream()
    assert flowfilter.match("~meta messages", loaded)
    metadata.quieten(loaded)
    assert not flowfilter.match("~meta messages", loaded)
    assert metadata.read(loaded) == metadata.read(flow)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
def test_the_console_can_color_it(view, flow):
    for place in places(flow, b"{}"):
        told = view.prettify(b"{}", place)
        pieces = mitmproxy_rs.syntax_highlight.highlight(told, language=view.syntax_highlight)
        assert "".join(text for _, text in pieces) == told


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
def test_what_is_large_is_bounded(view, flow):
    words = "word " * 800_000
    picture = {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{'A' * 4_000_000}"},
    }
    turns = [{"role": role, "content": "turn " * 500} for role in ("user", "assistant")] * 800
    for content in (
        {"model": "m", "messages": [{"role": "user", "content": words}]},
        {"model": "m", "messages": [{"role": "user", "content": [picture]}]},
        {"model": "m", "messages": turns},
        {"model": "m", "messages": [], "tools": [{"type": str(n)} for n in range(100_000)]},
        {"model": "m", "messages": [], "x" * 3_000_000: "y" * 3_000_000},
    ):
        body = json.dumps(content).encode()
        flow.metadata[metadata.ORIGINAL]["body"] = body
        flow.request.content = body
        took = []
        for place in places(flow, body):
            began = time.process_time()
            told = view.prettify(body, place)
            took.append(time.process_time() - began)
            assert len(told) <= 2 * MOST
        assert max(took) < 1, "mitmweb stands still meanwhile"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.title)
def test_a_long_stream_is_bounded(view, flow):
    event = b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"hello "}}]}\n\n'
    flow.response.content = event * 200_000
    place = Metadata(flow=flow, http_message=flow.response)
    began = time.process_time()
    told = view.prettify(flow.response.content, place)
    assert time.process_time() - began < 2
    assert len(told) <= 2 * MOST


def test_views_are_known_to_mitmproxy_once():
    register()
    before = [*contentviews.registry]
    register()
    assert [*contentviews.registry] == before
    names = [name for name in contentviews.registry.available_views() if name.startswith("detour")]
    assert names == [
        "detour",
        "detour agent request",
        "detour comparison",
        "detour conversation",
        "detour request as sent",
        "detour streams",
    ]
