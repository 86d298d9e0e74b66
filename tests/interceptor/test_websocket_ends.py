"""How sockets and their responses end: by agent, provider, proxy or clock."""

import asyncio
import functools
import time

import pytest

from addon.embedded import EmbeddedProvider
from addon.sockets import Terms
from tests.support.proxy import running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.sockets import create, socket_agent, text_of
from tests.support.streams import text_frames


async def hang(exchange):
    await exchange.left.wait()


async def hang_in_the_middle(exchange):
    await exchange.begin()
    await exchange.chunk(b"".join(text_frames()[:4]))
    await exchange.left.wait()


async def asked(server, count=1):
    """Wait until a provider has been asked that often."""
    for _ in range(300):
        if len(server.exchanges) >= count:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@pytest.mark.parametrize("leaving", ["closes", "vanishes"])
@pytest.mark.parametrize("serve", [hang, hang_in_the_middle])
async def test_an_agent_that_leaves_ends_the_call_at_once(serve, leaving):
    async with (
        asyncio.timeout(5),
        ScriptedServer(serve) as server,
        running_proxy(write_rules(server.url)) as proxy,
    ):
        async with socket_agent(proxy) as agent:
            await agent.send(create("hello"))
            if serve is hang_in_the_middle:
                await agent.receive()
            await asked(server)
            began = time.monotonic()
            if leaving == "vanishes":
                agent.connection.transport.abort()
            else:
                await agent.connection.close()
            await server.exchanges[0].left.wait()
            assert time.monotonic() - began < 1
        await proxy.quiet()
        (socket,) = [flow for flow in proxy.flows if flow.websocket]
        (response,) = [flow for flow in proxy.flows if flow.request.path == "/v1/messages"]
        assert response.error is not None
        assert not response.live
        assert socket.websocket.close_code == (1006 if leaving == "vanishes" else 1000)


async def test_an_agent_that_leaves_while_others_run_ends_them_all():
    async with (
        asyncio.timeout(5),
        ScriptedServer(hang) as server,
        running_proxy(write_rules(server.url)) as proxy,
    ):
        async with socket_agent(proxy) as agent:
            for number in range(20):
                await agent.send(create("hello", stream_id=str(number)))
            await asked(server, 16)
            await asyncio.sleep(0.1)
        await asyncio.gather(*(exchange.left.wait() for exchange in server.exchanges))
        assert len(server.exchanges) == 16


async def test_a_proxy_that_ends_says_so():
    async with ScriptedServer(hang) as server:
        async with running_proxy(write_rules(server.url)) as proxy:
            proxy.quiet = functools.partial(asyncio.sleep, 0)
            async with socket_agent(proxy) as agent:
                await agent.send(create("hello"))
                await asked(server)
                proxy.master.shutdown()
                await asyncio.wait_for(agent.connection.wait_closed(), 3)
                assert agent.connection.close_code == 1001
        await asyncio.wait_for(server.exchanges[0].left.wait(), 3)


async def test_an_agent_that_waits_is_pinged():
    def heard(proxy, words):
        return len([line for line in proxy.logs.lines if words in line])

    async with (
        asyncio.timeout(10),
        ScriptedServer(hang) as server,
        running_proxy(write_rules(server.url), detour_keep_alive="0.05") as proxy,
        socket_agent(proxy) as agent,
    ):
        await asyncio.sleep(0.2)
        assert heard(proxy, "ping from server") == 0
        await agent.send(create("hello"))
        for _ in range(500):
            if heard(proxy, "pong from client") >= 3:
                break
            await asyncio.sleep(0.01)
        assert heard(proxy, "ping from server") >= 3


async def test_an_agents_ping_is_answered():
    async with (
        running_proxy(write_rules()) as proxy,
        socket_agent(proxy) as agent,
        asyncio.timeout(3),
    ):
        await (await agent.connection.ping(b"well?"))


async def test_after_an_hour_no_response_begins_but_those_that_run_end(monkeypatch):
    terms = functools.partial(Terms, lifetime=1)
    monkeypatch.setattr("addon.interceptor.socket_serving.Terms", terms)
    async with (
        asyncio.timeout(10),
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
        socket_agent(proxy) as agent,
    ):
        await agent.send(create("[[gate]] [[events 2]] [[say a a]]"))
        await agent.send(create("[[say waits]]"))
        events = await agent.respond()
        assert events[-1]["error"]["code"] == "websocket_connection_limit_reached"
        (late,) = await agent.respond(create("[[say late]]"))
        assert late["error"]["code"] == "websocket_connection_limit_reached"
        provider.open_gate()
        assert text_of([*events, *await agent.respond()]) == "a a"
        (last,) = await agent.respond()
        assert (last["status"], last["error"]["type"]) == (400, "invalid_request_error")
        await agent.connection.wait_closed()
        assert agent.connection.close_code == 1000
        assert len(provider.requests) == 1


async def respond(text, serve=None, **keywords):
    """Let a provider answer once and return what the agent is told, and then once more."""
    async with (
        asyncio.timeout(10),
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url, **keywords)) as proxy,
        socket_agent(proxy) as agent,
    ):
        events = await agent.respond(create(text))
        assert text_of(await agent.respond(create("[[say fine]]"))) == "fine"
    return events


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("[[error 401 authentication_error]]", 401, "invalid_api_key"),
        ("[[error 404 not_found_error]]", 404, "model_not_found"),
        ("[[error 400 invalid_request_error]]", 400, "invalid_request_error"),
        ("[[error 500 api_error]]", 500, "api_error"),
    ],
)
async def test_errors_before_the_answer_keep_their_status(text, status, code):
    (error,) = await respond(text)
    assert (error["type"], error["status"], error["error"]["code"]) == ("error", status, code)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (
            "[[retry-after 7]] [[error 429 rate_limit_error]]",
            "rate_limit_exceeded",
            "Please try again in 7s.",
        ),
        ("[[error 529 overloaded_error]]", "server_is_overloaded", ""),
    ],
)
async def test_errors_that_another_try_may_mend_are_told_as_failures(text, code, words):
    """A message with status 429 makes Codex give up at once."""
    events = await respond(text)
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.failed",
    ]
    error = events[-1]["response"]["error"]
    assert error["code"] == code
    assert words in error["message"]


@pytest.mark.parametrize(
    "text", ["[[events 5]] [[cut 4]]", "[[events 5]] [[error-in-stream overloaded_error]]"]
)
async def test_errors_within_the_answer_are_told_once(text):
    events = await respond(text)
    assert events[-1]["type"] == "response.failed"
    assert [event["type"] for event in events].count("error") == 0


async def test_a_provider_that_is_not_there():
    async with running_proxy(write_rules()) as proxy, socket_agent(proxy) as agent:
        (error,) = await agent.respond(create("hello"))
    assert (error["status"], error["error"]["code"]) == (502, "upstream_unreachable")


async def test_a_response_that_is_stopped_by_hand_ends_with_an_error():
    async with (
        asyncio.timeout(5),
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
        socket_agent(proxy) as agent,
    ):
        await agent.send(create("[[gate]] [[events 4]] [[say a b c d]]"))
        while (await agent.receive())["type"] != "response.output_text.delta":
            pass
        (flow,) = [flow for flow in proxy.flows if flow.request.path == "/v1/messages"]
        flow.kill()
        provider.open_gate()
        (error,) = await agent.respond()
        assert error["type"] == "error"
        assert text_of(await agent.respond(create("[[say fine]]"))) == "fine"
