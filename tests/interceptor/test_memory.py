"""Providers get back what they signed, whatever the agent's format has no place for."""

from __future__ import annotations

import json

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import PROVIDER_KEY, running_proxy
from tests.support.redis_servers import SmallRedis, address
from tests.support.rules import write_rules
from tests.support.tool_loops import (
    AnthropicLoop,
    ChatLoop,
    ForgetfulResponsesLoop,
    GeminiLoop,
    ResponsesLoop,
    script,
)

TURNS = 5
MODELS = {
    "anthropic": "anthropic:claude-opus-4-5",
    "anthropic, bound to the prefix": "anthropic:claude-opus-5-5",
    "gemini": "google:gemini-3.1-pro",
}
AGENTS = {
    "anthropic": (ChatLoop, ResponsesLoop, ForgetfulResponsesLoop, GeminiLoop),
    "anthropic, bound to the prefix": (ChatLoop, ResponsesLoop, ForgetfulResponsesLoop, GeminiLoop),
    "gemini": (ChatLoop, ResponsesLoop, ForgetfulResponsesLoop, AnthropicLoop),
}
CASES = [(agent, provider) for provider, agents in AGENTS.items() for agent in agents]
KEYS = {"ANTHROPIC_API_KEY": PROVIDER_KEY, "GEMINI_API_KEY": PROVIDER_KEY}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(provider, use):
    """Send everything to the embedded provider, in the format that `use` stands for."""
    url = provider.base_url
    others = {
        "google": {"base_url": url, "formats": ["gemini"]},
        "deepseek": {"base_url": f"{url}/v1", "formats": ["openai-chat"], "api_key": "k"},
    }
    return write_rules(url, use=use, providers=others)


def signatures(body):
    """Return the signatures in a provider's request, in order."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for key, item in value.items():
                if key in ("signature", "thoughtSignature"):
                    found.append(item)
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(body)
    return found


def check(requests, turns):
    """Every turn's signature came back in every later request, and always the same."""
    bodies = [request.json() for request in requests]
    found = [signatures(body) for body in bodies]
    assert [len(each) for each in found] == list(range(turns)), found
    assert all(found[-1][: len(each)] == each for each in found)
    assert not [each for each in found[-1] if each.startswith(("dt1.", "ZHQxL", "c2tpcF90"))]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize(("agent", "target"), CASES)
async def test_five_turns_keep_their_signatures(provider, agent, target, stream):
    loop = agent(script(TURNS), stream=stream)
    async with (
        running_proxy(rules(provider, MODELS[target]), environment=KEYS) as proxy,
        proxy.client() as client,
    ):
        assert await loop.run(client) == TURNS
    assert all(request.status == 200 for request in provider.requests)
    check(provider.requests, TURNS + 1)


@pytest.mark.parametrize(("agent", "target"), CASES)
async def test_signatures_outlive_a_restart(provider, agent, target, tmp_path):
    loop = agent(script(TURNS), stream=True)
    for _ in range(TURNS + 1):
        async with (
            running_proxy(
                rules(provider, MODELS[target]), environment=KEYS, detour_home=str(tmp_path)
            ) as proxy,
            proxy.client() as client,
        ):
            await loop.step(client)
    check(provider.requests, TURNS + 1)


async def test_machines_share_signatures_by_a_redis_server(provider):
    server = SmallRedis().start()
    loop = ChatLoop(script(TURNS), stream=True)
    for _ in range(TURNS + 1):
        # Each has a home folder of its own.
        async with (
            running_proxy(
                rules(provider, MODELS["gemini"]), environment=KEYS, detour_vault=address(server)
            ) as proxy,
            proxy.client() as client,
        ):
            await loop.step(client)
    server.stop()
    check(provider.requests, TURNS + 1)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize(("agent", "target"), CASES)
async def test_parallel_calls_keep_theirs(provider, agent, target, stream):
    loop = agent(script(2, parallel=3), stream=stream)
    async with (
        running_proxy(rules(provider, MODELS[target]), environment=KEYS) as proxy,
        proxy.client() as client,
    ):
        assert await loop.run(client) == 2
    check(provider.requests, 3)


def sent(provider):
    return json.loads(provider.requests[-1].body)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize("agent", [ChatLoop, AnthropicLoop])
async def test_thoughts_that_are_void_are_left_out(provider, agent, stream):
    """Newer models refuse their own thoughts behind a history that the agent has changed."""
    use = MODELS["anthropic, bound to the prefix"]
    async with (
        running_proxy(rules(provider, use), environment=KEYS) as proxy,
        proxy.client() as client,
    ):
        loop = agent(script(4), stream=stream)
        for _ in range(2):
            assert await loop.step(client)
        loop.history[0] = loop.user(f"(A compacted history.) {script(4)}")
        assert await loop.step(client)
    assert [request.status for request in provider.requests] == [200, 200, 400, 200]
    refused, accepted = (request.json() for request in provider.requests[2:])
    assert len(signatures(refused)) == 2
    assert signatures(accepted) == []


async def test_a_lost_vault_costs_thoughts_and_nothing_else(provider, tmp_path):
    loop = ChatLoop(script(3), stream=True)
    for turn in range(3):
        async with (
            running_proxy(
                rules(provider, MODELS["gemini"]),
                environment=KEYS,
                detour_home=str(tmp_path / str(turn)),
            ) as proxy,
            proxy.client() as client,
        ):
            assert await loop.step(client)
    assert all(request.status == 200 for request in provider.requests)
