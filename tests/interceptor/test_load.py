"""Many agents, rude agents and slow agents at a time."""

import asyncio
import functools
import random

import httpx2
from mitmproxy.http import HTTPFlow

from addon.embedded import EmbeddedProvider
from tests.support.calls import request_body
from tests.support.living import living
from tests.support.proxy import AGENT_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import frames, text_frames

URL = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}
TEXTS = [
    "[[say Hi.]]",
    "[[events 9]] [[slow 0.005]] [[say a b c d e f g h i]]",
    "[[cut 5]]",
    "[[reset 6]]",
    "[[error 529 overloaded_error]]",
    "[[silent 0.05]] [[say Hi.]]",
]


async def notice(sent, name, information):
    """Tell when a request is on its way: cancelled earlier, the client leaks a socket."""
    if name == "http11.send_request_body.started" and information["request"].method == b"POST":
        sent.set()


async def test_nothing_is_left_of_agents_that_come_and_go_as_they_like():
    chance = random.Random(7)
    of_others = living(HTTPFlow)

    async def rude_agent(proxy):
        async with proxy.client() as client:
            for _ in range(6):
                body = request_body(chance.choice(TEXTS), stream=chance.random() < 0.8)
                sent = asyncio.Event()
                extensions = {"trace": functools.partial(notice, sent)}
                task = asyncio.create_task(
                    client.post(URL, content=body, headers=KEY, extensions=extensions)
                )
                if chance.random() < 0.4:
                    await sent.wait()
                    await asyncio.sleep(chance.random() * 0.05)
                    task.cancel()
                try:
                    answer = await task
                except (asyncio.CancelledError, httpx2.TransportError):
                    continue
                assert answer.status_code in (200, 502, 503)

    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
    ):
        async with asyncio.timeout(20):
            await asyncio.gather(*(rude_agent(proxy) for _ in range(12)))
        await proxy.quiet()
        assert proxy.connections == 0
        assert proxy.interceptor._exchanges._by_flow == {}
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert not [name for name in names if "Detour" in name]
    proxy.flows.clear()
    assert not [flow for flow in living(HTTPFlow, since=of_others) if flow.live]


async def test_an_agent_that_does_not_read_slows_the_provider_down():
    word = frames(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "x" * 100_000},
        }
    )[0]
    sent = 0

    async def flood(exchange):
        nonlocal sent
        await exchange.begin()
        for frame in text_frames()[:2]:
            await exchange.chunk(frame)
        for _ in range(2000):
            await exchange.chunk(word)
            sent += len(word)

    async with (
        ScriptedServer(flood) as server,
        running_proxy(write_rules(server.url)) as proxy,
        proxy.client() as client,
        client.stream("POST", MESSAGES, content=request_body(), headers=KEY),
    ):
        await asyncio.sleep(0.5)
        before = sent
        await asyncio.sleep(0.3)
        assert sent == before
        assert sent < 40_000_000
