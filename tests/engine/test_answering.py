import asyncio
import contextlib
import gzip
import json
import logging

import pytest

from addon.embedded import EmbeddedProvider
from addon.engine import ClientPool, Head, answer, answering
from tests.support.calls import collect, make_call
from tests.support.servers import ScriptedServer
from tests.support.streams import data_of, error_frame, plain_answer, text_frames, text_of


@pytest.fixture
async def clients():
    pool = ClientPool()
    yield pool
    await pool.aclose()


async def stream(exchange):
    await exchange.begin(request_id="req_1")
    for frame in text_frames():
        await exchange.chunk(frame)
    await exchange.end()


async def test_a_stream(clients):
    async with ScriptedServer(stream) as server:
        call = make_call(server.url)
        head, pieces = await collect(call, clients)
    assert head.status == 200
    assert dict(head.headers)["x-request-id"] == call.outcome.request_id == "req_1"
    assert text_of(b"".join(pieces)) == "Hello there!"
    assert call.outcome.finish_reason == "stop"
    assert 0 < call.outcome.first_byte <= call.outcome.duration < 5


async def test_a_whole_answer(clients):
    async with EmbeddedProvider() as provider:
        call = make_call(provider.base_url, "[[say Hi.]]", stream=False)
        head, (body,) = await collect(call, clients)
    assert head.status == 200
    assert json.loads(body)["choices"][0]["message"]["content"] == "Hi."


async def test_the_first_piece_arrives_before_the_second_is_sent(clients):
    async with EmbeddedProvider() as provider:
        items = answer(make_call(provider.base_url, "[[gate]] [[events 3]]"), clients)
        async with asyncio.timeout(5):
            seen = b""
            while not text_of(seen):
                item = await anext(items)
                seen += b"" if isinstance(item, Head) else item
            provider.open_gate()
            rest = [item async for item in items]
    assert b"[DONE]" in rest[-1]


async def whole(exchange):
    await exchange.begin()
    await exchange.chunk(b"".join(text_frames()))
    await exchange.end()


async def test_the_head_goes_before_more_than_the_first_event_is_translated(clients):
    async with ScriptedServer(whole) as server:
        call = make_call(server.url)
        items = answer(call, clients)
        assert isinstance(await anext(items), Head)
        assert call.outcome.finish_reason is None
        pieces = [item async for item in items]
    assert len(pieces) == 1, "what came in one go is passed on in one go"
    assert text_of(pieces[0]) == "Hello there!"
    assert call.outcome.finish_reason == "stop"
    assert call.outcome.error is None


async def test_an_agent_that_leaves_at_the_head_gets_nothing_more(clients):
    async with ScriptedServer(whole) as server:
        call = make_call(server.url)
        items = answer(call, clients)
        await anext(items)
        await items.aclose()
    assert call.outcome.finish_reason is None
    assert not call.outcome.concluded


async def test_an_error_behind_the_first_event_comes_in_the_stream(clients):
    async def broken(exchange):
        await exchange.begin()
        await exchange.chunk(text_frames()[0] + error_frame())
        await exchange.end()

    async with ScriptedServer(broken) as server:
        call = make_call(server.url)
        head, (body,) = await collect(call, clients)
    assert head.status == 200
    assert data_of(body)[-1]["error"]["message"]
    assert call.outcome.error is not None


async def test_connections_are_used_again(clients):
    async with ScriptedServer(stream) as server:
        for _ in range(5):
            await collect(make_call(server.url), clients)
        assert server.connections == 1
        await asyncio.gather(*(collect(make_call(server.url), clients) for _ in range(4)))
        assert server.connections <= 4


async def test_a_connection_that_was_closed_meanwhile_is_replaced(clients):
    async def once(exchange):
        exchange.close = len(server.exchanges) == 1
        await exchange.answer(plain_answer())

    async with ScriptedServer(once) as server:
        for _ in range(3):
            head, _ = await collect(make_call(server.url, stream=False), clients)
            assert head.status == 200


async def test_a_connection_that_turns_out_to_be_closed_is_replaced_once(clients):
    async def leave_at_the_second(exchange):
        if len(server.exchanges) == 2:
            exchange.abort()
        else:
            await exchange.answer(plain_answer())

    async with ScriptedServer(leave_at_the_second) as server:
        for _ in range(2):
            head, _ = await collect(make_call(server.url, stream=False), clients)
            assert head.status == 200
        assert len(server.exchanges) == 3
        assert server.connections == 2


async def test_a_new_connection_that_fails_is_not_tried_again(clients):
    async def leave(exchange):
        exchange.abort()

    async with ScriptedServer(leave) as server:
        head, _ = await collect(make_call(server.url), clients)
        assert head.status == 502
        assert len(server.exchanges) == 1


class TestLeaving:
    """The agent goes away: the provider must learn of it at once."""

    @staticmethod
    async def leave(server, clients, after):
        items = answer(make_call(server.url), clients)
        task = asyncio.create_task(after(items))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await items.aclose()

    async def test_before_the_first_byte(self, clients):
        async def wait(exchange):
            await asyncio.sleep(60)

        async with ScriptedServer(wait) as server:
            await self.leave(server, clients, anext)
            await asyncio.wait_for(server.exchanges[0].left.wait(), 1)

    async def test_in_the_middle(self, clients):
        async def begin(exchange):
            await exchange.begin()
            await exchange.chunk(text_frames()[0])
            await asyncio.sleep(60)

        async def read(items):
            async for _ in items:
                pass

        async with ScriptedServer(begin) as server:
            await self.leave(server, clients, read)
            await asyncio.wait_for(server.exchanges[0].left.wait(), 1)

    async def test_while_connecting(self, clients):
        async def accept(reader, writer):
            accepted.set()
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
            gone.set()
            writer.close()

        accepted, gone = asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        items = answer(make_call(f"https://127.0.0.1:{port}"), clients)  # no TLS answer will come
        task = asyncio.create_task(anext(items))
        await asyncio.wait_for(accepted.wait(), 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await items.aclose()
        await asyncio.wait_for(gone.wait(), 1)
        server.close()
        await server.wait_closed()


class TestSilence:
    async def test_the_agent_is_kept_awake(self, clients):
        async with EmbeddedProvider() as provider:
            call = make_call(provider.base_url, "[[silent 0.2]] [[say Hi.]]", keep_alive=0.05)
            head, pieces = await collect(call, clients)
        assert head.status == 200
        assert pieces.count(b": keep-alive\n\n") >= 2
        assert pieces[0] == b": keep-alive\n\n"
        assert text_of(b"".join(pieces)) == "Hi."

    async def test_in_the_middle_too(self, clients):
        async def pause(exchange):
            await exchange.begin()
            for frame in text_frames():
                await exchange.chunk(frame)
                if b"there" in frame:
                    await asyncio.sleep(0.2)
            await exchange.end()

        async with ScriptedServer(pause) as server:
            _, pieces = await collect(make_call(server.url, keep_alive=0.05), clients)
        assert pieces.count(b": keep-alive\n\n") >= 2
        assert text_of(b"".join(pieces)) == "Hello there!"

    async def test_what_the_provider_says_to_itself_does_not_keep_the_agent_awake(self, clients):
        async def ping(exchange):
            await exchange.begin()
            for _ in range(10):
                await exchange.chunk(b": ping\n\n")
                await asyncio.sleep(0.02)
            for frame in text_frames():
                await exchange.chunk(frame)
            await exchange.end()

        async with ScriptedServer(ping) as server:
            _, pieces = await collect(make_call(server.url, keep_alive=0.05), clients)
        assert pieces.count(b": keep-alive\n\n") >= 2

    async def test_zero_sends_none(self, clients):
        async with EmbeddedProvider() as provider:
            call = make_call(provider.base_url, "[[silent 0.1]] [[say Hi.]]", keep_alive=0)
            _, pieces = await collect(call, clients)
        assert b": keep-alive\n\n" not in pieces

    async def test_a_silence_that_is_too_long_ends_the_stream(self, clients):
        async def stop(exchange):
            await exchange.begin()
            for frame in text_frames()[:4]:
                await exchange.chunk(frame)
            await asyncio.sleep(60)

        async with ScriptedServer(stop) as server:
            call = make_call(server.url, idle=0.1)
            _, pieces = await collect(call, clients)
            await asyncio.wait_for(server.exchanges[0].left.wait(), 1)
        last = data_of(pieces[-1])[-1]
        assert "sent nothing for 0.1 s" in last["error"]["message"]
        assert b"[DONE]" not in b"".join(pieces)
        assert call.outcome.error.kind == "timeout"

    async def test_a_promise_is_kept_with_an_error_in_the_stream(self, clients):
        async with EmbeddedProvider() as provider:
            text = "[[silent 0.1]] [[error 429 rate_limit_error]]"
            call = make_call(provider.base_url, text, keep_alive=0.03)
            head, pieces = await collect(call, clients)
        assert head.status == 200
        assert "error" in data_of(pieces[-1])[-1]
        assert call.outcome.error.kind == "rate_limit"

    async def test_a_plain_call_waits(self, clients):
        async with EmbeddedProvider() as provider:
            text = "[[silent 0.1]] [[say Hi.]]"
            call = make_call(provider.base_url, text, stream=False, keep_alive=0.03)
            head, pieces = await collect(call, clients)
        assert (head.status, len(pieces)) == (200, 1)


async def test_an_end_that_does_not_come_is_not_waited_for(clients, monkeypatch):
    monkeypatch.setattr(answering, "FAREWELL", 0.05)

    async def hold(exchange):
        await exchange.begin()
        for frame in text_frames():
            await exchange.chunk(frame)
        await asyncio.sleep(60)

    async with ScriptedServer(hold) as server:
        call = make_call(server.url)
        _, pieces = await asyncio.wait_for(collect(call, clients), 2)
    assert b"[DONE]" in pieces[-1]
    assert call.outcome.error is None


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
@pytest.mark.parametrize("wanted", ["stream", "plain", "error"])
async def test_a_compressed_answer_is_unpacked_though_nobody_asked_for_it(clients, coding, wanted):
    from tests.engine.test_encodings import ENCODERS

    documents = {
        "stream": (200, b"".join(text_frames())),
        "plain": (200, plain_answer()),
        "error": (529, error_frame().split(b"data: ")[1]),
    }
    status, body = documents[wanted]

    async def pack(exchange):
        packed = ENCODERS[coding](body)
        await exchange.begin(status, content_encoding=coding, content_type="x/y")
        for position in range(0, len(packed), 50):
            await exchange.chunk(packed[position : position + 50])
        await exchange.end()

    async with ScriptedServer(pack) as server:
        call = make_call(server.url, stream=wanted == "stream")
        head, pieces = await collect(call, clients)
        assert server.exchanges[0].headers["accept-encoding"] == "identity"
    text = b"".join(pieces)
    assert "content-encoding" not in dict(head.headers)
    assert head.status == (503 if wanted == "error" else 200)
    assert b"Overloaded" in text if wanted == "error" else b"there" in text


async def test_pieces_of_a_packed_stream_go_on_as_they_come(clients):
    async def pack(exchange):
        await exchange.begin(content_encoding="gzip")
        for frame in text_frames():
            await exchange.chunk(gzip.compress(frame))
            if b"Hello" in frame:
                await released.wait()
        await exchange.end()

    released = asyncio.Event()
    async with ScriptedServer(pack) as server:
        items = answer(make_call(server.url), clients)
        seen = b""
        async with asyncio.timeout(5):
            while not text_of(seen):
                item = await anext(items)
                seen += b"" if isinstance(item, Head) else item
            released.set()
            assert b"[DONE]" in [item async for item in items][-1]


async def test_a_mistake_of_our_own_is_an_error_for_the_agent(clients, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("a bug")

    async def hold(exchange):
        await exchange.begin()
        await exchange.chunk(text_frames()[0])
        await asyncio.sleep(60)

    async with ScriptedServer(hold) as server:
        call = make_call(server.url)
        monkeypatch.setattr(answering.StreamedAnswer, "feed", fail)
        with caplog.at_level(logging.ERROR):
            head, (body,) = await collect(call, clients)
        await asyncio.wait_for(server.exchanges[0].left.wait(), 1)
    assert head.status == 500
    assert "Detour failed" in json.loads(body)["error"]["message"]
    assert "a bug" in caplog.text
    assert "sk-provider" not in caplog.text


async def test_cookies_are_neither_kept_nor_sent(clients):
    async def cookie(exchange):
        await exchange.answer(plain_answer(), set_cookie="session=1; Path=/")

    async with ScriptedServer(cookie) as server:
        for _ in range(2):
            head, _ = await collect(make_call(server.url, stream=False), clients)
            assert "set-cookie" not in dict(head.headers)
        assert all("cookie" not in exchange.headers for exchange in server.exchanges)
