"""Spans of calls that are no request with one answer: sockets, jobs, vectors, lists, departures."""

import asyncio
import time

import httpx2
import pytest
from websockets.asyncio.client import connect

from tests.support.collector import values
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, agent_context, running_proxy
from tests.support.rules import write_rules
from tests.support.sockets import URL, Agent, create, socket_agent

KEY = {"authorization": f"Bearer {AGENT_KEY}"}
CHAT = "https://api.openai.com/v1/chat/completions"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


async def test_each_response_of_a_socket_is_an_exchange_of_its_own(provider, collector):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_telemetry=collector.url) as proxy,
        socket_agent(proxy) as agent,
    ):
        for _ in range(2):
            await agent.respond(create("[[say Hello there!]]"))
    names = [span.name for span in collector.spans]
    assert names == ["chat gpt-5.1", "chat claude-sonnet-5-5"] * 2
    assert len({span.span_id for span in collector.spans}) == 4
    assert {values(span)["detour.agent"] for span in collector.spans} == {"codex"}
    assert all(values(span).get("gen_ai.request.stream") for span in collector.spans)


async def test_the_responses_of_a_socket_belong_to_the_trace_that_opened_it(provider, collector):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", **KEY}
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_telemetry=collector.url) as proxy:
        connection = connect(
            URL, proxy=proxy.url(), ssl=agent_context(), additional_headers=headers
        )
        async with connection as opened:
            for _ in range(2):
                await Agent(opened).respond(create("[[say Hello there!]]"))
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    first, _, second, _ = collector.spans
    assert first.parent_span_id.hex() == second.parent_span_id.hex() == PARENT
    assert first.span_id != second.span_id


async def test_a_response_in_the_background_lasts_until_it_is_made(provider, collector):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_telemetry=collector.url) as proxy,
        proxy.openai() as client,
    ):
        question = "[[slow 0.05]] [[say one two three]]"
        made = await client.responses.create(model="gpt-5.1", input=question, background=True)
        for _ in range(500):
            if (await client.responses.retrieve(made.id)).status == "completed":
                break
            await asyncio.sleep(0.02)
    calls = [span for span in collector.spans if span.name == "chat claude-sonnet-5-5"]
    (call,) = calls
    assert values(call)["gen_ai.usage.output_tokens"] > 0
    assert call.end_time_unix_nano - call.start_time_unix_nano > 0.05e9
    (exchange,) = [span for span in collector.spans if span.span_id == call.parent_span_id]
    assert exchange.end_time_unix_nano >= call.end_time_unix_nano


async def test_an_agent_that_leaves_is_told_of(provider, collector):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_telemetry=collector.url, expected_errors=True) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        said = [{"role": "user", "content": "[[gate]]"}]
        body = {"model": "gpt-5.1", "stream": True, "messages": said}
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(CHAT, json=body, timeout=0.5)
        await asyncio.sleep(0.2)
    exchange, call = collector.spans
    assert values(exchange)["error.type"] == values(call)["error.type"] == "disconnected"
    assert call.end_time_unix_nano <= time.time_ns()


async def test_vectors_are_told_of_as_such(provider, collector):
    url = f"{provider.base_url}/v1"
    office = {"base_url": url, "formats": ["openai-chat"], "api_key": PROVIDER_KEY}
    vectors = {"endpoint": "embeddings"}
    rules = write_rules(use="office:embedding-3", providers={"office": office}, when=vectors)
    async with (
        running_proxy(rules, detour_telemetry=collector.url) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        body = {"model": "m", "input": "the purple llama"}
        await client.post("https://api.openai.com/v1/embeddings", json=body)
    exchange, call = collector.spans
    assert exchange.name == "embeddings m"
    assert call.name == "embeddings embedding-3"
    assert values(call)["gen_ai.provider.name"] == "office"
    assert not [body for body in collector.bodies if b"llama" in body]


async def test_what_detour_answers_itself_has_no_call(provider, collector):
    rules = write_rules(provider.base_url, default="block")
    async with (
        running_proxy(rules, detour_telemetry=collector.url) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        await client.delete("https://api.openai.com/v1/files/file-1")
    (exchange,) = collector.spans
    assert values(exchange)["error.type"] == "permission"
    assert values(exchange)["http.response.status_code"] == 403
