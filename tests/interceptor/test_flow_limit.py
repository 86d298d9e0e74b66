from mitmproxy.addons.view import View
from mitmproxy.test import taddons, tflow

from addon.interceptor import access
from addon.interceptor.flow_limit import FlowLimit, evict, evict_by_size, weight
from addon.views.metadata import ORIGINAL, SENT


def view_of(count):
    view = View()
    flows = []
    for number in range(count):
        flow = tflow.tflow(resp=True, live=False)
        flow.timestamp_created = flow.request.timestamp_start = number
        flows.append(flow)
    view.add(flows)
    return view, flows


def kept(view):
    return list(view.resolve("@all"))


async def test_the_oldest_go_first():
    view, flows = view_of(7)
    with taddons.context(view):
        evict(view, 5)
    assert kept(view) == flows[2:]


async def test_running_and_marked_flows_stay():
    view, flows = view_of(6)
    flows[0].live = True
    flows[1].marked = ":red_circle:"
    with taddons.context(view):
        evict(view, 3)
    assert kept(view) == [flows[0], flows[1], flows[5]]


async def test_zero_keeps_all():
    view, flows = view_of(3)
    with taddons.context(view):
        evict(view, 0)
        evict(view, 3)
    assert kept(view) == flows


def fill(flow, size):
    flow.request.raw_content, flow.response.raw_content = bytes(size), None
    return flow


async def test_bodies_count_once():
    (flow,) = view_of(1)[1]
    fill(flow, 100)
    flow.response.raw_content = b"answer"
    flow.metadata[ORIGINAL] = {"body": flow.request.raw_content}
    flow.metadata[SENT] = {"body": bytes(50)}
    assert weight(flow) == 156
    assert weight(tflow.ttcpflow()) == 0


async def test_the_oldest_make_room():
    view, flows = view_of(6)
    with taddons.context(view):
        for flow in flows:
            fill(flow, 100)
        assert evict_by_size(view, 600) == 600
        assert evict_by_size(view, 400) == 300
    assert kept(view) == flows[3:]


async def test_a_large_one_stays_until_another_has_come():
    view, flows = view_of(2)
    with taddons.context(view):
        fill(flows[0], 10)
        fill(flows[1], 1000)
        assert evict_by_size(view, 100) == 1000
    assert kept(view) == flows[1:]


async def test_room_is_made_as_flows_end(monkeypatch):
    view, flows = view_of(9)
    monkeypatch.setattr(access, "view", lambda: view)
    limit = FlowLimit()
    with taddons.context(view):
        for flow in flows:
            limit.keep(fill(flow, 100), 0, 400)
    assert 1 < len(kept(view)) <= 4
    assert kept(view)[-1] is flows[-1]
    monkeypatch.setattr(access, "view", lambda: None)
    limit.keep(flows[0], 1, 1)
