"""Agents are told at once what a model cannot do, in their own format."""

import json

import anthropic
import openai
import pytest

from addon.embedded import EmbeddedProvider
from addon.inspection.explanation import ask, explain_call
from addon.rules import load_rules
from tests.support.proxy import AGENT_KEY, running_proxy
from tests.support.rules import write_rules

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
HELLO = [{"role": "user", "content": "hi"}]
LONG = [{"role": "user", "content": "word " * 4000}]


def small(url, *, context=1000, features=("reasoning",)):
    return {
        "small": {
            "base_url": url,
            "formats": ["anthropic"],
            "api_key": "none",
            "models": [{"id": "tiny", "context": context, "features": list(features)}],
        }
    }


async def test_a_feature_is_named_and_nothing_is_sent():
    async with EmbeddedProvider() as provider:
        rules = write_rules(use="small:tiny", providers=small(provider.base_url))
        async with running_proxy(rules) as proxy, proxy.openai() as client:
            with pytest.raises(openai.BadRequestError, match="small:tiny has no tools") as caught:
                await client.chat.completions.create(model="gpt-5", messages=HELLO, tools=[TOOL])
        assert not provider.requests
    assert caught.value.param == "tools"
    assert caught.value.code == "unsupported_parameter"


async def test_in_the_format_of_other_agents():
    rules = write_rules(use="small:tiny", providers=small("http://127.0.0.1:1"))
    async with running_proxy(rules) as proxy:
        client = anthropic.AsyncAnthropic(
            api_key=AGENT_KEY, http_client=proxy.client(), max_retries=0
        )
        tool = {"name": "f", "input_schema": {"type": "object"}}
        with pytest.raises(anthropic.BadRequestError, match="small:tiny has no tools"):
            await client.messages.create(
                model="claude-x", max_tokens=10, messages=HELLO, tools=[tool]
            )
        await client.close()


async def test_a_long_request_is_refused():
    rules = write_rules(use="small:tiny", providers=small("http://127.0.0.1:1"))
    async with running_proxy(rules) as proxy, proxy.openai() as client:
        with pytest.raises(openai.BadRequestError, match="takes 1000 at most") as caught:
            await client.chat.completions.create(model="gpt-5", messages=LONG)
    assert caught.value.code == "context_length_exceeded"


async def test_a_long_request_goes_to_a_larger_model():
    async with EmbeddedProvider() as provider:
        rules = write_rules(
            provider.base_url,
            use=["small:tiny", "anthropic:claude-sonnet-5-5"],
            providers=small("http://127.0.0.1:1"),
            fallback={"on": "context_length"},
        )
        async with running_proxy(rules) as proxy, proxy.openai() as client:
            answer = await client.chat.completions.create(model="gpt-5", messages=LONG)
            assert answer.choices[0].message.content
        (sent,) = provider.requests
    assert sent.json()["model"] == "claude-sonnet-5-5"
    assert "small:tiny (context_length) -> anthropic" in proxy.flows[0].comment


async def test_a_model_of_another_provider():
    rules = '{"version": 1, "rules": [{"name": "all", "use": "deepseek:*"}], "default": "pass"}'
    keys = {"DEEPSEEK_API_KEY": "sk-deepseek"}
    async with running_proxy(rules, environment=keys) as proxy, proxy.openai() as client:
        with pytest.raises(openai.NotFoundError, match="deepseek has no model gpt-5; the nearest"):
            await client.chat.completions.create(model="gpt-5", messages=HELLO)


def test_explain_says_the_same():
    rules = load_rules(
        write_rules(use="small:tiny", providers=small("http://127.0.0.1:1")), "rules.yaml", {}, None
    )
    body = json.dumps({"model": "gpt-5", "messages": HELLO, "tools": [TOOL]}).encode()
    question = ask(endpoint="chat", model=None, agent=None, provider=None, headers=(), body=body)
    assert "small:tiny has no tools" in explain_call(question, rules).error
