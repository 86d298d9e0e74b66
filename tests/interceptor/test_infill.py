"""Completions with a suffix: whoever fills in between two texts is asked in his own words."""

import json

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy

KEYS = {"DEEPSEEK_API_KEY": PROVIDER_KEY, "MISTRAL_API_KEY": PROVIDER_KEY}
ASKED = {"prompt": "def f(): [[say return 42 now]]", "suffix": "\nprint(f())"}
MORE = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 50, "stop": "\n\n"}
WAYS = {
    "deepseek:deepseek-v4-pro": (
        "/beta/completions",
        {"model": "deepseek-v4-pro", **ASKED, **MORE, "stop": ["\n\n"]},
    ),
    "mistral:codestral-latest": (
        "/v1/fim/completions",
        {"model": "codestral-latest", **ASKED, **MORE, "stop": ["\n\n"], "random_seed": 7},
    ),
    "llama:coder": (
        "/infill",
        {
            "model": "coder",
            "input_prefix": ASKED["prompt"],
            "input_suffix": ASKED["suffix"],
            "temperature": 0.5,
            "top_p": 0.9,
            "n_predict": 50,
            "stop": ["\n\n"],
            "seed": 7,
        },
    ),
    "ollama:coder": ("/v1/completions", {"model": "coder", **ASKED, **MORE, "seed": 7}),
}


def write_rules(base_url, use):
    own = {"base_url": f"{base_url}/v1", "formats": ["openai-chat"], "api_key": "local"}
    providers = {
        "deepseek": {"base_url": {"openai-chat": f"{base_url}/v1"}},
        "mistral": {"base_url": {"openai-chat": f"{base_url}/v1"}},
        "llama": {**own, "dialect": "llama.cpp"},
        "ollama": {**own, "dialect": "ollama"},
        "nobody": {**own, "base_url": "http://127.0.0.1:1/v1", "dialect": "llama.cpp"},
        "anthropic": {"base_url": base_url, "api_key": "none"},
    }
    return json.dumps({"version": 1, "providers": providers, "rules": [{"name": "r", "use": use}]})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("use", WAYS)
async def test_it_is_filled_in(use, stream):
    path, sent = WAYS[use]
    seed = {} if use.startswith("deepseek") else {"seed": 7}
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, use)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            answer = await client.completions.create(
                model="gpt-3.5-turbo-instruct", **ASKED, **MORE, **seed, stream=stream, n=1
            )
            if stream:
                chunks = [chunk async for chunk in answer]
                text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
                ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
                assert [end for end in ends if end] == ["stop"]
                assert len(chunks) > 2
                assert {chunk.object for chunk in chunks} == {"text_completion"}
            else:
                (choice,) = answer.choices
                text = choice.text
                assert (answer.object, choice.finish_reason) == ("text_completion", "stop")
                assert answer.usage.completion_tokens
                assert answer.usage.total_tokens > answer.usage.completion_tokens
        assert text == "return 42 now"
        (request,) = provider.requests
        assert request.path == path
        written = request.json()
        assert written.pop("stream", False) == stream
        written.pop("n", None)
        assert written == sent
        if use.startswith(("deepseek", "mistral")):
            assert request.header("authorization") == f"Bearer {PROVIDER_KEY}"
        assert AGENT_KEY not in str(request.headers)
        assert proxy.flows[0].comment == f"gpt-3.5-turbo-instruct -> {use} (r)"


@pytest.mark.parametrize("use", ["deepseek:deepseek-v4-pro", "llama:coder", "ollama:coder"])
async def test_usage_at_the_end_of_a_stream(use):
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, use)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            stream = await client.completions.create(
                model="m", **ASKED, stream=True, stream_options={"include_usage": True}
            )
            chunks = [chunk async for chunk in stream]
    assert chunks[-1].usage.completion_tokens


@pytest.mark.parametrize("stream", [False, True])
async def test_the_next_in_the_list_fills_in(stream):
    use = ["anthropic:claude-opus-5-5", "nobody:x", "mistral:codestral-latest"]
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, use)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            answer = await client.completions.create(model="m", **ASKED, stream=stream)
            if stream:
                chunks = [chunk async for chunk in answer]
                text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
            else:
                text = answer.choices[0].text
    assert text == "return 42 now"
    assert [request.path for request in provider.requests] == ["/v1/fim/completions"]


@pytest.mark.parametrize("use", WAYS)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors_are_told(use, stream):
    prompt = "[[error 429 rate_limit_error Too many calls.]]"
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, use)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.RateLimitError, match="Too many calls"):
                await client.completions.create(model="m", prompt=prompt, suffix="}", stream=stream)


@pytest.mark.parametrize("use", ["mistral:codestral-latest", "llama:coder"])
@pytest.mark.parametrize("more", [{"n": 2}, {"echo": True}, {"logprobs": 0}, {"prompt": [1, 2]}])
async def test_what_cannot_be_had_is_refused_by_name(use, more):
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, use)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.BadRequestError, match=next(iter(more))):
                await client.completions.create(model="m", **{**ASKED, **more})
    assert not provider.requests


async def test_what_is_left_out_is_told():
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, "deepseek:deepseek-v4-pro")
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            await client.completions.create(model="m", **ASKED, user="u", seed=3, best_of=1)
            losses = proxy.flows[0].metadata["detour.summary"]["losses"]
    assert sorted(loss["field"] for loss in losses) == ["seed", "user"]


async def test_who_only_chats_is_refused_by_name():
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, "anthropic:claude-opus-5-5")
        async with running_proxy(rules) as proxy, proxy.openai() as client:
            with pytest.raises(openai.BadRequestError, match="suffix"):
                await client.completions.create(model="m", **ASKED)
    assert not provider.requests


async def test_what_only_continues_is_a_chat_as_before():
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, "deepseek:deepseek-v4-pro")
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            answer = await client.completions.create(model="m", prompt="[[say Hi.]]", suffix="")
    assert answer.choices[0].text == "Hi."
    assert provider.requests[0].path == "/v1/chat/completions"
