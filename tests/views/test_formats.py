"""The views of calls through the whole proxy: every format, streamed and plain, and sockets."""

import asyncio
import json

import pytest
from mitmproxy import contentviews
from mitmproxy.contentviews import prettify_message

from addon.embedded import EmbeddedProvider
from addon.formats.base import FORMAT_NAMES
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context
from tests.support.rules import write_default, write_rules
from tests.support.servers import ScriptedServer
from tests.support.sockets import create, socket_agent

TEXT = 'Hello [[think I muse.]] [[say Good day.]] [[tool get_weather {"city": "Oslo"}]]'
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "Tell the weather.", "parameters": SCHEMA}
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash"
MODELS = {
    "openai-chat": "gpt-4o",
    "openai-responses": "gpt-5.5",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3.8-flash",
}


def request_in(spoken, stream):
    """Write an agent's request in a format: address and body."""
    turn = {"role": "user", "content": TEXT}
    match spoken:
        case "openai-chat":
            body = {"messages": [turn], "tools": [{"type": "function", "function": FUNCTION}]}
            if stream:
                body["stream_options"] = {"include_usage": True}
            url = "https://api.openai.com/v1/chat/completions"
        case "openai-responses":
            body = {"input": [turn], "tools": [{"type": "function", **FUNCTION}]}
            url = "https://api.openai.com/v1/responses"
        case "anthropic":
            tool = {"name": "get_weather", "input_schema": SCHEMA}
            body = {"messages": [turn], "max_tokens": 4000, "tools": [tool]}
            url = "https://api.anthropic.com/v1/messages"
        case "gemini":
            method = "streamGenerateContent?alt=sse" if stream else "generateContent"
            contents = [{"role": "user", "parts": [{"text": TEXT}]}]
            return f"{GOOGLE}:{method}", {
                "contents": contents,
                "tools": [{"functionDeclarations": [FUNCTION]}],
            }
    return url, {"model": MODELS[spoken], "stream": stream, **body}


def rules_for(url, spoken):
    """Send all calls to a provider that speaks one format."""
    base = f"{url}/v1" if spoken.startswith("openai") else url
    provider = {"base_url": base, "formats": [spoken], "api_key": PROVIDER_KEY}
    provider["models"] = [MODELS[spoken]]
    return write_rules(url, use=f"somewhere:{MODELS[spoken]}", providers={"somewhere": provider})


def shown(flow, message, view="auto"):
    told = prettify_message(message, flow, view)
    return told.view_name, told.text


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])
@pytest.mark.parametrize("target", FORMAT_NAMES)
@pytest.mark.parametrize("source", FORMAT_NAMES)
async def test_a_call_shows(source, target, stream):
    url, body = request_in(source, stream)
    key = {"authorization": f"Bearer {AGENT_KEY}"}
    async with (
        EmbeddedProvider() as provider,
        running_proxy(rules_for(provider.base_url, target)) as proxy,
    ):
        async with proxy.client() as client:
            answer = await client.post(url, json=body, headers=key)
            assert answer.status_code == 200, answer.text
        await proxy.quiet()
        (flow,) = proxy.flows
        name, asked = shown(flow, flow.request)
        assert name == "Detour conversation"
        assert "user:\n  Hello" in asked
        assert "tools: get_weather" in asked
        name, answered = shown(flow, flow.response)
        assert name == "Detour conversation"
        assert "Good day." in answered
        assert "calls get_weather:" in answered
        assert '{"city":"Oslo"}' in answered
        assert "ended: tool_calls" in answered
        assert " read, " in answered
        _, overview = shown(flow, flow.response, "detour")
        assert f"somewhere:{MODELS[target]}" in overview
        assert "answered with status 200" in overview
        assert "rule:       all to Claude" in overview
        assert "first byte " in overview
        assert "tokens:     " in overview
        _, streams = shown(flow, flow.response, "detour streams")
        assert f"({target})" in streams
        assert f"agent ({source})" in streams
        assert "answers with status 200" in streams
        left = "".join(line[9:49].rstrip() for line in streams.splitlines()[5:])
        right = "".join(line[52:] for line in streams.splitlines()[5:])
        assert "get_weather" in left
        assert "get_weather" in right
        _, original = shown(flow, flow.response, "detour agent request")
        assert original.startswith(f"POST {url.split('?')[0]}")
        _, sent = shown(flow, flow.response, "detour request as sent")
        assert sent.startswith(f"POST {provider.base_url}")
        assert not [key for key in (AGENT_KEY, PROVIDER_KEY) if key in str(flow.get_state())]


async def test_a_fallback_shows_both_answers_and_what_was_sent_last():
    async with EmbeddedProvider() as provider:
        first = {"base_url": "http://127.0.0.1:1", "formats": ["openai-chat"], "api_key": "none"}
        rules = write_rules(
            provider.base_url,
            use=["first:m", "anthropic:claude-sonnet-4-5"],
            providers={"first": {**first, "models": ["m"]}},
            fallback={"retries": 0},
        )
        async with running_proxy(rules) as proxy:
            url, body = request_in("openai-chat", True)
            async with proxy.client() as client:
                await client.post(url, json=body, headers={"authorization": f"Bearer {AGENT_KEY}"})
            await proxy.quiet()
            (flow,) = proxy.flows
            _, overview = shown(flow, flow.response, "detour")
            assert "- first:m: failed" in overview
            assert "- anthropic:claude-sonnet-4-5: answered" in overview
            assert f"at {provider.base_url}/v1/messages" in overview
            _, sent = shown(flow, flow.response, "detour request as sent")
            assert sent.startswith(f"POST {provider.base_url}/v1/messages")
            assert '"model": "claude-sonnet-4-5"' in sent
            assert flow.metadata["detour.provider"] == "anthropic"
            assert PROVIDER_KEY not in str(flow.get_state())


async def test_a_call_that_passes_shows_too():
    reply = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5.1",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hi."},
            }
        ],
        "usage": {"prompt_tokens": 1234, "completion_tokens": 5, "total_tokens": 1239},
    }

    async def serve(exchange):
        await exchange.answer(json.dumps(reply).encode(), content_type="application/json")

    async with (
        ScriptedServer(serve, server_context("api.openai.com")) as server,
        running_proxy(write_default("pass"), hosts={"api.openai.com": server.address}) as proxy,
    ):
        url, body = request_in("openai-chat", False)
        key = {"authorization": f"Bearer {AGENT_KEY}"}
        async with proxy.client() as client:
            answer = await client.post(url, json=body, headers=key)
        assert answer.status_code == 200
        await proxy.quiet()
        (flow,) = proxy.flows
        _, overview = shown(flow, flow.response, "detour")
        assert "passes as it is" in overview
        assert "1,234 read, 5 written" in overview
        name, answered = shown(flow, flow.response)
        assert name == "Detour conversation"
        assert "  Hi." in answered
        _, streams = shown(flow, flow.response, "detour streams")
        assert "The agent got what the provider sent." in streams
        assert '"content":"Hi."' in streams.replace(": ", ":")


async def test_a_refusal_says_why_at_first_sight():
    async with running_proxy(write_rules(use="block", name="not today")) as proxy:
        async with proxy.client() as client:
            url, body = request_in("anthropic", True)
            await client.post(url, json=body, headers={"x-api-key": AGENT_KEY})
        (flow,) = proxy.flows
        name, overview = shown(flow, flow.response)
        assert name == "Detour"
        assert "refused by Detour" in overview
        assert "rule:       not today" in overview
        name, asked = shown(flow, flow.request)
        assert "user:\n  Hello" in asked
        _, sent = shown(flow, flow.request, "detour request as sent")
        assert sent == "This call was sent nowhere."


async def test_a_socket_shows_its_messages_and_each_response_as_a_flow():
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url, use="anthropic:claude-sonnet-4-5")) as proxy,
    ):
        async with socket_agent(proxy) as agent:
            await agent.respond(create("[[say Good day.]]"))
        await asyncio.sleep(0.05)
        socket, response = proxy.flows
        first, *events = socket.websocket.messages
        name, asked = shown(socket, first)
        assert name == "Detour conversation"
        assert "user:\n  [[say Good day.]]" in asked
        told = [shown(socket, event)[1] for event in events]
        assert 'response.output_text.delta: "' in "\n".join(told)
        assert "a WebSocket" in shown(socket, socket.request, "detour")[1]
        name, answered = shown(response, response.response)
        assert name == "Detour conversation"
        assert "Good day." in answered
        assert (
            f"the WebSocket of flow {socket.id}" in shown(response, response.response, "detour")[1]
        )
        assert "event: message_start" in shown(response, response.response, "detour streams")[1]


async def test_a_response_in_the_background_shows_what_came_of_it():
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url, use="anthropic:claude-sonnet-4-5")) as proxy,
        proxy.client() as client,
    ):
        body = {"model": "gpt-5.1", "input": "[[say Good day.]]", "background": True}
        key = {"authorization": f"Bearer {AGENT_KEY}"}
        await client.post("https://api.openai.com/v1/responses", json=body, headers=key)
        (flow,) = proxy.flows
        async with asyncio.timeout(10):
            while "tokens:" not in shown(flow, flow.response, "detour")[1]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert "anthropic:claude-sonnet-4-5" in shown(flow, flow.response, "detour")[1]
        assert "message_stop" in shown(flow, flow.response, "detour streams")[1]
        assert "[[say Good day.]]" in shown(flow, flow.request)[1]


async def test_calls_in_which_nothing_is_said_show_as_they_are():
    async with EmbeddedProvider() as provider:
        base = {"base_url": f"{provider.base_url}/v1", "formats": ["openai-chat"]}
        rules = write_rules(
            provider.base_url,
            use="somewhere:m",
            when={"endpoint": "embeddings"},
            providers={"somewhere": {**base, "api_key": PROVIDER_KEY, "models": ["m"]}},
        )
        async with running_proxy(rules) as proxy, proxy.client() as client:
            body = {"model": "text-embedding-3-small", "input": "hello"}
            key = {"authorization": f"Bearer {AGENT_KEY}"}
            await client.post("https://api.openai.com/v1/embeddings", json=body, headers=key)
            (flow,) = proxy.flows
            assert shown(flow, flow.request)[0] == "JSON"
            said = shown(flow, flow.request, "detour conversation")[1]
            assert said == "Nothing is said in this call."
            assert "somewhere:m" in shown(flow, flow.request, "detour")[1]


def test_other_flows_keep_the_views_that_mitmproxy_chooses():
    assert contentviews.registry.get_view(b"{}", contentviews.Metadata(), "auto").name == "Raw"
