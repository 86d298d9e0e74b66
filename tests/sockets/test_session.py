"""One socket without a proxy around it: its calls are answered by the test."""

import asyncio
import contextlib
import json

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from addon.engine import Head
from addon.sockets import Session, Terms
from addon.sockets.session import _AHEAD
from addon.stateful import Archive, History
from addon.vault import MemoryVault

GRANTED = Head(101, ())


def sse(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def completed(identifier="resp_1", output=()):
    response = {"id": identifier, "status": "completed", "output": list(output)}
    return sse("response.completed", response=response)


class Client:
    """Drives a session as the adapter would."""

    def __init__(self, answer, **terms):
        self.vault = MemoryVault()
        history = History(Archive(self.vault), Archive(MemoryVault()))
        self.session = Session(answer, history, Terms(**terms))
        self.connection = Connection(ConnectionType.CLIENT)
        self.items = self.session.serve(GRANTED)
        self.events = []

    async def __aenter__(self):
        assert await anext(self.items) is GRANTED
        return self

    async def __aexit__(self, *_):
        await self.items.aclose()

    def send(self, **fields):
        message = {"type": "response.create", "input": [], **fields}
        self.session.receive(self.connection.send(TextMessage(json.dumps(message))))

    async def receive(self):
        """Return the next message, ping or end."""
        while not self.events:
            data = await asyncio.wait_for(anext(self.items), 2)
            self.connection.receive_data(data)
            self.events += self.connection.events()
        event = self.events.pop(0)
        return json.loads(event.data) if isinstance(event, TextMessage) else event


async def test_a_call_that_fails_in_an_unforeseen_way_is_an_error_and_the_lane_goes_on():
    answers = iter([ZeroDivisionError, None])

    async def answer(body):
        yield Head(200, ())
        if failure := next(answers):
            raise failure
        yield completed()

    async with Client(answer) as client:
        client.send()
        client.send()
        error = await client.receive()
        assert (error["type"], error["status"]) == ("error", 500)
        assert (await client.receive())["type"] == "response.completed"


async def test_the_input_is_made_whole_from_what_was_said():
    bodies = []
    said = {"type": "message", "role": "assistant", "content": "b"}

    async def answer(body):
        bodies.append(json.loads(body))
        yield Head(200, ())
        yield completed(f"resp_{len(bodies)}", [said])

    async with Client(answer) as client:
        first, second = {"role": "user", "content": "a"}, {"role": "user", "content": "c"}
        client.send(input=[first], store=False, instructions="x")
        await client.receive()
        client.send(input=[second], previous_response_id="resp_1")
        await client.receive()
    assert bodies[0] == {
        "input": [first],
        "store": False,
        "instructions": "x",
        "stream": True,
    }
    assert bodies[1] == {"input": [first, said, second], "stream": True}


async def test_what_the_vault_knows_can_be_gone_on_from_and_nothing_is_added_to_it():
    bodies = []

    async def answer(body):
        bodies.append(json.loads(body))
        yield Head(200, ())
        response = {"id": f"resp_{len(bodies)}", "previous_response_id": None, "output": []}
        yield sse("response.created", response=response)
        yield sse("response.completed", response={**response, "status": "completed"})

    first, second = {"role": "user", "content": "a"}, {"role": "user", "content": "b"}
    async with Client(answer) as client:
        elsewhere = History(Archive(client.vault))
        turn = elsewhere.begin(json.dumps({"input": [first]}).encode())
        elsewhere.finish(turn, {"id": "resp_vault", "status": "completed", "output": []})
        client.send(input=[second], previous_response_id="resp_vault")
        for _ in range(2):
            event = await client.receive()
            assert event["response"]["previous_response_id"] == "resp_vault"
        client.send(previous_response_id="resp_1")
        await client.receive()
    assert [body["input"] for body in bodies] == [[first, second]] * 2
    assert Archive(client.vault).response("resp_1") is None


async def test_what_was_said_elsewhere_is_left_to_whoever_answers():
    """Nothing is made up of the half that this socket knows."""
    bodies = []

    async def answer(body):
        bodies.append(json.loads(body))
        yield Head(200, ())
        yield completed(f"resp_{len(bodies)}")

    async with Client(answer) as client:
        client.send(previous_response_id="resp_elsewhere")
        await client.receive()
        client.send(previous_response_id="resp_1")
        await client.receive()
        client.send(previous_response_id="resp_elsewhere", generate=False)
        error = await client.receive()
    assert [body["previous_response_id"] for body in bodies] == ["resp_elsewhere", "resp_1"]
    assert error["error"]["code"] == "previous_response_not_found"


async def test_what_failed_cannot_be_gone_on_from():
    async def answer(body):
        yield Head(400, (("content-type", "application/json"),))
        yield b'{"error": {"message": "no", "type": "invalid_request_error"}}'

    async with Client(answer) as client:
        client.send()
        error = await client.receive()
        assert (error["status"], error["error"]["message"]) == (400, "no")


async def test_a_slow_agent_slows_its_responses_down():
    produced = 0

    async def answer(body):
        nonlocal produced
        yield Head(200, ())
        for _ in range(1000):
            produced += 1
            yield sse("response.output_text.delta", delta="x" * 10_000)
        yield completed()

    async with Client(answer) as client:
        client.send()
        await client.receive()
        for _ in range(100):
            await asyncio.sleep(0)
        assert produced * 10_000 < 3 * _AHEAD
        count = 0
        while (await client.receive())["type"] != "response.completed":
            count += 1
        assert count == 999


async def test_a_socket_that_was_idle_is_not_pinged_as_soon_as_it_is_used():
    going = asyncio.Event()

    async def answer(body):
        yield Head(200, ())
        await going.wait()
        yield completed()

    async with Client(answer, keep_alive=0.2) as client:
        waiting = asyncio.ensure_future(client.receive())
        await asyncio.sleep(0.3)
        client.send()
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert isinstance(await waiting, Ping)
        going.set()
        assert (await client.receive())["type"] == "response.completed"


@pytest.mark.parametrize("keep_alive", [0, 0.01])
async def test_no_pings_where_none_are_wanted_or_nobody_waits(keep_alive):
    async def answer(body):
        yield Head(200, ())
        await asyncio.sleep(0.1)
        yield completed()

    async with Client(answer, keep_alive=keep_alive) as client:
        if not keep_alive:
            client.send()
            assert (await client.receive())["type"] == "response.completed"
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.receive(), 0.1)
            assert client.events == []


async def test_an_idle_socket_ends_when_its_time_is_over():
    async with Client(lambda body: None, lifetime=0.05) as client:
        error = await client.receive()
        assert error["error"]["code"] == "websocket_connection_limit_reached"
        close = await client.receive()
        assert isinstance(close, CloseConnection)
        assert close.code == 1000
        with pytest.raises(StopAsyncIteration):
            await anext(client.items)


async def test_a_farewell_ends_everything_that_runs():
    ended = asyncio.Event()

    async def answer(body):
        try:
            yield Head(200, ())
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Client(answer) as client:
        client.send()
        waiting = asyncio.ensure_future(client.receive())
        await asyncio.sleep(0.01)
        client.session.leave()
        assert (await waiting).code == 1001
        with pytest.raises(StopAsyncIteration):
            await anext(client.items)
    assert ended.is_set()


async def test_the_agents_close_ends_the_socket():
    async with Client(lambda body: None) as client:
        client.session.receive(client.connection.send(CloseConnection(1000)))
        with pytest.raises(StopAsyncIteration):
            await anext(client.items)
