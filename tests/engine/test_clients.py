import asyncio
import contextlib
import logging

import httpcore2
import httpx2
import pytest

from addon.engine import ClientPool, clients
from addon.neutral import DetourError
from addon.providers import Timeouts
from tests.support.servers import ScriptedServer

TIMEOUTS = Timeouts(connect=5, idle=5)


async def echo(exchange):
    await exchange.answer(exchange.body)


@contextlib.asynccontextmanager
async def pooled(handler=echo):
    pool = ClientPool()
    async with ScriptedServer(handler) as server:

        async def ask(body=b"hi", headers=()):
            return await pool.open("POST", f"{server.url}/v1/x?y=z", headers, body, TIMEOUTS)

        async def whole(body=b"hi"):
            response = await ask(body)
            read = b""
            while piece := await response.read():
                read += piece
            response.close()
            return read

        pool.ask, pool.whole = ask, whole
        try:
            yield pool, server
        finally:
            await pool.aclose()


async def test_a_request_is_sent_as_it_was_meant():
    async with pooled() as (pool, server):
        response = await pool.ask(headers=(("x-one", "1"), ("x-two", "zwei \u00fc")))
        response.close()
    (sent,) = server.exchanges
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/x?y=z", b"hi")
    assert sent.headers["x-one"] == "1"
    assert sent.headers["x-two"].encode("latin-1").decode() == "zwei \u00fc"
    assert sent.headers["host"] == server.url.removeprefix("http://")


@pytest.mark.parametrize(
    "header", [("x", "sk-1\r\nb: c"), ("x y", "sk-1"), ("x", "sk-1\0"), ("", "sk-1")]
)
async def test_a_header_cannot_bring_others(header):
    async with pooled() as (pool, server):
        with pytest.raises(DetourError, match="cannot be sent") as caught:
            await pool.ask(headers=(header,))
        assert "sk-1" not in str(caught.value)
        assert server.exchanges == []


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://host/x", httpcore2.UnsupportedProtocol),
        ("https:///x", httpx2.InvalidURL),
        ("https://[::1/x", httpx2.InvalidURL),
        ("/x", httpcore2.UnsupportedProtocol),
    ],
)
async def test_what_is_no_address_is_not_called(url, error):
    pool = ClientPool()
    with pytest.raises(error):
        await pool.open("POST", url, (), b"", TIMEOUTS)
    await pool.aclose()


async def test_a_connection_serves_call_after_call():
    async with pooled() as (pool, server):
        for body in (b"one", b"two", b"three"):
            assert await pool.whole(body) == body
        assert server.connections == 1


async def test_calls_at_a_time_have_a_connection_each():
    async with pooled() as (pool, server):
        assert await asyncio.gather(*(pool.whole(b"%d" % i) for i in range(5))) == [
            b"%d" % i for i in range(5)
        ]
        assert server.connections == 5
        await pool.whole()
        assert server.connections == 5


async def test_an_answer_that_nobody_read_to_its_end_ends_its_connection():
    async with pooled() as (pool, server):
        response = await pool.ask(b"x" * 1000)
        response.close()
        response.close()
        assert await pool.whole() == b"hi"
        assert server.connections == 2


async def test_a_connection_that_was_closed_meanwhile_is_replaced():
    async def once(exchange):
        await exchange.answer(exchange.body)
        exchange.close = True

    async with pooled(once) as (pool, server):
        for _ in range(3):
            assert await pool.whole() == b"hi"
            await asyncio.sleep(0.01)
        assert server.connections == 3


async def test_a_connection_that_closes_at_the_next_request_is_replaced_once():
    seen = 0

    async def forgetful(exchange):
        nonlocal seen
        seen += 1
        if seen == 2 or exchange.body == b"never":
            exchange.abort()
        else:
            await exchange.answer(exchange.body)

    async with pooled(forgetful) as (pool, _):
        assert await pool.whole() == b"hi"
        assert await pool.whole() == b"hi"
        assert seen == 3
        with pytest.raises((httpcore2.NetworkError, httpcore2.RemoteProtocolError)):
            await pool.whole(b"never")
        assert seen == 5
        with pytest.raises((httpcore2.NetworkError, httpcore2.RemoteProtocolError)):
            await pool.whole(b"never")
        assert seen == 6  # on a new connection, it may have been looked at


async def test_connections_are_not_kept_for_ever(monkeypatch):
    async with pooled() as (pool, server):
        monkeypatch.setattr(clients, "IDLE_EXPIRY", 0.0)
        await pool.whole()
        await pool.whole()
        assert server.connections == 2
        monkeypatch.setattr(clients, "IDLE_EXPIRY", 60.0)
        monkeypatch.setattr(clients, "MOST_IDLE", 2)
        await asyncio.gather(*(pool.whole() for _ in range(4)))
        assert sum(map(len, pool._idle.values())) == 2


async def test_closing_the_pool_ends_what_is_under_way():
    async def slow(exchange):
        await exchange.begin()
        await exchange.left.wait()

    async with pooled(slow) as (pool, _):
        response = await pool.ask()
        reading = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        await pool.aclose()
        with pytest.raises((httpcore2.NetworkError, httpcore2.ProtocolError)):
            await asyncio.wait_for(reading, 1)
        response.close()
        assert not pool._idle


async def test_a_refusal_of_what_was_not_taken_whole_is_heard():
    """Such as 413: a server that does not read on, says so and closes."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too large\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await reader.read(100_000_000)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    pool = ClientPool()
    response = await pool.open("POST", f"http://{host}:{port}/", (), b"x" * 5_000_000, TIMEOUTS)
    assert (response.status, await response.read()) == (413, b"no")
    response.close()
    await pool.aclose()
    server.close()
    await server.wait_closed()


async def test_a_provider_that_does_not_take_the_request_is_not_waited_for():
    async def serve(reader, writer):
        await asyncio.sleep(5)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1024)
    host, port = server.sockets[0].getsockname()
    pool = ClientPool()
    timeouts = Timeouts(connect=5, idle=0.05)
    with pytest.raises(httpcore2.WriteTimeout):
        await pool.open("POST", f"http://{host}:{port}/", (), b"x" * 50_000_000, timeouts)
    await pool.aclose()
    server.close()


async def test_the_pool_keeps_quiet_where_everything_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    async with pooled() as (pool, _):
        assert await pool.whole() == b"hi"
    assert not [record for record in caplog.records if record.name.startswith("http")]
