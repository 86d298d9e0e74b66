"""What is asked while Detour ends: an error or nothing, and no failure in the log."""

import asyncio
import threading

import httpx2
import pytest

from addon.dashboard.workspace import THREADS
from tests.support.dashboard import running_dashboard

RULES = "version: 1\nrules: [{name: all, use: anthropic:claude-sonnet-5-5}]\n"


def workspace_of(proxy):
    return proxy.master.addons.get("detourdashboard")._workspace


async def ask(page):
    """Return the status of an answer; 0 where there is none."""
    async with httpx2.AsyncClient(trust_env=False, cookies=page.client.cookies) as client:
        try:
            return (await client.get(f"{page.origin}/detour/api/rules")).status_code
        except httpx2.TransportError:
            return 0


async def until_waiting(workspace, count):
    async with asyncio.timeout(10):
        while workspace._waiting < count:  # noqa: ASYNC110 - it is a number, not an event
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("mitmweb", [False, True], ids=["own", "mitmweb"])
async def test_what_waits_and_what_comes_is_refused(mitmweb):
    release = threading.Event()
    async with running_dashboard(RULES, mitmweb=mitmweb) as (page, proxy):
        workspace = workspace_of(proxy)
        busy = [asyncio.create_task(workspace.in_thread(release.wait)) for _ in range(THREADS)]
        asked = [asyncio.create_task(ask(page)) for _ in range(5)]
        try:
            await until_waiting(workspace, THREADS + 5)
            workspace.close()
            assert {await each for each in asked} == {503}
            assert await ask(page) == 503
        finally:
            release.set()
        assert await asyncio.gather(*busy) == [True] * THREADS


async def test_what_fails_because_all_ends_is_refused():
    release = threading.Event()

    def read():
        release.wait()
        raise ValueError("the ledger is closed")

    async with running_dashboard(RULES) as (_, proxy):
        workspace = workspace_of(proxy)
        asked = asyncio.create_task(workspace.in_thread(read))
        await until_waiting(workspace, 1)
        workspace.close()
        release.set()
        with pytest.raises(Exception, match="about to end"):
            await asked


async def test_the_end_of_the_loop_is_no_failure():
    release = threading.Event()
    async with running_dashboard(RULES) as (page, proxy):
        workspace = workspace_of(proxy)
        busy = [asyncio.create_task(workspace.in_thread(release.wait)) for _ in range(THREADS)]
        asked = asyncio.create_task(ask(page))
        await until_waiting(workspace, THREADS + 1)
        answering = [
            task
            for task in asyncio.all_tasks()
            if getattr(task.get_coro(), "__name__", "") == "_execute"
        ]
        assert answering
        for task in answering:
            task.cancel()
        await asyncio.wait(answering, timeout=10)
        release.set()
        await asyncio.gather(*busy)
        assert not proxy.logs.errors
    assert await asked == 0
