"""How many calls a provider gets at a time, through a whole proxy."""

import asyncio

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import PROVIDER_KEY, running_proxy
from tests.support.rules import write_rules


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(provider, running, waiting, others=None, **more):
    concurrency = {"running": running, "waiting": waiting}
    anthropic = {"base_url": provider.base_url, "concurrency": concurrency}
    return write_rules(**more, providers={"anthropic": anthropic, **(others or {})})


async def ask(client, text, **more):
    messages = [{"role": "user", "content": text}]
    return await client.chat.completions.create(model="gpt-5.1", messages=messages, **more)


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for says nothing by itself
            await asyncio.sleep(0.005)


async def test_calls_wait_for_their_turn_in_order(provider):
    async with running_proxy(rules(provider, 1, 9)) as proxy, proxy.openai() as client:
        slow = asyncio.create_task(ask(client, "[[silent 0.5]] [[say 0]]"))
        await until(lambda: provider.requests)
        others = []
        for number in range(1, 4):
            others.append(asyncio.create_task(ask(client, f"[[say {number}]]")))
            await asyncio.sleep(0.08)
        assert len(provider.requests) == 1
        await asyncio.gather(slow, *others)
    texts = [request.json()["messages"][-1]["content"] for request in provider.requests]
    assert [str(number) in str(text) for number, text in enumerate(texts)] == [True] * 4


async def test_those_beyond_the_queue_are_told_so(provider):
    async with (
        running_proxy(rules(provider, 1, 0)) as proxy,
        proxy.openai() as client,
    ):
        slow = asyncio.create_task(ask(client, "[[silent 0.4]] [[say slow]]"))
        await until(lambda: provider.requests)
        with pytest.raises(openai.APIStatusError) as raised:
            await ask(client, "[[say no]]")
        assert raised.value.status_code in (429, 503)
        assert "concurrency" in raised.value.message
        assert (await slow).choices[0].message.content == "slow"
        assert (await ask(client, "[[say again]]")).choices[0].message.content == "again"
    assert len(provider.requests) == 2


async def test_those_beyond_go_to_the_next_target(provider):
    async with EmbeddedProvider() as other:
        office = {
            "base_url": f"{other.base_url}/v1",
            "formats": ["openai-chat"],
            "api_key": PROVIDER_KEY,
        }
        use = ["anthropic:claude-sonnet-5-5", "office:claude-sonnet-5-5"]
        text = rules(provider, 1, 0, {"office": office}, use=use)
        async with running_proxy(text) as proxy, proxy.openai() as client:
            slow = asyncio.create_task(ask(client, "[[silent 0.4]] [[say slow]]"))
            await until(lambda: provider.requests)
            assert (await ask(client, "[[say there]]")).choices[0].message.content == "there"
            await slow
        assert len(other.requests) == 1


async def test_an_agent_that_leaves_gives_its_place_up(provider):
    async with running_proxy(rules(provider, 1, 1)) as proxy, proxy.openai() as client:
        slow = asyncio.create_task(ask(client, "[[silent 0.6]] [[say slow]]"))
        await until(lambda: provider.requests)
        leaving = asyncio.create_task(ask(client, "[[say leaving]]"))
        await until(lambda: len(proxy.flows) == 2)
        await asyncio.sleep(0.05)
        leaving.cancel()
        await asyncio.sleep(0.15)
        assert (await ask(client, "[[say staying]]")).choices[0].message.content == "staying"
        await slow
    assert len(provider.requests) == 2


async def test_a_stream_that_waits_is_kept_awake(provider):
    proxy_of = running_proxy(rules(provider, 1, 1), detour_keep_alive="0.05")
    async with proxy_of as proxy, proxy.openai() as client, proxy.client() as raw:
        slow = asyncio.create_task(ask(client, "[[silent 0.5]] [[say slow]]"))
        await until(lambda: provider.requests)
        body = {
            "model": "gpt-5.1",
            "stream": True,
            "messages": [{"role": "user", "content": "[[say late]]"}],
        }
        url = "https://api.openai.com/v1/chat/completions"
        async with raw.stream(
            "POST", url, json=body, headers={"authorization": "Bearer x"}
        ) as response:
            pieces = [piece async for piece in response.aiter_bytes()]
        await slow
    assert pieces[0].startswith(b":")
    assert b"late" in b"".join(pieces)
