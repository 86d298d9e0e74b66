"""Realtime, by WebSocket and by HTTP: it passes, is blocked, or goes on to who offers the same."""

import asyncio
import json

import openai
import pytest
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from addon.embedded import EmbeddedProvider
from tests.support.proxy import (
    AGENT_KEY,
    PROVIDER_KEY,
    agent_context,
    running_proxy,
    server_context,
)
from tests.support.servers import ScriptedServer
from tests.support.sockets import socket_agent

URL = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
KEYS = {"OFFICE_KEY": PROVIDER_KEY, "ANTHROPIC_API_KEY": PROVIDER_KEY}


def write_rules(base_url, *entries, default="pass", **more):
    office = {"base_url": f"{base_url}/v1", "formats": ["openai-chat"], "api_key": "${OFFICE_KEY}"}
    rules = [{"name": f"rule {number}", **one} for number, one in enumerate(entries)]
    providers = {"office": office}
    document = {"version": 1, "providers": providers, "rules": rules, "default": default}
    return json.dumps(document | more)


TO_OFFICE = {"when": {"endpoint": "realtime"}, "use": "office:voice 1/a"}


def choose(connection, offered):
    return "realtime" if "realtime" in offered else None


class Voice:
    """A server that speaks Realtime as far as tests need it: it echoes."""

    def __init__(self, tls=None):
        self.requests = []
        self.closed = asyncio.Event()
        self.tls = tls

    async def __aenter__(self):
        self.server = await serve_websocket(
            self.echo, "127.0.0.1", 0, ssl=self.tls, select_subprotocol=choose, max_size=None
        )
        self.address = self.server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.address[1]}"

    async def echo(self, connection):
        self.requests.append(connection.request)
        await connection.send(json.dumps({"type": "session.created"}))
        try:
            async for message in connection:
                if isinstance(message, str) and json.loads(message)["type"] == "bye":
                    await connection.close(4001, "enough")
                    return
                await connection.send(message)
        finally:
            self.closed.set()


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_a_socket_goes_on_with_another_model_and_key(compression):
    async with (
        Voice() as voice,
        running_proxy(write_rules(voice.url, TO_OFFICE), environment=KEYS) as proxy,
    ):
        async with (
            asyncio.timeout(10),
            socket_agent(proxy, URL, compression=compression) as agent,
        ):
            assert await agent.receive() == {"type": "session.created"}
            for size in (0, 10, 200_000):
                message = {"type": "input_audio_buffer.append", "audio": "A" * size}
                await agent.send(message)
                assert await agent.receive() == message
            blob = bytes(range(256)) * 300 + b"\r\n\r\n"
            await agent.connection.send(blob)
            assert await agent.connection.recv() == blob
        await asyncio.wait_for(voice.closed.wait(), 5)
        await proxy.quiet()
        (flow,) = [flow for flow in proxy.flows if flow.websocket]
        (request,) = voice.requests
        assert request.path == "/v1/realtime?model=voice%201%2Fa"
        assert request.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
        assert AGENT_KEY not in str(request.headers)
        assert flow.comment == "gpt-realtime -> office:voice 1/a (rule 0)"
        saved = repr(flow.get_state())
        assert PROVIDER_KEY not in saved
        assert AGENT_KEY not in saved
        assert flow.websocket.messages


async def test_the_providers_end_is_told():
    async with (
        asyncio.timeout(10),
        Voice() as voice,
        running_proxy(write_rules(voice.url, TO_OFFICE), environment=KEYS) as proxy,
        socket_agent(proxy, URL) as agent,
    ):
        await agent.receive()
        await agent.send({"type": "bye"})
        with pytest.raises(ConnectionClosed) as closed:
            await agent.receive()
    assert closed.value.rcvd.code == 4001
    assert closed.value.rcvd.reason == "enough"


async def test_a_key_in_the_name_of_a_protocol_goes_to_nobody():
    async with (
        asyncio.timeout(10),
        Voice() as voice,
        running_proxy(write_rules(voice.url, TO_OFFICE), environment=KEYS) as proxy,
    ):
        protocols = ["realtime", f"openai-insecure-api-key.{AGENT_KEY}", "openai-project.p"]
        async with socket_agent(proxy, URL, subprotocols=protocols) as agent:
            await agent.receive()
            assert agent.connection.subprotocol == "realtime"
        await proxy.quiet()
        assert voice.requests[0].headers["sec-websocket-protocol"] == "realtime"
        assert AGENT_KEY not in repr([flow.get_state() for flow in proxy.flows])


@pytest.mark.parametrize("entry", [None, {"when": {"endpoint": "realtime"}, "use": "pass"}])
async def test_a_socket_passes_where_rules_say_so(entry):
    async with Voice(server_context("api.openai.com")) as voice:
        text = write_rules("http://127.0.0.1:1", *([entry] if entry else []))
        async with (
            asyncio.timeout(10),
            running_proxy(text, hosts={"api.openai.com": voice.address}) as proxy,
            socket_agent(proxy, URL) as agent,
        ):
            assert await agent.receive() == {"type": "session.created"}
        assert voice.requests[0].path == "/v1/realtime?model=gpt-realtime"
        assert voice.requests[0].headers["authorization"] == f"Bearer {AGENT_KEY}"


@pytest.mark.parametrize(
    ("entries", "default", "status", "message"),
    [
        ([{"when": {"endpoint": "realtime"}, "use": "block"}], "pass", 403, "blocks GET"),
        ([{"when": {"model": "gpt-realtime"}, "use": "block"}], "pass", 403, "rule: rule 0"),
        ([], "block", 403, "rule: default"),
        (
            [{"when": {"endpoint": "realtime"}, "use": "anthropic:claude-opus-5-5"}],
            "pass",
            404,
            "anthropic does not offer GET /v1/realtime",
        ),
        ([], "anthropic:claude-opus-5-5", 404, "cannot translate GET /v1/realtime"),
        ([TO_OFFICE], "pass", 502, "refused the connection"),
    ],
)
async def test_a_socket_is_refused_in_plain_words(entries, default, status, message):
    text = write_rules("http://127.0.0.1:1", *entries, default=default)
    async with asyncio.timeout(10), running_proxy(text, environment=KEYS) as proxy:
        with pytest.raises(InvalidStatus) as refused:
            async with socket_agent(proxy, URL):
                pass
    response = refused.value.response
    assert message in json.loads(response.body)["error"]["message"]
    assert response.status_code == status


async def test_the_providers_refusal_is_told():
    async def refuse(exchange):
        error = {"error": {"message": "no such voice", "type": "invalid_request_error"}}
        await exchange.answer(json.dumps(error).encode(), status=400)

    async with (
        asyncio.timeout(10),
        ScriptedServer(refuse) as server,
        running_proxy(write_rules(server.url, TO_OFFICE), environment=KEYS) as proxy,
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with socket_agent(proxy, URL):
                pass
    response = refused.value.response
    assert response.status_code == 400
    assert json.loads(response.body)["error"]["message"] == "no such voice"


async def test_a_missing_key_is_told_before_anything_is_sent():
    async with (
        asyncio.timeout(10),
        running_proxy(
            write_rules("", {"when": {"endpoint": "realtime"}, "use": "openai:*"}, providers={}),
            environment={},
        ) as proxy,
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with socket_agent(proxy, URL):
                pass
    assert "OPENAI_API_KEY" in json.loads(refused.value.response.body)["error"]["message"]


async def test_limits_count_sockets():
    limited = TO_OFFICE | {"limit": {"requests": 1}}
    async with (
        asyncio.timeout(10),
        Voice() as voice,
        running_proxy(write_rules(voice.url, limited), environment=KEYS) as proxy,
    ):
        async with socket_agent(proxy, URL) as agent:
            await agent.receive()
        with pytest.raises(InvalidStatus) as refused:
            async with socket_agent(proxy, URL):
                pass
    assert refused.value.response.status_code == 429


async def test_the_sdk_talks_to_another_providers_model():
    async with (
        asyncio.timeout(10),
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url, TO_OFFICE), environment=KEYS) as proxy,
        proxy.openai() as client,
    ):
        options = {"proxy": proxy.url(), "ssl": agent_context()}
        async with client.realtime.connect(
            model="gpt-realtime", websocket_connection_options=options
        ) as connection:
            begun = await connection.recv()
            assert (begun.type, begun.session.model) == ("session.created", "voice 1/a")
            await connection.session.update(
                session={"type": "realtime", "output_modalities": ["text"], "instructions": "Go."}
            )
            assert (await connection.recv()).session.instructions == "Go."
            part = {"type": "input_text", "text": "[[say One two three.]]"}
            item = {"type": "message", "role": "user", "content": [part]}
            await connection.conversation.item.create(item=item)
            await connection.response.create()
            events = []
            while not events or events[-1].type != "response.done":
                events.append(await connection.recv())
            deltas = [one.delta for one in events if one.type == "response.output_text.delta"]
            assert deltas == ["One ", "two ", "three."]
            assert events[-1].response.output[0].content[0].text == "One two three."
            await connection.send({"type": "response.dance", "event_id": "e1"})
            told = await connection.recv()
            assert (told.error.code, told.error.event_id) == ("invalid_value", "e1")
            await connection.input_audio_buffer.append(audio="not base64!")
            assert (await connection.recv()).error.param == "audio"
            await connection.input_audio_buffer.append(audio="AAAA" * 2000)
            await connection.input_audio_buffer.commit()
            assert (await connection.recv()).type == "input_audio_buffer.committed"
        await proxy.quiet()
        (request,) = provider.requests
        assert request.header("authorization") == f"Bearer {PROVIDER_KEY}"


async def test_a_model_that_speaks_otherwise_is_refused_in_the_providers_words():
    entry = {"when": {"endpoint": "realtime"}, "use": "office:gpt-4o"}
    async with (
        asyncio.timeout(10),
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url, entry), environment=KEYS) as proxy,
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with socket_agent(proxy, URL):
                pass
    told = json.loads(refused.value.response.body)["error"]
    assert told["message"] == "The model `gpt-4o` is not supported for realtime."
    assert refused.value.response.status_code == 400


async def test_a_session_made_by_http_names_the_model_of_the_rule():
    session = {"type": "realtime", "model": "gpt-realtime", "instructions": "be brief"}
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, TO_OFFICE)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            secret = await client.realtime.client_secrets.create(session=session)
        rules = write_rules(provider.base_url, {"when": {"model": "gpt-realtime"}, "use": "block"})
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.PermissionDeniedError):
                await client.realtime.client_secrets.create(session=session)
    assert secret.value.startswith("ek_")
    assert secret.session.model == "voice 1/a"
    (sent,) = provider.requests
    assert sent.path == "/v1/realtime/client_secrets"
    assert sent.json() == {"session": {**session, "model": "voice 1/a"}}


async def test_a_call_names_the_model_of_the_rule_in_its_form():
    session = json.dumps({"type": "realtime", "model": "gpt-realtime"})
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, TO_OFFICE)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.client() as client:
            answer = await client.post(
                "https://api.openai.com/v1/realtime/calls",
                files={
                    "sdp": (None, "v=0 offer", "application/sdp"),
                    "session": (None, session, "application/json"),
                },
            )
    assert answer.text.startswith("v=0")
    (sent,) = provider.requests
    assert b'"model":"voice 1/a"' in sent.body.replace(b'": "', b'":"')
    assert b"v=0 offer" in sent.body
