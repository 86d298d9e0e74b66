import inspect

import pytest
from mitmproxy import addonmanager, exceptions, hooks, options
from mitmproxy.addonmanager import AddonManager
from mitmproxy.master import Master
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.test import tflow

from addon.interceptor import dispatch
from addon.interceptor.dispatch import RememberingAddonManager


class Listener:
    def __init__(self, name, heard, *, within=()):
        self.name = name
        self.heard = heard
        self.addons = list(within)

    def request(self, flow):
        self.heard.append(self.name)


class Waiting(Listener):
    async def request(self, flow):
        self.heard.append(self.name)


class Failing(Listener):
    def request(self, flow):
        super().request(flow)
        raise ValueError("a mistake of an addon")


class Halting(Listener):
    def request(self, flow):
        super().request(flow)
        raise exceptions.AddonHalt


class Deaf:
    def __init__(self, name, *, within=()):
        self.name = name
        self.addons = list(within)


@pytest.fixture
async def addons():
    master = Master(options.Options())
    dispatch.install(master.addons)
    yield master.addons
    await master.done()


def request():
    return HttpRequestHook(tflow.tflow())


def test_what_is_touched_of_mitmproxy():
    for method in (AddonManager.trigger_event, AddonManager.trigger):
        assert list(inspect.signature(method).parameters) == ["self", "event"]
    for method in (AddonManager.invoke_addon, AddonManager.invoke_addon_sync):
        assert list(inspect.signature(method).parameters) == ["self", "addon", "event"]
    assert inspect.iscoroutinefunction(AddonManager.trigger_event)
    assert inspect.iscoroutinefunction(AddonManager.invoke_addon)
    assert callable(addonmanager.safecall)
    assert callable(addonmanager.traverse)


@pytest.mark.parametrize("remembering", [True, False])
async def test_everybody_is_called_as_mitmproxy_would(addons, remembering, caplog):
    if not remembering:
        dispatch.uninstall(addons)
    heard = []
    inner = [Listener("b", heard), Deaf("c", within=[Waiting("d", heard)])]
    addons.add(Deaf("a", within=inner), Failing("e", heard), Listener("f", heard))
    for _ in range(2):
        await addons.trigger_event(request())
    assert heard == ["b", "d", "e", "f"] * 2
    assert "a mistake of an addon" in caplog.text

    addons.add(Halting("g", heard), Listener("h", heard))
    heard.clear()
    await addons.trigger_event(request())
    assert heard == ["b", "d", "e", "f", "g"]


async def test_addons_that_come_and_go_are_noticed(addons):
    heard = []
    inner = Listener("inner", heard)
    outer = Deaf("outer")
    addons.add(outer)
    await addons.trigger_event(request())
    outer.addons.append(addons.register(inner))  # as mitmproxy loads scripts
    await addons.trigger_event(request())
    assert heard == ["inner"]

    addons.remove(inner)
    outer.addons.clear()
    addons.add(Listener("late", heard))
    await addons.trigger_event(request())
    assert heard == ["inner", "late"]


async def test_a_hook_that_is_replaced_is_not_kept(addons):
    heard = []
    listener = Listener("a", heard)
    addons.add(listener)
    await addons.trigger_event(request())
    listener.request = lambda flow: heard.append("other")
    await addons.trigger_event(request())
    assert heard == ["a", "other"]


async def test_those_who_do_not_wait_are_called_too(addons, caplog):
    heard = []

    class Updated(Deaf):
        def update(self, flows):
            heard.append(self.name)

    addons.add(Updated("a"), Deaf("b"), Updated("c"), Waiting("d", heard))
    addons.trigger(hooks.UpdateHook([]))
    assert heard == ["a", "c"]
    addons.trigger(request())
    assert "cannot be called from sync context" in caplog.text


async def test_somebody_elses_manager_is_left_alone(addons):
    class Own(AddonManager):
        pass

    own = Own(addons.master)
    dispatch.install(own)
    assert type(own) is Own
    assert type(addons) is RememberingAddonManager
    dispatch.uninstall(addons)
    assert type(addons) is AddonManager
