"""The merged list of what strict providers list, as each official client reads it."""

import json

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from addon.embedded import EmbeddedProvider
from tests.support.proxy import AGENT_KEY, agent_context, running_proxy, server_context

LISTED = ("chatty:deepseek-v4-pro", "claudes:claude-opus-5-5", "geminis:gemini-3.8-flash")


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(provider, **more):
    def entry(format, version=""):
        return {"base_url": provider.base_url + version, "formats": [format], "api_key": "k"}

    providers = {
        "chatty": entry("openai-chat", "/v1"),
        "claudes": entry("anthropic"),
        "geminis": entry("gemini"),
        "off": {**entry("openai-chat", "/v1"), "enabled": False, "models": ["m"]},
        "local": {"enabled": False, "base_url": "http://127.0.0.1:9/v1"},
    }
    return json.dumps({"version": 1, "providers": providers, **more})


async def by_openai(proxy, key, missing):
    async with openai.AsyncOpenAI(api_key=key, http_client=proxy.client(), max_retries=0) as client:
        names = [model.id async for model in client.models.list()]
        ones = [(await client.models.retrieve(name)).id for name in LISTED]
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve(missing)
    return names, ones


async def by_anthropic(proxy, key, missing):
    http = anthropic.DefaultAsyncHttpxClient(proxy=proxy.url(), verify=agent_context())
    async with anthropic.AsyncAnthropic(api_key=key, http_client=http, max_retries=0) as client:
        names = [model.id async for model in client.models.list()]
        ones = [(await client.models.retrieve(name)).id for name in LISTED]
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve(missing)
    return names, ones


async def by_gemini(proxy, key, missing):
    options = types.HttpOptions(
        async_client_args={"proxy": proxy.url(), "verify": agent_context(), "trust_env": False}
    )
    client = genai.Client(api_key=key, http_options=options)
    try:
        listed = [model.name or "" async for model in await client.aio.models.list()]
        gotten = [(await client.aio.models.get(model=name)).name or "" for name in LISTED]
        with pytest.raises(errors.ClientError) as caught:
            await client.aio.models.get(model=missing)
        assert caught.value.code == 404
    finally:
        await client.aio.aclose()
    return [[name.removeprefix("models/") for name in names] for names in (listed, gotten)]


@pytest.mark.parametrize("way", [by_openai, by_anthropic, by_gemini])
async def test_each_agent_reads_one_list_of_all_in_its_own_format(provider, way):
    async with running_proxy(rules(provider), environment={}) as proxy:
        names, ones = await way(proxy, AGENT_KEY, "nobody")
        assert set(LISTED) <= set(names)
        assert tuple(ones) == LISTED
        assert not any(name.startswith("off:") for name in names)
        assert len(names) == len(set(names))
    # However often it is asked for, each provider is asked once.
    assert len(provider.requests) == 3
    assert all(request.method == "GET" for request in provider.requests)


@pytest.mark.parametrize(("key", "there"), [("sk-good", True), ("bad-key", False)])
async def test_the_original_list_is_there_where_its_key_works(provider, key, there):
    context = server_context("api.openai.com")
    async with EmbeddedProvider(certificate=context) as original:
        hosts = {"api.openai.com": ("127.0.0.1", original.port)}
        async with running_proxy(rules(provider), hosts=hosts, environment={}) as proxy:
            names, _ = await by_openai(proxy, key, "nobody")
        assert ("gpt-6-sol" in names) == there
        assert set(LISTED) <= set(names)
        sent = {request.header("authorization") for request in original.requests}
    assert sent == {f"Bearer {key}"}
    assert not any(key in str(request.headers) for request in provider.requests)


async def test_a_provider_that_refuses_the_key_hides_nobody_else(provider):
    text = rules(provider).replace('"formats": ["anthropic"], "api_key": "k"', "BAD")
    text = text.replace("BAD", '"formats": ["anthropic"], "api_key": "bad", "models": ["claude-x"]')
    async with running_proxy(text, environment={}) as proxy, proxy.openai() as client:
        names = [model.id async for model in client.models.list()]
    assert {"chatty:deepseek-v4-pro", "claudes:claude-x", "geminis:gemini-3.8-flash"} <= set(names)
    assert "claudes:claude-opus-5-5" not in names


async def test_what_is_listed_can_be_asked_for(provider):
    async with (
        running_proxy(rules(provider, default="block"), environment={}) as proxy,
        proxy.openai() as client,
    ):
        for name in LISTED:
            question = [{"role": "user", "content": "[[say Hi.]]"}]
            answer = await client.chat.completions.create(model=name, messages=question)
            assert answer.choices[0].message.content == "Hi."
