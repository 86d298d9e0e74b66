from mitmproxy.addons.view import View
from mitmproxy.test import taddons, tflow

from addon.interceptor.flow_limit import evict


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
