"""Limits of rules, through a whole proxy."""

import asyncio

import anthropic
import openai
import pytest

from addon.embedded import EmbeddedProvider
from addon.ledger import Reader
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context
from tests.support.rules import write_rules

URL = "https://api.openai.com/v1/chat/completions"
SAY = "[[say Hello there!]]"


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def question(text=SAY, **more):
    return {"model": "gpt-5.1", "messages": [{"role": "user", "content": text}], **more}


def proxy_with(provider, home, limit, **more):
    rules = write_rules(provider.base_url, limit=limit, **more)
    return running_proxy(rules, detour_home=str(home))


async def ask(proxy, agent="", text=SAY):
    headers = {"authorization": f"Bearer {AGENT_KEY}"}
    async with proxy.client(agent, headers=headers) as client:
        return await client.post(URL, json=question(text))


def entries(home):
    reader = Reader(home)
    try:
        return [record for _, record in reader.last(1000)]
    finally:
        reader.close()


async def test_calls_beyond_the_limit_are_refused_before_anything_is_sent(provider, tmp_path):
    async with (
        proxy_with(provider, tmp_path, {"requests": 2}) as proxy,
        proxy.openai() as client,
    ):
        for _ in range(2):
            await client.chat.completions.create(**question())
        with pytest.raises(openai.RateLimitError) as raised:
            await client.chat.completions.create(**question())
    assert len(provider.requests) == 2
    assert "`all to Claude`" in raised.value.message
    assert "2 requests per day" in raised.value.message
    assert 0 < float(raised.value.response.headers["retry-after"]) <= 25 * 3600
    refused = entries(tmp_path)[-1]
    assert (refused.status, refused.rule) == (429, "all to Claude, limit reached")
    assert (refused.requested_model, refused.actual_provider) == ("gpt-5.1", None)


async def test_the_refusal_is_in_the_agents_format(provider, tmp_path):
    async with proxy_with(provider, tmp_path, {"requests": 1}) as proxy:
        await ask(proxy)
        client = anthropic.AsyncAnthropic(
            api_key=AGENT_KEY, http_client=proxy.client(), max_retries=0
        )
        async with client:
            with pytest.raises(anthropic.RateLimitError):
                await client.messages.create(
                    model="claude-x", max_tokens=9, messages=question()["messages"]
                )


async def test_a_restart_forgets_nothing(provider, tmp_path):
    for _ in range(3):
        async with proxy_with(provider, tmp_path, {"requests": 2}) as proxy:
            last = await ask(proxy)
    assert last.status_code == 429
    assert len(provider.requests) == 2


@pytest.mark.parametrize("limit", [{"tokens": 20}, {"cost_usd": 0.0000001}])
async def test_tokens_and_money_count_when_they_are_known(provider, tmp_path, limit):
    for _ in range(2):  # the second time by what the ledger says
        async with proxy_with(provider, tmp_path, limit) as proxy:
            answers = [await ask(proxy, text="[[say a b c d e f g h i j k l m n o p]]")]
            answers.append(await ask(proxy))
    assert [answer.status_code for answer in answers] == [429, 429]
    assert len(provider.requests) == 1


@pytest.mark.parametrize("amount", [{"requests": 1}, {"tokens": 1}, {"cost_usd": 0.0000001}])
async def test_what_is_beyond_goes_elsewhere(provider, tmp_path, amount):
    async with EmbeddedProvider() as other:
        limit = {**amount, "else": "office:claude-sonnet-5-5"}
        office = {
            "base_url": f"{other.base_url}/v1",
            "formats": ["openai-chat"],
            "api_key": PROVIDER_KEY,
        }
        async with proxy_with(provider, tmp_path, limit, providers={"office": office}) as proxy:
            for _ in range(3):
                assert (await ask(proxy)).status_code == 200
        assert (len(provider.requests), len(other.requests)) == (1, 2)
    first, *rest = entries(tmp_path)
    assert (first.rule, first.actual_provider) == ("all to Claude", "anthropic")
    assert {(record.rule, record.actual_provider) for record in rest} == {
        ("all to Claude, limit reached", "office")
    }


@pytest.mark.parametrize("amount", [{"requests": 1}, {"tokens": 1}, {"cost_usd": 0.0000001}])
async def test_each_agent_has_its_own(provider, tmp_path, amount):
    async with proxy_with(provider, tmp_path, {**amount, "by": "agent"}) as proxy:
        statuses = [
            (await ask(proxy, agent)).status_code for agent in ("one@", "two@", "one@", "two@")
        ]
    assert statuses == [200, 200, 429, 429]


async def test_concurrent_calls_are_counted_exactly(provider, tmp_path):
    async with proxy_with(provider, tmp_path, {"requests": 5}) as proxy:
        answers = await asyncio.gather(*(ask(proxy) for _ in range(20)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (5, 15)
    assert len(provider.requests) == 5


async def test_several_limits_hold_together(provider, tmp_path):
    limit = [{"requests": 3, "per": "hour"}, {"requests": 2, "per": "month"}]
    async with proxy_with(provider, tmp_path, limit) as proxy:
        statuses = [(await ask(proxy)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_a_chain_of_targets_counts_as_one_call(provider, tmp_path):
    use = ["zai:glm-5.3", "anthropic:claude-sonnet-5-5"]
    dead = {"zai": {"base_url": "http://127.0.0.1:1/v1", "api_key": PROVIDER_KEY}}
    proxy = proxy_with(provider, tmp_path, {"requests": 1}, use=use, providers=dead)
    async with proxy as running:
        assert (await ask(running)).status_code == 200
        assert (await ask(running)).status_code == 429


async def test_calls_that_pass_are_limited_too(tmp_path):
    context = server_context("api.openai.com")
    async with EmbeddedProvider(certificate=context) as openai_itself:
        port = int(openai_itself.base_url.rpartition(":")[2])
        rules = write_rules(use="pass", limit={"tokens": 5})
        for _ in range(2):
            async with running_proxy(
                rules, detour_home=str(tmp_path), hosts={"api.openai.com": ("127.0.0.1", port)}
            ) as proxy:
                await ask(proxy)
                proxy.interceptor._books.flush()
                assert (await ask(proxy)).status_code == 429
        assert len(openai_itself.requests) == 1


async def test_other_endpoints_are_limited_too(provider, tmp_path):
    office = {
        "base_url": f"{provider.base_url}/v1",
        "formats": ["openai-chat"],
        "api_key": PROVIDER_KEY,
    }
    use = "office:claude-sonnet-5-5"
    more = {"use": use, "providers": {"office": office}, "when": {"endpoint": "embeddings"}}
    proxy = proxy_with(provider, tmp_path, {"requests": 1}, **more)
    async with proxy as running, running.openai() as client:
        with pytest.raises(openai.APIStatusError) as first:
            await client.embeddings.create(model="gpt-5.1", input="x")
        with pytest.raises(openai.RateLimitError):
            await client.embeddings.create(model="gpt-5.1", input="x")
    assert first.value.status_code != 429
    assert len(provider.requests) == 1
