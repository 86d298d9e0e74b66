"""Who answers is chosen by the model's name, the agent, its phase; and under which key."""

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context

URL = "https://api.openai.com/v1/chat/completions"
HEADERS = {"authorization": f"Bearer {AGENT_KEY}"}

PROVIDERS = """
version: 1
providers:
  anthropic: {{base_url: '{url}'}}
  zai: {{base_url: '{url}/v1', formats: [openai-chat], api_key: {key}}}
aliases: {{fast: 'zai:glm-5.3-flash'}}
"""
PHASES = """
rules:
  - name: Opus plans, GLM codes
    when: {agent: coder}
    use: {planning: 'anthropic:claude-opus-5-5', coding: 'zai:glm-5.3'}
default: block
"""


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def rules(provider, text=PHASES):
    return PROVIDERS.format(url=provider.base_url, key=PROVIDER_KEY) + text


async def ask(proxy, agent="", model="gpt-5.1"):
    async with proxy.client(agent) as client:
        question = [{"role": "user", "content": "[[say Hi.]]"}]
        body = {"model": model, "messages": question}
        answer = await client.post(URL, json=body, headers=HEADERS)
        return answer.status_code, answer.json()


def sent(provider):
    return [(request.path, request.json()["model"]) for request in provider.requests]


async def test_one_agent_plans_with_one_model_and_codes_with_another(provider):
    async with running_proxy(rules(provider)) as proxy:
        assert (await ask(proxy, "coder.planning:x@"))[0] == 200
        assert (await ask(proxy, "coder.coding:x@"))[0] == 200
        status, told = await ask(proxy, "coder.review:x@")
    assert sent(provider) == [
        ("/v1/messages", "claude-opus-5-5"),
        ("/v1/chat/completions", "glm-5.3"),
    ]
    assert (status, "blocked_by_detour" in str(told)) == (403, True)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("zai:glm-4.7", ("/v1/chat/completions", "glm-4.7")),
        ("zai/glm-4.7", ("/v1/chat/completions", "glm-4.7")),
        ("fast", ("/v1/chat/completions", "glm-5.3-flash")),
        ("claude-haiku-5-5", ("/v1/messages", "claude-haiku-5-5")),
    ],
)
async def test_the_name_of_the_model_chooses(provider, model, expected):
    async with running_proxy(rules(provider)) as proxy:
        status, _ = await ask(proxy, model=model)
    assert (status, sent(provider)) == (200, [expected])


async def test_a_disabled_provider_answers_nothing(provider):
    text = rules(provider, "default: 'zai:glm-5.3'\n").replace(
        "zai: {", "zai: {enabled: false, ", 1
    )
    async with running_proxy(text) as proxy:
        status, answer = await ask(proxy)
    assert status == 403
    assert "the provider zai is disabled" in answer["error"]["message"]
    assert not provider.requests


async def test_a_rule_has_its_own_key(provider):
    text = "rules: [{use: 'zai:glm-5.3', api_key: '${TEAM_KEY}'}]\n"
    async with running_proxy(rules(provider, text), environment={"TEAM_KEY": "team"}) as proxy:
        assert (await ask(proxy))[0] == 200
    assert provider.requests[0].header("authorization") == "Bearer team"


async def test_a_missing_key_of_a_rule_is_not_replaced_by_another(provider):
    text = "rules: [{use: 'zai:glm-5.3', api_key: '${TEAM_KEY}'}]\n"
    async with running_proxy(rules(provider, text), environment={}) as proxy:
        status, answer = await ask(proxy)
    assert status == 401
    assert "no key for zai: set TEAM_KEY" in answer["error"]["message"]
    assert not provider.requests


async def test_the_agents_own_key_goes_to_the_host_that_it_was_meant_for():
    rules = "version: 1\nrules: [{use: 'openai:gpt-5.5', api_key: pass}]\n"
    async with EmbeddedProvider(certificate=server_context("api.openai.com")) as openai:
        hosts = {"api.openai.com": ("127.0.0.1", openai.port)}
        async with running_proxy(rules, hosts=hosts) as proxy:
            assert (await ask(proxy))[0] == 200
    assert openai.requests[0].header("authorization") == f"Bearer {AGENT_KEY}"
    assert openai.requests[0].json()["model"] == "gpt-5.5"


async def test_the_agents_own_key_goes_to_no_other_host(provider):
    text = "rules: [{use: 'zai:glm-5.3', api_key: pass}]\n"
    async with running_proxy(rules(provider, text)) as proxy:
        status, answer = await ask(proxy)
    assert status == 401
    assert "this call was meant for api.openai.com" in answer["error"]["message"]
    assert not provider.requests
