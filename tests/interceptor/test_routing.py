"""Calls that rules send elsewhere, through a whole proxy."""

import asyncio
import json

import openai
import pytest
from mitmproxy.tools.web.master import WebMaster
from openai.types.chat import ChatCompletion

from addon.embedded import EmbeddedProvider
from tests.engine.test_encodings import ENCODERS
from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.streams import text_of

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}
QUESTION = [{"role": "user", "content": "[[say Hello there!]]"}]


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture
async def proxy(provider):
    async with running_proxy(write_rules(provider.base_url)) as running:
        yield running


async def test_the_openai_client_gets_a_whole_answer(proxy, provider):
    async with proxy.openai() as client:
        answer = await client.chat.completions.create(model="gpt-5.1", messages=QUESTION)
    assert isinstance(answer, ChatCompletion)
    assert answer.choices[0].message.content == "Hello there!"
    assert answer.model == "gpt-5.1"
    assert answer._request_id.startswith("req_")
    (sent,) = provider.requests
    assert (sent.method, sent.path) == ("POST", "/v1/messages")
    assert sent.json()["model"] == "claude-sonnet-5-5"


async def test_the_openai_client_gets_a_stream(proxy):
    async with proxy.openai() as client:
        stream = await client.chat.completions.create(
            model="gpt-5.1", messages=QUESTION, stream=True
        )
        words = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
    assert "".join(word or "" for word in words) == "Hello there!"
    assert len([word for word in words if word]) > 1


async def test_the_first_words_arrive_before_the_next_are_sent(proxy, provider):
    question = [{"role": "user", "content": "[[gate]] [[events 4]] [[say one two three four]]"}]
    async with asyncio.timeout(5), proxy.openai() as client:
        stream = await client.chat.completions.create(
            model="gpt-5.1", messages=question, stream=True
        )
        text = ""
        async for chunk in stream:
            new = chunk.choices[0].delta.content or "" if chunk.choices else ""
            if new and not text:
                provider.open_gate()
            text += new
    assert text == "one two three four"


async def test_nothing_of_the_agent_reaches_the_provider(proxy, provider):
    headers = {**KEY, "OpenAI-Organization": "org-1", "cookie": "a=b", "x-stainless-lang": "python"}
    async with proxy.client() as client:
        await client.post(URL, content=request_body(), headers=headers)
    sent = dict(provider.requests[0].headers)
    assert sent["x-api-key"] == PROVIDER_KEY
    assert AGENT_KEY not in str(provider.requests[0])
    assert not {"authorization", "openai-organization", "cookie", "x-stainless-lang"} & set(sent)
    assert sent["user-agent"].startswith("detour/")
    assert sent["accept-encoding"] == "identity"


@pytest.mark.parametrize("name", ENCODERS)
async def test_a_packed_request_is_understood(proxy, provider, name):
    async with proxy.client() as client:
        answer = await client.post(
            URL,
            content=ENCODERS[name](request_body("[[say Hi.]]")),
            headers={**KEY, "content-encoding": name},
        )
    assert text_of(answer.content) == "Hi."
    assert "content-encoding" not in dict(provider.requests[0].headers)


async def test_one_connection_to_the_provider_serves_many_agents(proxy, provider):
    peers = set()
    original = provider._respond

    async def respond(request, connection):
        peers.add(connection._writer.get_extra_info("peername"))
        await original(request, connection)

    provider._respond = respond
    for _ in range(4):
        async with proxy.client() as client:
            await client.post(URL, content=request_body(), headers=KEY)
    assert len(provider.requests) == 4
    assert len(peers) == 1


async def test_an_agents_connection_serves_many_calls(proxy):
    async with proxy.client() as client:
        for stream in (True, False, True):
            answer = await client.post(URL, content=request_body(stream=stream), headers=KEY)
            assert answer.status_code == 200
        assert proxy.connections == 1
    assert len({flow.client_conn.id for flow in proxy.flows}) == 1


async def test_the_flow_tells_what_happened(proxy, provider):
    async with proxy.client() as client:
        answer = await client.post(URL, content=request_body(), headers=KEY)
    (flow,) = proxy.flows
    assert flow.comment == "gpt-5.1 -> anthropic:claude-sonnet-5-5 (all to Claude)"
    assert flow.request.url == f"{provider.base_url}/v1/messages"
    assert json.loads(flow.request.content) == provider.requests[0].json()
    assert flow.response.content == answer.content
    assert flow.server_conn.address == ("127.0.0.1", provider.port)
    original = flow.metadata["detour.original"]
    assert (original["url"], original["body"]) == (URL, request_body())
    assert flow.metadata["detour.summary"]["usage"]["output_tokens"] > 0


async def test_agents_are_told_apart_by_their_proxy_user(provider):
    rules = write_rules(provider.base_url, when={"agent": "planner"}, default="block")
    async with running_proxy(rules) as proxy:
        for agent, status in (("planner:x@", 200), ("coder:x@", 403), ("", 403)):
            async with proxy.client(agent) as client:
                answer = await client.post(URL, content=request_body(), headers=KEY)
            assert answer.status_code == status


async def test_rules_may_use_mitmproxys_filters(provider):
    rules = write_rules(provider.base_url, when={"filter": "~hq x-team:.research"}, default="block")
    async with running_proxy(rules) as proxy, proxy.client() as client:
        for team, status in (("research", 200), ("sales", 403)):
            headers = {**KEY, "x-team": team}
            answer = await client.post(URL, content=request_body(), headers=headers)
            assert answer.status_code == status


async def test_an_edit_of_the_rules_counts_from_the_next_call_on(provider, tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(write_rules(provider.base_url))
    async with running_proxy(path, expected_errors=True) as proxy, proxy.client() as client:

        async def status():
            answer = await client.post(URL, content=request_body(), headers=KEY)
            return answer.status_code

        assert await status() == 200
        path.write_text(write_rules(provider.base_url, default="block", use="block"))
        assert await status() == 403
        path.write_text("version: 1\nrules: nonsense")
        assert await status() == 403
        assert any("rules.yaml:2" in error for error in proxy.logs.errors)
        path.write_text(write_rules(provider.base_url))
        assert await status() == 200


async def test_an_agent_may_speak_http2_when_it_is_allowed(provider):
    pytest.importorskip("h2")
    async with running_proxy(write_rules(provider.base_url)) as proxy:
        proxy.master.options.update(http2=True)
        async with proxy.client(http2=True) as client:
            answers = await asyncio.gather(
                *(client.post(URL, content=request_body(), headers=KEY) for _ in range(8))
            )
    assert {answer.http_version for answer in answers} == {"HTTP/2"}
    assert all("Hello" in text_of(answer.content) for answer in answers)


async def test_twenty_streams_at_a_time(proxy):
    question = [
        {"role": "user", "content": "[[events 30]] [[slow 0.002]] [[say " + "word " * 30 + "]]"}
    ]

    async def ask(client):
        stream = await client.chat.completions.create(
            model="gpt-5.1", messages=question, stream=True
        )
        return "".join(
            [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
        )

    async with proxy.openai() as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(20)))
    assert {len(answer.split()) for answer in answers} == {30}


async def test_mitmweb_shows_the_same(provider):
    settings = {"web_port": 0, "web_open_browser": False, "web_host": "127.0.0.1"}
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, master_class=WebMaster, detour_flow_limit="2", **settings) as proxy,
        proxy.client() as client,
    ):
        for _ in range(5):
            await client.post(URL, content=request_body(), headers=KEY)
        view = proxy.master.addons.get("view")
        assert view.store_count() <= 3
        assert all("claude" in flow.comment for flow in view)


async def test_an_answer_in_the_agents_own_format_passes_as_it_is(provider):
    async with running_proxy(write_rules(provider.base_url)) as proxy, proxy.client() as client:
        body = request_body("[[say Hi.]]").replace(b"{", b"{ ", 1)
        answer = await client.post(
            "https://api.anthropic.com/v1/messages",
            content=body,
            headers={"x-api-key": AGENT_KEY, "anthropic-version": "2023-06-01"},
        )
    assert b'"text":"Hi."' in answer.content.replace(b" ", b"")
    sent = provider.requests[0].body
    assert sent == body.replace(b"gpt-5.1", b"claude-sonnet-5-5")


async def test_a_provider_that_speaks_chat_gets_chat(provider):
    providers = {
        "office": {
            "base_url": f"{provider.base_url}/v1",
            "formats": ["openai-chat"],
            "api_key": "${OFFICE_KEY}",
        }
    }
    rules = write_rules(use="office:qwen3", providers=providers)
    async with (
        running_proxy(rules, environment={"OFFICE_KEY": PROVIDER_KEY}) as proxy,
        proxy.openai() as client,
    ):
        answer = await client.chat.completions.create(model="gpt-5.1", messages=QUESTION)
    assert answer.choices[0].message.content == "Hello there!"
    sent = provider.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert sent.json()["model"] == "qwen3"


async def test_the_client_raises_what_it_would_raise_at_openai(proxy):
    question = [{"role": "user", "content": "[[error 429 rate_limit_error]] [[retry-after 3]]"}]
    async with proxy.openai() as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="gpt-5.1", messages=question)
    assert caught.value.response.headers["retry-after"] == "3"
    assert caught.value.request_id.startswith("req_")
