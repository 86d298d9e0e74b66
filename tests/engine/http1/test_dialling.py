import asyncio
import contextlib
import socket
import ssl
from unittest import mock

import httpcore2
import pytest

from addon.engine.http1 import HttpProxy, dialling
from tests.support.proxy import authority, server_context
from tests.support.servers import ScriptedServer

UNREACHABLE = ("127.0.0.1", 1)


def resolve_to(*places):
    found = [
        (socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_STREAM, 6, "", place)
        for place in places
    ]

    async def getaddrinfo(*_, **__):
        return found

    return mock.patch.object(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


@pytest.fixture(params=[None, asyncio.eager_task_factory], ids=["lazy", "eager"])
async def tasks(request):
    """Both ways in which tasks begin: mitmproxy has them begin at once."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(request.param)
    yield
    loop.set_task_factory(None)


@pytest.fixture
async def server():
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()
    server.close()
    await server.wait_closed()


@pytest.fixture
async def connected(tasks, server):
    """Connects to `server.example`, and closes."""
    connections = []

    async def connect(*places):
        with resolve_to(*places):
            connection = await dialling.first_of("server.example", 443)
        connections.append(connection)
        return connection.transport.get_extra_info("peername")

    yield connect
    for connection in connections:
        connection.abort()
        await asyncio.sleep(0)


async def test_the_address_that_answers_is_taken(connected, server):
    assert await connected(UNREACHABLE, server) == server


async def test_an_address_that_says_nothing_does_not_hold_up_the_next(connected, server):
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(0)
    fillers = [socket.socket() for _ in range(2)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(silent.getsockname())
    async with asyncio.timeout(2):
        assert await connected(silent.getsockname(), server) == server
    for each in (silent, *fillers):
        each.close()


async def test_the_first_error_is_told_when_none_answers(connected):
    with pytest.raises(ConnectionRefusedError):
        await connected(UNREACHABLE, UNREACHABLE)


async def test_the_two_kinds_take_turns():
    places = [("::1", 1), ("::2", 1), ("127.0.0.1", 1), ("127.0.0.2", 1), ("127.0.0.3", 1)]
    with resolve_to(*places):
        found = await dialling.resolve("server.example", 1)
    assert [host for host, _ in found] == ["::1", "127.0.0.1", "::2", "127.0.0.2", "127.0.0.3"]


async def test_cancelling_closes_everything(tasks, server):
    with resolve_to(server):
        for turns in range(6):
            task = asyncio.create_task(dialling.first_of("server.example", 443))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if not isinstance(result, BaseException):
                result.abort()
    await asyncio.sleep(0.05)  # an open socket would be reported as a warning


async def test_a_handshake_that_is_cancelled_leaves_no_socket(server):
    context = ssl.create_default_context()
    for turns in range(6):
        task = asyncio.create_task(dialling.dial(*server, context))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, httpcore2.ConnectError)):
            await task
    await asyncio.sleep(0.05)  # an open socket would be reported as a warning


async def test_a_handshake_takes_no_longer_than_it_may(server):
    with pytest.raises(httpcore2.ConnectTimeout):
        await dialling.dial(*server, ssl.create_default_context(), patience=0.05)


class Proxy:
    """A proxy that connects wherever it is asked to, or says why not."""

    def __init__(self, refusal=b""):
        self.refusal = refusal
        self.asked = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.address = self.server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        if self.refusal:
            writer.write(self.refusal)
            writer.close()
            return
        host, _, port = head.split(" ")[1].rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def copy(source, target):
            while data := await source.read(65536):
                target.write(data)
            target.close()

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(copy(reader, back), copy(there, writer))


@pytest.fixture
def trust():
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


async def test_through_a_proxy_by_a_tunnel(trust):
    async def answer(exchange):
        await exchange.answer(exchange.body)

    async with (
        ScriptedServer(answer, server_context("127.0.0.1")) as server,
        Proxy() as proxy,
    ):
        host, port = server.address
        way = HttpProxy(host=proxy.address[0], port=proxy.address[1], authorization="Basic eA==")
        connection = await dialling.dial(host, port, trust, way, patience=5)
        request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        answered = await connection.send(request, 5)
        assert (answered.status, await answered.read(), await answered.read()) == (200, b"hi", b"")
        answered.close()
        assert connection.is_free
        connection.abort()
    (asked,) = proxy.asked
    assert asked.splitlines() == [
        f"CONNECT {host}:{port} HTTP/1.1",
        f"Host: {host}:{port}",
        "Proxy-Authorization: Basic eA==",
        "",
    ]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (b"HTTP/1.1 407 Who are you\r\ncontent-length: 2\r\n\r\nno", "the proxy answered 407"),
        (b"nonsense", "Expected HTTP"),
        (b"HTTP/1.1", "closed without an answer"),
    ],
)
async def test_a_proxy_that_refuses(trust, refusal, reason):
    async with Proxy(refusal) as proxy:
        way = HttpProxy(host=proxy.address[0], port=proxy.address[1])
        with pytest.raises(httpcore2.ConnectError, match=reason):
            await dialling.dial("provider.example", 443, trust, way, patience=5)
