"""Counts of tokens: asked by each official SDK, answered by each kind of provider."""

from __future__ import annotations

import contextlib
import json

import anthropic
import google.genai.errors
import openai
import pytest
from google import genai
from google.genai import types

from addon.embedded import EmbeddedProvider
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, agent_context, running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer

PROMPT = "How many tokens are in this sentence, and what is the weather in Paris?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


async def ask_anthropic(proxy):
    async with anthropic.AsyncAnthropic(
        api_key=AGENT_KEY, http_client=proxy.client(), max_retries=0
    ) as client:
        counted = await client.messages.count_tokens(
            model="claude-x",
            system="Be brief.",
            messages=[{"role": "user", "content": PROMPT}],
            tools=[{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}],
        )
    return counted.input_tokens


async def ask_openai(proxy):
    async with proxy.openai() as client:
        tool = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
        counted = await client.responses.input_tokens.count(
            model="gpt-x", instructions="Be brief.", input=PROMPT, tools=[tool]
        )
    assert counted.object == "response.input_tokens"
    return counted.input_tokens


async def ask_gemini(proxy):
    options = types.HttpOptions(
        async_client_args={"proxy": proxy.url(), "verify": agent_context(), "trust_env": False}
    )
    client = genai.Client(api_key=AGENT_KEY, http_options=options)
    try:
        counted = await client.aio.models.count_tokens(model="gemini-x", contents=PROMPT)
    finally:
        await client.aio.aclose()
    return counted.total_tokens


AGENTS = {"anthropic": ask_anthropic, "openai-responses": ask_openai, "gemini": ask_gemini}
MODELS = {
    "anthropic": "claude-sonnet-5-5",
    "openai-responses": "gpt-6-sol",
    "gemini": "gemini-3.8-flash",
}
every_agent = pytest.mark.parametrize("agent", list(AGENTS))


def rules(url: str, format: str = "anthropic", **rule) -> str:
    url += "/v1" if format.startswith("openai") else ""
    provider = {"base_url": url, "formats": [format], "api_key": PROVIDER_KEY}
    model = MODELS.get(format, "some-model")
    return write_rules(providers={"mine": provider}, use=f"mine:{model}", **rule)


@contextlib.asynccontextmanager
async def counting_server(answer: object, status: int = 200):
    async def handle(exchange):
        await exchange.answer(json.dumps(answer).encode(), status)

    async with ScriptedServer(handle) as server:
        yield server


@every_agent
async def test_a_strict_anthropic_provider_counts(agent):
    async with EmbeddedProvider() as provider, running_proxy(rules(provider.base_url)) as proxy:
        counted = await AGENTS[agent](proxy)
        (request,) = provider.requests
        assert request.path == "/v1/messages/count_tokens"
        assert 10 < counted < 200
        assert proxy.flows[0].comment.endswith("-> mine:claude-sonnet-5-5 (all to Claude)")
        assert PROVIDER_KEY not in str(proxy.flows[0].request.headers.fields)


@every_agent
async def test_openai_counts(agent):
    answer = {"object": "response.input_tokens", "input_tokens": 42}
    async with (
        counting_server(answer) as server,
        running_proxy(rules(server.url, "openai-responses")) as proxy,
    ):
        assert await AGENTS[agent](proxy) == 42
        (exchange,) = server.exchanges
        assert exchange.path == "/v1/responses/input_tokens"
        body = json.loads(exchange.body)
        assert body["model"] == "gpt-6-sol"
        assert PROMPT in json.dumps(body["input"])
        assert not {"store", "include", "stream", "max_output_tokens"} & body.keys()


@every_agent
async def test_gemini_counts(agent):
    async with (
        counting_server({"totalTokens": 17}) as server,
        running_proxy(rules(server.url, "gemini")) as proxy,
    ):
        assert await AGENTS[agent](proxy) == 17
        (exchange,) = server.exchanges
        assert exchange.path.partition("?")[0] == "/v1beta/models/gemini-3.8-flash:countTokens"
        body = json.loads(exchange.body)
        if agent == "gemini":
            assert body.keys() == {"contents"}
        else:
            whole = body["generateContentRequest"]
            assert whole["model"] == "models/gemini-3.8-flash"
            assert whole["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
            assert whole["tools"][0]["functionDeclarations"][0]["name"] == "weather"


@every_agent
async def test_a_strict_gemini_provider_counts(agent):
    async with (
        EmbeddedProvider() as provider,
        running_proxy(rules(provider.base_url, "gemini")) as proxy,
    ):
        assert 5 < await AGENTS[agent](proxy) < 200
        (request,) = provider.requests
        assert request.path.partition("?")[0].endswith(":countTokens")


@every_agent
async def test_vertex_counts_in_its_own_way(agent):
    path = "/v1/projects/p/locations/l/publishers/google"
    async with (
        counting_server({"totalTokens": 5, "totalBillableCharacters": 9}) as server,
        running_proxy(rules(server.url + path, "gemini")) as proxy,
    ):
        assert await AGENTS[agent](proxy) == 5
        (exchange,) = server.exchanges
        assert exchange.path.partition("?")[0] == f"{path}/models/gemini-3.8-flash:countTokens"
        allowed = {"contents", "systemInstruction", "tools", "generationConfig"}
        assert json.loads(exchange.body).keys() <= allowed


@every_agent
async def test_chat_providers_cannot_count_so_it_is_estimated(agent):
    async with running_proxy(rules("http://127.0.0.1:1", "openai-chat")) as proxy:
        counted = await AGENTS[agent](proxy)
        (flow,) = proxy.flows
    assert 15 < counted < 120
    assert "-> mine:some-model (all to Claude)" in flow.comment
    assert flow.comment.endswith(f"{counted} tokens, estimated")
    assert AGENT_KEY not in str(flow.request.headers.fields)


@every_agent
@pytest.mark.parametrize("status", [404, 501])
async def test_where_the_address_is_unknown_it_is_estimated(agent, status):
    async with (
        counting_server({"error": {"message": "no such page"}}, status) as server,
        running_proxy(rules(server.url)) as proxy,
    ):
        counted = await AGENTS[agent](proxy)
        (flow,) = proxy.flows
        losses = flow.metadata["detour.summary"]["losses"]
    assert 15 < counted < 120
    assert losses[-1]["field"] == "input_tokens"
    assert losses[-1]["action"] == "approximated"


async def test_a_page_in_place_of_a_count_is_no_count():
    async with counting_server({"hello": 1}) as server, running_proxy(rules(server.url)) as proxy:
        assert 15 < await ask_openai(proxy) < 120


@pytest.mark.parametrize(
    ("agent", "raised"),
    [
        ("anthropic", anthropic.AuthenticationError),
        ("openai-responses", openai.AuthenticationError),
        ("gemini", google.genai.errors.ClientError),
    ],
)
async def test_errors_are_in_the_agents_format(agent, raised):
    error = {"type": "error", "error": {"type": "authentication_error", "message": "bad key"}}
    async with (
        counting_server(error, 401) as server,
        running_proxy(rules(server.url)) as proxy,
    ):
        with pytest.raises(raised, match="bad key"):
            await AGENTS[agent](proxy)


async def test_rules_can_tell_counts_from_calls():
    answer = {"input_tokens": 3}
    async with (
        counting_server(answer) as server,
        running_proxy(
            rules(server.url, when={"endpoint": "count"}, set={"temperature": 1, "system": "hm"})
        ) as proxy,
    ):
        assert await ask_anthropic(proxy) == 3
        sent = json.loads(server.exchanges[0].body)
        assert sent["system"] == "hm"
        assert "temperature" not in sent
        async with proxy.client() as client:
            gone = await client.post("https://api.anthropic.com/v1/messages", json={"model": "x"})
        assert gone.status_code == 502  # passes, to a host that does not exist here
        assert len(server.exchanges) == 1


async def test_a_request_that_cannot_be_read_is_refused_in_the_agents_format():
    async with (
        running_proxy(rules("http://127.0.0.1:1", "openai-chat")) as proxy,
        proxy.client() as client,
    ):
        url = "https://api.anthropic.com/v1/messages/count_tokens"
        answer = await client.post(url, json={"model": "x", "messages": 7})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("format", ["openai-responses", "anthropic"])
async def test_what_leans_on_an_earlier_response_is_counted_whole(tmp_path, format):
    async with (
        EmbeddedProvider() as provider,
        running_proxy(rules(provider.base_url, format), detour_home=str(tmp_path)) as proxy,
        proxy.openai() as client,
    ):
        first = await client.responses.create(model="gpt-x", input="A first question " * 50)
        whole = await client.responses.input_tokens.count(
            model="gpt-x", input="More?", previous_response_id=first.id
        )
        alone = await client.responses.input_tokens.count(model="gpt-x", input="More?")
        with pytest.raises(openai.APIStatusError, match="resp_unknown"):
            await client.responses.input_tokens.count(
                model="gpt-x", input="More?", previous_response_id="resp_unknown"
            )
    assert whole.input_tokens > alone.input_tokens + 100


async def test_it_is_counted_where_the_call_itself_would_go():
    rules = {
        "version": 1,
        "rules": [
            {
                "use": ["zai:glm-5.3", "anthropic:claude-sonnet-5-5"],
                "fallback": {"on": "authentication"},
            }
        ],
    }
    async with EmbeddedProvider() as provider:
        rules["providers"] = {"anthropic": {"base_url": provider.base_url}}
        async with running_proxy(json.dumps(rules)) as proxy:  # there is no key for zai
            assert await ask_anthropic(proxy) > 0
    assert [request.path for request in provider.requests] == ["/v1/messages/count_tokens"]
