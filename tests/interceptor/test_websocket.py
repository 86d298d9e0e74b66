"""WebSocket mode of `/v1/responses`, with a real client on the other side of a whole proxy."""

import asyncio
import json

import openai
import pytest
from mitmproxy.tools.web.master import WebMaster

from addon.embedded import EmbeddedProvider
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, agent_context, running_proxy
from tests.support.rules import write_rules
from tests.support.sockets import create, socket_agent, text_of

WRITE_FILE = {
    "type": "function",
    "name": "write_file",
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture
async def proxy(provider):
    async with running_proxy(write_rules(provider.base_url)) as running:
        yield running


async def test_a_response_comes_event_by_event(proxy, provider):
    async with socket_agent(proxy) as agent:
        events = await agent.respond(create("[[say Hello there!]]"))
    assert [event["type"] for event in events][:2] == ["response.created", "response.in_progress"]
    assert text_of(events) == "Hello there!"
    assert events[-1]["type"] == "response.completed"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    (sent,) = provider.requests
    assert (sent.path, sent.header("x-api-key")) == ("/v1/messages", PROVIDER_KEY)
    assert AGENT_KEY not in str(sent.headers)


async def test_the_first_words_arrive_before_the_next_are_sent(proxy, provider):
    async with asyncio.timeout(5), socket_agent(proxy) as agent:
        await agent.send(create("[[gate]] [[events 4]] [[say one two three four]]"))
        event = await agent.receive()
        while event["type"] != "response.output_text.delta":
            event = await agent.receive()
        provider.open_gate()
        assert text_of([event, *await agent.respond()]) == "one two three four"


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_a_conversation_goes_on_from_the_last_response(proxy, provider, compression):
    async with socket_agent(proxy, compression=compression) as agent:
        first = await agent.respond(create("Write hi", tools=[WRITE_FILE], store=False))
        *_, call = first[-1]["response"]["output"]
        result = {
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": "written",
        }
        second = await agent.respond(
            create(
                previous_response_id=first[-1]["response"]["id"],
                tools=[WRITE_FILE],
                store=False,
            )
            | {"input": [result]}
        )
    assert call["type"] == "function_call"
    identifier = first[-1]["response"]["id"]
    assert second[0]["response"]["previous_response_id"] == identifier
    assert second[-1]["response"]["previous_response_id"] == identifier
    assert text_of(second) == "Done. The tool has answered."
    asked, again = [request.json()["messages"] for request in provider.requests]
    assert again[: len(asked)] == asked
    assert [message["role"] for message in again] == ["user", "assistant", "user"]


async def test_a_warm_up_gives_an_id_to_go_on_from(proxy, provider):
    async with socket_agent(proxy) as agent:
        events = await agent.respond(create("[[say warm]]", generate=False))
        completed = events[-1]
        assert [event["type"] for event in events] == [
            "response.created",
            "response.in_progress",
            "response.completed",
        ]
        assert completed["response"]["output"] == []
        assert provider.requests == []
        identifier = completed["response"]["id"]
        events = await agent.respond(create(previous_response_id=identifier))
    assert text_of(events) == "warm"


async def test_an_earlier_response_is_remembered_too(proxy):
    """The branches of a conversation may go on from any of its responses."""
    async with socket_agent(proxy) as agent:
        first = (await agent.respond(create("[[say one]]")))[-1]["response"]["id"]
        for word in ("two", "three"):
            message = create(f"[[say {word}]]", previous_response_id=first)
            events = await agent.respond(message)
            assert text_of(events) == word


async def test_a_response_of_another_socket_is_not_known(proxy):
    async with socket_agent(proxy) as agent:
        message = create("hello", previous_response_id="resp_elsewhere", store=False)
        (error,) = await agent.respond(message)
        assert (error["type"], error["status"]) == ("error", 400)
        assert error["error"]["code"] == "previous_response_not_found"
        assert error["error"]["param"] == "previous_response_id"
        assert text_of(await agent.respond(create("[[say here]]"))) == "here"


async def test_lanes_run_beside_one_another_and_each_in_its_order(proxy, provider):
    async with asyncio.timeout(5), socket_agent(proxy) as agent:
        await agent.send(create("[[gate]] [[events 2]] [[say a a]]", stream_id="slow"))
        await agent.send(create("[[say second]]", stream_id="slow"))
        await agent.send(create("[[say quick]]", stream_id="other"))
        events = await agent.respond()
        while events[-1]["stream_id"] != "other":
            events += await agent.respond()
        quick = [event for event in events if event["stream_id"] == "other"]
        assert text_of(quick) == "quick"
        provider.open_gate()
        events += await agent.respond()
        events += await agent.respond()
    slow = [event for event in events if event["stream_id"] == "slow"]
    ends = [index for index, event in enumerate(slow) if event["type"] == "response.completed"]
    assert text_of(slow[: ends[0]]) == "a a"
    assert text_of(slow[ends[0] :]) == "second"


async def test_steering_is_refused_with_what_was_said(proxy):
    steer = {"type": "response.steer", "previous_response_id": "resp_1", "input": "faster"}
    async with socket_agent(proxy) as agent:
        await agent.send(steer)
        event = await agent.receive()
    assert event["type"] == "response.steer.failed"
    assert event["error"]["code"] == "steering_not_supported"
    assert event["steer"] == {"previous_response_id": "resp_1", "input": "faster"}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("{", "not a JSON object"),
        ("[]", "not a JSON object"),
        ('"x"', "not a JSON object"),
        ("{}", "no `type`"),
        ('{"type": "response.cancel"}', "response.cancel"),
        ('{"type": ["a"]}', "Unknown type"),
        ('{"type": "response.create", "stream_id": 3}', "stream_id"),
        ('{"type": "response.create", "background": true}', "background"),
        ('{"type": "response.steer"}', "previous_response_id"),
        (b"\x00\x01", "text, not binary"),
        ('{"type": "response.create", "model": "gpt-5.1", "input": 3}', "input"),
        ('{"type": "response.create", "model": "gpt-5.1", "input": [3]}', "input"),
    ],
)
async def test_what_cannot_be_understood_gets_an_error_and_nothing_breaks(proxy, message, words):
    async with socket_agent(proxy) as agent:
        await agent.connection.send(message)
        event = await agent.receive()
        assert (event["type"], event["status"]) == ("error", 400)
        assert words in event["error"]["message"]
        assert event["error"]["type"] == "invalid_request_error"
        assert text_of(await agent.respond(create("[[say fine]]"))) == "fine"


async def test_bytes_that_are_no_text_close_the_socket(proxy):
    async with socket_agent(proxy) as agent:
        await agent.connection.send(b"\xff\xfe", text=True)
        await agent.connection.wait_closed()
        assert agent.connection.close_code == 1007


async def test_long_messages_and_fragments_come_through(proxy, provider):
    long = "ä€😀" * 500_000
    async with socket_agent(proxy) as agent:
        text = json.dumps(create(f"[[say long]] {long}"), ensure_ascii=False)
        assert text_of(await agent.respond(json.loads(text))) == "long"
        pieces = [text[start : start + 77_777] for start in range(0, len(text), 77_777)]
        await agent.connection.send(pieces)
        assert text_of(await agent.respond()) == "long"
    bodies = [request.json()["messages"] for request in provider.requests]
    assert bodies[0] == bodies[1]
    assert long in bodies[0][0]["content"][0]["text"]


async def test_messages_beyond_the_limit_are_refused(provider):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_body_limit="10k") as proxy,
        socket_agent(proxy) as agent,
    ):
        for _ in range(2):
            (error,) = await agent.respond(create("a" * 20_000))
            assert error["error"]["code"] == "request_too_large"
            assert "detour_body_limit" in error["error"]["message"]
            assert text_of(await agent.respond(create("[[say fine]]"))) == "fine"


async def test_a_conversation_beyond_the_limit_is_refused(provider):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_body_limit="10k") as proxy,
        socket_agent(proxy) as agent,
    ):
        events = await agent.respond(create("a" * 6_000, store=False))
        identifier = events[-1]["response"]["id"]
        message = create("a" * 6_000, previous_response_id=identifier, store=False)
        (error,) = await agent.respond(message)
    assert error["error"]["code"] == "request_too_large"


async def test_the_official_client(proxy, provider):
    options = {"proxy": proxy.url(), "ssl": agent_context()}
    async with (
        openai.AsyncOpenAI(api_key=AGENT_KEY, base_url="https://api.openai.com/v1") as client,
        client.responses.connect(websocket_connection_options=options) as connection,
    ):
        await connection.response.create(model="gpt-5.1", input="[[say Hello there!]]")
        events = []
        async for event in connection:
            events.append(event)
            if event.type == "response.completed":
                break
    assert events[-1].response.output_text == "Hello there!"
    assert events[0].response.model == "gpt-5.1"


async def test_each_response_is_a_flow_of_its_own_in_mitmweb(provider):
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, master_class=WebMaster, web_port=0) as proxy:
        async with socket_agent(proxy) as agent:
            for word in ("one", "two"):
                await agent.respond(create(f"[[say {word}]]", user="me", top_p=0.5))
        await proxy.quiet()
        flows = list(proxy.master.view)
    socket, *responses = [flow for flow in flows if flow.request.method != "CONNECT"]
    assert socket.websocket.closed_by_client
    assert socket.comment.startswith("WebSocket")
    assert socket.websocket.messages[0].from_client
    assert socket.request.headers["authorization"] == "(hidden by Detour)"
    assert [flow.comment for flow in responses] == [
        "gpt-5.1 -> anthropic:claude-sonnet-5-5 (all to Claude)"
    ] * 2
    for flow, word in zip(responses, ("one", "two"), strict=True):
        assert (flow.request.method, flow.response.status_code) == ("POST", 200)
        assert f'"text":"{word}"' in flow.response.text
        assert flow.metadata["detour.summary"]["usage"]["output_tokens"] > 0
        assert flow.metadata["detour.original"]["url"] == "https://api.openai.com/v1/responses"
        assert flow.metadata["detour.socket"] == socket.id
        assert not flow.live
    assert AGENT_KEY not in repr([flow.get_state() for flow in flows])
    assert PROVIDER_KEY not in repr([flow.get_state() for flow in flows])


async def test_a_socket_shows_its_last_messages_only(proxy):
    async with socket_agent(proxy) as agent:
        await agent.respond(create("[[events 900]]"))
    await proxy.quiet()
    (socket,) = [flow for flow in proxy.flows if flow.websocket]
    assert 150 <= len(socket.websocket.messages) <= 200
    assert json.loads(socket.websocket.messages[-1].text)["type"] == "response.completed"


async def test_a_message_can_be_held_edited_and_let_go_in_mitmweb(proxy, provider):
    class Editor:
        """Stands for somebody who watches mitmweb with an intercept filter set."""

        def __init__(self):
            self.held = asyncio.Event()

        def request(self, flow):
            if flow.request.path == "/v1/messages":
                flow.intercept()
                self.flow = flow
                self.held.set()

    editor = Editor()
    proxy.master.addons.add(editor)
    async with asyncio.timeout(5), socket_agent(proxy) as agent:
        await agent.send(create("[[say before]]"))
        await editor.held.wait()
        assert provider.requests == []
        editor.flow.request.content = editor.flow.request.content.replace(b"before", b"after")
        editor.flow.resume()
        assert text_of(await agent.respond()) == "after"


async def test_an_agent_that_leaves_while_its_message_is_held(proxy, provider):
    held = asyncio.Event()

    class Holder:
        def request(self, flow):
            if flow.request.path == "/v1/messages":
                flow.intercept()
                held.set()

    proxy.master.addons.add(Holder())
    async with asyncio.timeout(5):
        async with socket_agent(proxy) as agent:
            await agent.send(create("[[say never]]"))
            await held.wait()
        await proxy.quiet()
    assert provider.requests == []
    (flow,) = [flow for flow in proxy.flows if flow.request.path == "/v1/messages"]
    assert flow.error
    assert not flow.live


async def test_frames_that_trickle_in_byte_by_byte(proxy):
    async with asyncio.timeout(10), socket_agent(proxy) as agent:
        connection = agent.connection
        write = connection.transport.write
        pieces = []
        connection.transport.write = pieces.append
        message = asyncio.ensure_future(agent.send(create("[[say drop by drop]]")))
        await asyncio.sleep(0.01)
        await message
        connection.transport.write = write
        data = b"".join(pieces)
        for position in range(len(data)):
            write(data[position : position + 1])
            await asyncio.sleep(0)
        assert text_of(await agent.respond()) == "drop by drop"
