import asyncio
import contextlib
import selectors
import socket
from unittest import mock

import pytest

from addon.engine import network

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
    writers = []

    async def connect(*places):
        with resolve_to(*places):
            _, writer = await network.connect("server.example", 443)
        writers.append(writer)
        return writer.get_extra_info("peername")

    yield connect
    for writer in writers:
        writer.transport.abort()
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
        found = await network.resolve("server.example", 1)
    assert [host for host, _ in found] == ["::1", "127.0.0.1", "::2", "127.0.0.2", "127.0.0.3"]


async def test_cancelling_closes_everything(tasks, server):
    with resolve_to(server):
        for turns in range(6):
            task = asyncio.create_task(network.connect("server.example", 443))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if not isinstance(result, BaseException):
                result[1].transport.abort()
    await asyncio.sleep(0.05)  # an open socket would be reported as a warning


class Writer:
    """Notes what is sent in one go."""

    def __init__(self):
        self.sent = []
        self.transport = self

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return False

    def write(self, data):
        self.sent.append(data)


async def test_the_head_of_a_request_goes_with_what_follows_it():
    writer = Writer()
    stream = network.Stream(asyncio.StreamReader(), writer)
    head, body = b"POST / HTTP/1.1\r\n\r\n", b"ends as a head does\r\n\r\n"
    await stream.write(head)
    assert writer.sent == []
    await stream.write(body)
    assert writer.sent == [head + body]
    await stream.write(b"more")
    await stream.write(head)
    await stream.write(b"")
    assert writer.sent == [head + body, b"more", head]


async def test_nothing_to_write_does_not_keep_the_loop_busy(server):
    reader, writer = await asyncio.open_connection(*server)
    stream = network.Stream(reader, writer)
    for piece in (b"POST / HTTP/1.1\r\n\r\n", b"body", b"", b""):
        await stream.write(piece)
    key = asyncio.get_running_loop()._selector.get_key(stream.get_extra_info("socket").fileno())
    assert not key.events & selectors.EVENT_WRITE
    writer.close()
    await writer.wait_closed()
