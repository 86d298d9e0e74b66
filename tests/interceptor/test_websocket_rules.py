"""Which rule applies to a socket, and to each of its messages."""

import asyncio
import json

import pytest
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import InvalidStatus

from addon.embedded import EmbeddedProvider
from tests.support.proxy import AGENT_KEY, running_proxy, server_context
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.sockets import create, socket_agent, text_of

CLAUDE = "anthropic:claude-sonnet-5-5"


def rules(base_url, *entries, default="pass", **more):
    return json.dumps(
        {
            "version": 1,
            "providers": {"anthropic": {"base_url": base_url}},
            "rules": [{"name": f"rule {number}", **one} for number, one in enumerate(entries)],
            "default": default,
            **more,
        }
    )


def answer_events(identifier, text):
    response = {"id": identifier, "object": "response", "status": "in_progress", "output": []}
    content = [{"type": "output_text", "text": text, "annotations": []}]
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": content}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    done = {**response, "status": "completed", "output": [item]}
    events = [
        {"type": "response.created", "response": response},
        {"type": "response.output_text.delta", "delta": text, **place},
        {"type": "response.completed", "response": done},
    ]
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
        for event in events
    )


class OpenAI(ScriptedServer):
    """Where the agent wanted its calls to go."""

    def __init__(self):
        super().__init__(self.answer, server_context("api.openai.com"))

    async def answer(self, exchange):
        await exchange.begin()
        await exchange.chunk(answer_events(f"resp_{len(self.exchanges)}", "from afar"))
        await exchange.end()

    @property
    def hosts(self):
        return {"api.openai.com": self.address}


async def test_each_message_meets_the_rules_on_its_own():
    async with (
        EmbeddedProvider() as provider,
        OpenAI() as afar,
        running_proxy(
            rules(
                provider.base_url,
                {"when": {"model": "*-mini"}, "use": "pass"},
                {"when": {"has": "tools"}, "use": "block"},
                {"use": CLAUDE},
            ),
            hosts=afar.hosts,
        ) as proxy,
        socket_agent(proxy) as agent,
    ):
        first = await agent.respond(create("[[say here]]", store=False))
        identifier = first[-1]["response"]["id"]
        message = create("and now?", previous_response_id=identifier, store=False)
        second = await agent.respond({**message, "model": "gpt-5-mini"})
        tool = {"type": "function", "name": "f", "parameters": {}}
        (blocked,) = await agent.respond(create("hello", tools=[tool]))
        identifier = second[-1]["response"]["id"]
        third = await agent.respond(create("[[say back]]", previous_response_id=identifier))
    assert (text_of(first), text_of(second), text_of(third)) == ("here", "from afar", "back")
    assert (blocked["status"], blocked["error"]["code"]) == (403, "blocked_by_detour")
    (passed,) = afar.exchanges
    assert (passed.method, passed.path) == ("POST", "/v1/responses")
    assert passed.headers["authorization"] == f"Bearer {AGENT_KEY}"
    assert passed.headers["user-agent"] == "codex_exec/0.169.0"
    assert not {"upgrade", "sec-websocket-key", "sec-websocket-version"} & passed.headers.keys()
    body = json.loads(passed.body)
    assert body["model"] == "gpt-5-mini"
    assert body["stream"] is True
    assert not {"type", "stream_id", "generate", "previous_response_id"} & body.keys()
    assert [item["type"] for item in body["input"]] == ["message", "message", "message"]
    assert "from afar" in str(provider.requests[1].json()["messages"])
    flows = {flow.request.pretty_url: flow for flow in proxy.flows if flow.request.method == "POST"}
    shown = flows["https://api.openai.com/v1/responses"]
    assert AGENT_KEY not in repr([flow.get_state() for flow in proxy.flows])
    assert shown.response is None or shown.response.status_code in (200, 403)


async def test_an_error_from_afar_is_told():
    async def refuse(exchange):
        error = {"message": "no", "type": "invalid_request_error", "code": "x", "param": None}
        await exchange.answer(json.dumps({"error": error}).encode(), status=404)

    async with (
        ScriptedServer(refuse, server_context("api.openai.com")) as afar,
        running_proxy(
            rules("http://127.0.0.1:1", {"when": {"model": "a"}, "use": CLAUDE}),
            hosts={"api.openai.com": afar.address},
        ) as proxy,
        socket_agent(proxy) as agent,
    ):
        (error,) = await agent.respond(create("hello"))
    assert (error["status"], error["error"]["message"]) == (404, "no")


async def test_an_edit_of_the_rules_applies_to_the_next_message(tmp_path):
    path = tmp_path / "rules.yaml"
    async with EmbeddedProvider() as provider:
        path.write_text(write_rules(provider.base_url))
        async with running_proxy(path) as proxy, socket_agent(proxy) as agent:
            assert text_of(await agent.respond(create("[[say yes]]"))) == "yes"
            path.write_text(write_rules(provider.base_url, use="block"))
            (error,) = await agent.respond(create("[[say no]]"))
            assert error["status"] == 403
            path.write_text(write_rules(provider.base_url, use="anthropic:claude-haiku-5-5"))
            assert text_of(await agent.respond(create("[[say yes]]"))) == "yes"
        models = [request.json()["model"] for request in provider.requests]
    assert models == ["claude-sonnet-5-5", "claude-haiku-5-5"]


async def echo(connection):
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"when": {"agent": "other"}, "use": CLAUDE}],
        [{"when": {"endpoint": "chat"}, "use": CLAUDE}],
        [{"when": {"provider": "anthropic"}, "use": "block"}],
        [{"when": {"header": {"x-phase": "*"}}, "use": CLAUDE}],
        [{"when": {"agent": "codex"}, "use": "pass"}, {"use": CLAUDE}],
        [{"when": {"model": "gpt-*"}, "use": "pass"}],
    ],
)
async def test_a_socket_all_of_whose_responses_would_pass_passes_itself(entries):
    async with (
        serve_websocket(echo, "127.0.0.1", 0, ssl=server_context("api.openai.com")) as server,
        running_proxy(
            rules("http://127.0.0.1:1", *entries, by_model_name=False),
            hosts={"api.openai.com": server.sockets[0].getsockname()},
        ) as proxy,
    ):
        async with socket_agent(proxy) as agent:
            await agent.send({"type": "anything"})
            assert await agent.receive() == {"type": "anything"}
        await proxy.quiet()
        (socket,) = [flow for flow in proxy.flows if flow.websocket]
        assert socket.request.headers["authorization"] == "(hidden by Detour)"


@pytest.mark.parametrize(
    ("entries", "default"),
    [
        ([{"when": {"model": "other"}, "use": CLAUDE}], "pass"),
        ([{"when": {"agent": "codex", "has": "tools"}, "use": "block"}], "pass"),
        ([{"when": {"model": "other"}, "use": "pass"}], "block"),
        ([{"when": {"filter": "~m PUT"}, "use": CLAUDE}], "pass"),
        ([{"when": {"input_tokens": "> 5"}, "use": CLAUDE}], "pass"),
        ([{"use": {"planning": "block", "other": "pass"}}], "pass"),
        ([{"use": "pass", "limit": {"requests": 5}}], "pass"),
        ([], CLAUDE),
    ],
)
async def test_a_socket_that_a_rule_may_apply_to_is_served(entries, default):
    text = rules("http://127.0.0.1:1", *entries, default=default, by_model_name=False)
    async with running_proxy(text) as proxy, socket_agent(proxy) as agent:
        events = await agent.respond(create("hello", generate=False))
    assert events[-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("anthropic:claude-haiku-5-5", "claude-haiku-5-5"),
        ("anthropic/claude-haiku-5-5", "claude-haiku-5-5"),
        ("claude-haiku-5-5", "claude-haiku-5-5"),
        ("fast", "claude-sonnet-5-5"),
    ],
)
async def test_a_message_may_name_a_provider_where_no_rule_applies(model, sent):
    """As by HTTP: by name, by the owner of the model, by an alias."""
    async with EmbeddedProvider() as provider, OpenAI() as afar:
        aliases = {"aliases": {"fast": CLAUDE}} if model == "fast" else {}
        text = rules(provider.base_url, {"when": {"agent": "codex"}, "use": "pass"}, **aliases)
        if ":" not in model and "/" not in model and model != "fast":
            text = rules(provider.base_url)
        async with (
            running_proxy(text, hosts=afar.hosts) as proxy,
            socket_agent(proxy) as agent,
        ):
            passed = await agent.respond(create("hello"))
            events = await agent.respond({**create("[[say here]]"), "model": model})
        assert (text_of(passed), text_of(events)) == ("from afar", "here")
        (request,) = provider.requests
        assert request.json()["model"] == sent
        assert len(afar.exchanges) == 1


async def test_a_message_that_names_a_provider_without_a_key_goes_nowhere():
    async with (
        OpenAI() as afar,
        running_proxy(rules("http://127.0.0.1:1"), hosts=afar.hosts) as proxy,
        socket_agent(proxy) as agent,
    ):
        (error,) = await agent.respond({**create("hello"), "model": "zai:glm-5.3"})
    assert "ZAI_API_KEY" in error["error"]["message"]
    assert not afar.exchanges


async def test_a_socket_is_served_where_there_are_aliases():
    text = rules("http://127.0.0.1:1", aliases={"fast": CLAUDE}, by_model_name=False)
    async with running_proxy(text) as proxy, socket_agent(proxy) as agent:
        events = await agent.respond(create("hello", generate=False))
    assert events[-1]["type"] == "response.completed"


async def test_an_agent_that_tells_its_phase_is_known_by_its_name():
    text = rules("http://127.0.0.1:1", {"when": {"agent": "coder"}, "use": CLAUDE})
    async with (
        running_proxy(text) as proxy,
        socket_agent(proxy, agent="coder.planning:x@") as agent,
    ):
        events = await agent.respond(create("hello", generate=False))
    assert events[-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (rules("http://127.0.0.1:1", {"use": CLAUDE}, websocket="refuse"), "/v1/responses"),
        (rules("http://127.0.0.1:1", websocket="refuse"), "/v1/responses"),
        (write_rules(), "/v1/chat/completions"),
        ("nonsense", "/v1/responses"),
    ],
)
async def test_other_sockets_are_turned_away_so_that_codex_uses_http(text, path):
    async with running_proxy(text, expected_errors=text == "nonsense") as proxy:
        with pytest.raises(InvalidStatus) as refused:
            async with socket_agent(proxy, f"wss://api.openai.com{path}"):
                pass
    response = refused.value.response
    assert response.status_code == 426
    assert response.headers["upgrade"] == "HTTP/1.1"
    assert "error" in json.loads(response.body)


async def test_hosts_that_the_rules_add_are_served_too():
    async with (
        EmbeddedProvider() as provider,
        asyncio.timeout(5),
        running_proxy(
            rules(provider.base_url, {"use": CLAUDE}, intercept=["api.x.ai"]),
        ) as proxy,
        socket_agent(proxy, "wss://api.x.ai/v1/responses") as agent,
    ):
        assert text_of(await agent.respond(create("[[say hello]]"))) == "hello"
