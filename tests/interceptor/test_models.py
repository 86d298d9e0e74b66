"""Agents that ask which models there are."""

import json

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from tests.support.proxy import AGENT_KEY, agent_context, running_proxy, server_context
from tests.support.servers import ScriptedServer

RULES = """
version: 1
providers:
  zai: {{base_url: '{url}/v1', formats: [openai-chat], api_key: z-key}}
  local: {{enabled: false, base_url: 'http://127.0.0.1:9/v1'}}
aliases: {{fast: 'zai:glm-5.3-flash'}}
"""
ZAI = {"object": "list", "data": [{"id": "glm-5.3"}, {"id": "glm-6"}]}


def answer(document, status=200):
    async def handler(exchange):
        await exchange.answer(json.dumps(document).encode(), status)

    return handler


def keys(server):
    return [exchange.headers.get("authorization") for exchange in server.exchanges]


@pytest.fixture
async def zai():
    async with ScriptedServer(answer(ZAI)) as server:
        yield server


async def test_the_openai_client_lists_all_that_can_be_asked_for(zai):
    own = {"object": "list", "data": [{"id": "gpt-6", "object": "model", "created": 1}]}
    context = server_context("api.openai.com")
    async with ScriptedServer(answer(own), context) as original:
        hosts = {"api.openai.com": original.address}
        rules = RULES.format(url=zai.url)
        async with (
            running_proxy(rules, hosts=hosts, environment={}) as proxy,
            proxy.openai() as client,
        ):
            names = [model.id async for model in await client.models.list()]
            one = await client.models.retrieve("zai:glm-6")
    assert names[:3] == ["fast", "gpt-6", "zai:glm-5.3"]
    assert "zai:glm-6" in names
    assert one.owned_by == "zai"
    assert set(keys(original)) == {f"Bearer {AGENT_KEY}"}
    assert keys(zai) == ["Bearer z-key"]


async def test_without_the_original_list_the_others_still_show(zai):
    async with (
        running_proxy(RULES.format(url=zai.url), environment={}) as proxy,
        proxy.openai() as client,
    ):
        names = [model.id async for model in await client.models.list()]
    assert names[0] == "fast"
    assert "zai:glm-6" in names


async def test_an_unknown_model_is_not_found(zai):
    async with (
        running_proxy(RULES.format(url=zai.url), environment={}) as proxy,
        proxy.openai() as client,
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            await client.models.retrieve("nobody")
    assert caught.value.code == "model_not_found"


async def test_the_anthropic_client_gets_its_own_kind_of_list(zai):
    async with running_proxy(RULES.format(url=zai.url), environment={}) as proxy:
        http = anthropic.DefaultAsyncHttpxClient(proxy=proxy.url(), verify=agent_context())
        async with anthropic.AsyncAnthropic(
            api_key=AGENT_KEY, http_client=http, max_retries=0
        ) as client:
            names = [model.id async for model in client.models.list()]
    assert "zai:glm-6" in names


async def test_the_gemini_client_gets_its_own_kind_of_list(zai):
    async with running_proxy(RULES.format(url=zai.url), environment={}) as proxy:
        options = types.HttpOptions(
            async_client_args={"proxy": proxy.url(), "verify": agent_context(), "trust_env": False}
        )
        client = genai.Client(api_key=AGENT_KEY, http_options=options)
        try:
            names = [model.name async for model in await client.aio.models.list()]
        finally:
            await client.aio.aclose()
    assert "models/zai:glm-6" in names


async def test_with_default_block_the_original_is_not_asked(zai):
    async with ScriptedServer(answer(ZAI), server_context("api.openai.com")) as original:
        hosts = {"api.openai.com": original.address}
        rules = RULES.format(url=zai.url) + "default: block\n"
        async with (
            running_proxy(rules, hosts=hosts, environment={}) as proxy,
            proxy.openai() as client,
        ):
            names = [model.id async for model in await client.models.list()]
    assert "zai:glm-6" in names
    assert not original.exchanges


async def test_a_provider_that_gives_no_list_is_shown_as_far_as_it_is_known():
    async with (
        ScriptedServer(answer({"error": {"message": "no"}}, 401)) as zai,
        running_proxy(RULES.format(url=zai.url), environment={}) as proxy,
        proxy.openai() as client,
    ):
        names = [model.id async for model in await client.models.list()]
    assert "zai:glm-5.3" in names
    assert "zai:glm-6" not in names


@pytest.mark.parametrize(
    ("more", "called"),
    [
        ("default: 'zai:glm-6'\n", "api.openai.com"),
        ("intercept: [gateway.example]\n", "gateway.example"),
    ],
)
async def test_a_key_goes_nowhere_but_where_the_agent_has_sent_it(zai, more, called):
    gateway = "  openai: {base_url: 'https://gateway.example/v1', api_key: our-key}\n"
    rules = RULES.format(url=zai.url).replace("providers:\n", f"providers:\n{gateway}") + more
    async with ScriptedServer(answer(ZAI), server_context("api.openai.com")) as original:
        hosts = {"api.openai.com": original.address}
        async with (
            running_proxy(rules, hosts=hosts, environment={}) as proxy,
            proxy.client() as client,
        ):
            headers = {"authorization": f"Bearer {AGENT_KEY}"}
            listed = await client.get(f"https://{called}/v1/models", headers=headers)
    assert listed.status_code == 200
    assert not original.exchanges


def on_models(use, url, **when):
    rule = {"name": "lists", "when": {"endpoint": "models", **when}, "use": use}
    return RULES.format(url=url) + "rules: " + json.dumps([rule]) + "\n"


class TestRulesOnModels:
    async def test_pass(self, zai):
        async with ScriptedServer(answer(ZAI), server_context("api.openai.com")) as original:
            hosts = {"api.openai.com": original.address}
            async with (
                running_proxy(on_models("pass", zai.url), hosts=hosts, environment={}) as proxy,
                proxy.openai() as client,
            ):
                names = [model.id async for model in await client.models.list()]
                one = await client.models.retrieve("glm-6")
        assert names == ["glm-5.3", "glm-6"]
        assert one.to_dict()["object"] == "list"  # whatever it answers
        assert keys(original) == [f"Bearer {AGENT_KEY}"] * 2
        assert [e.path for e in original.exchanges] == ["/v1/models", "/v1/models/glm-6"]
        assert not zai.exchanges

    @pytest.mark.parametrize(
        "url",
        [
            "https://api.openai.com/v1/models",
            "https://api.openai.com/v1/models/gpt-5",
            "https://api.anthropic.com/v1/models",
            "https://generativelanguage.googleapis.com/v1beta/models",
        ],
    )
    async def test_block(self, zai, url):
        async with (
            running_proxy(on_models("block", zai.url), environment={}) as proxy,
            proxy.client() as client,
        ):
            refused = await client.get(url)
        assert refused.status_code == 403
        assert "lists" in refused.text
        assert not zai.exchanges

    @pytest.mark.parametrize(
        ("use", "expected"),
        [
            ("zai:*", {"glm-5.3", "glm-6"}),
            ("zai:glm-6", {"glm-6"}),
            (["zai:*-6", "anthropic:claude-haiku-5-5"], {"glm-6", "claude-haiku-5-5"}),
        ],
    )
    async def test_the_models_of_targets_under_their_own_names(self, use, expected):
        async with (
            ScriptedServer(answer(ZAI)) as zai,
            ScriptedServer(answer({"data": []}, 401)) as other,
        ):
            rules = on_models(use, zai.url).replace(
                "providers:", f"providers:\n  anthropic: {{base_url: '{other.url}', api_key: k}}"
            )
            async with (
                running_proxy(rules, environment={}) as proxy,
                proxy.openai() as client,
            ):
                names = {model.id async for model in await client.models.list()}
                one = await client.models.retrieve("glm-6")
                with pytest.raises(openai.NotFoundError):
                    await client.models.retrieve("gpt-5")
        assert names == expected or (use == "zai:*" and names >= expected)
        assert "fast" not in names
        assert one.id == "glm-6"
        assert set(keys(zai)) == {"Bearer z-key"}

    async def test_a_target_that_has_no_list_is_told(self):
        async with ScriptedServer(answer({"error": {"message": "no list here"}}, 404)) as server:
            rules = on_models("office:*", "http://127.0.0.1:1").replace(
                "providers:", f"providers:\n  office: {{base_url: '{server.url}', api_key: none}}"
            )
            async with (
                running_proxy(rules, environment={}) as proxy,
                proxy.openai() as client,
            ):
                with pytest.raises(openai.InternalServerError, match="no list here"):
                    await client.models.list()

    async def test_a_missing_key_is_told(self, zai):
        async with (
            running_proxy(on_models("groq:*", zai.url), environment={}) as proxy,
            proxy.openai() as client,
        ):
            with pytest.raises(openai.AuthenticationError, match="GROQ_API_KEY"):
                await client.models.list()

    async def test_other_rules_leave_the_list_to_detour(self, zai):
        rules = RULES.format(url=zai.url) + "rules: [{use: block}]\n"
        async with running_proxy(rules, environment={}) as proxy, proxy.openai() as client:
            assert [model.id async for model in await client.models.list()]

    async def test_conditions_hold(self, zai):
        rules = on_models("block", zai.url, agent="coder")
        async with running_proxy(rules, environment={}) as proxy:
            async with proxy.openai() as client:
                assert [model.id async for model in await client.models.list()]
            async with proxy.client("coder@") as client:
                refused = await client.get("https://api.openai.com/v1/models")
        assert refused.status_code == 403
