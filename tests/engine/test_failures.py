import json
import socket

import httpcore2
import pytest

from addon.engine import ClientPool, TlsSettings
from addon.engine.encodings import EncodingError
from addon.engine.failures import explain
from addon.engine.silence import ProviderTimeoutError
from addon.neutral import ProviderResponseError
from tests.support.calls import collect, make_call
from tests.support.proxy import authority, resolving, server_context
from tests.support.servers import ScriptedServer
from tests.support.streams import text_frames


async def silent(exchange):
    await exchange.left.wait()


async def error_of(call, clients=None):
    """What the agent is told, as status and message."""
    head, pieces = await collect(call, clients)
    document = json.loads(b"".join(pieces))
    assert head.status == call.outcome.status
    assert call.outcome.error is not None
    return head.status, document["error"]["message"]


async def test_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    status, message = await error_of(make_call(f"http://127.0.0.1:{port}"))
    assert status == 502
    assert f"Anthropic (127.0.0.1:{port}) refused the connection" in message


async def test_the_name_does_not_exist():
    with resolving({}):
        status, message = await error_of(make_call("https://nowhere.example"))
    assert status == 502
    assert "The name of Anthropic (nowhere.example) cannot be resolved" in message


async def test_the_certificate_is_not_trusted():
    async with ScriptedServer(silent, server_context("127.0.0.1")) as server:
        status, message = await error_of(make_call(server.url))
    assert status == 502
    assert "certificate of Anthropic (127.0.0.1:" in message
    assert "ssl_verify_upstream_trusted_ca" in message


async def test_the_certificate_is_for_another_name(tmp_path):
    authority().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    pool = ClientPool(TlsSettings(str(tmp_path / "ca.pem")))
    async with ScriptedServer(silent, server_context("other.example")) as server:
        status, message = await error_of(make_call(server.url), pool)
    await pool.aclose()
    assert status == 502
    assert "is not trusted" in message


async def test_the_server_does_not_speak_tls():
    async def nonsense(exchange):
        pass

    async with ScriptedServer(nonsense) as server:
        url = server.url.replace("http:", "https:")
        call = make_call(url, connect=0.3)
        status, message = await error_of(call)
    assert status == 502
    assert "http://" in message or "did not accept" in message


async def test_the_connection_is_not_accepted():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with socket.create_connection(address), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(address)
            call = make_call(f"http://127.0.0.1:{address[1]}", connect=0.1)
            status, message = await error_of(call)
    assert status == 502
    assert "did not accept a connection within 0.1 s" in message


@pytest.mark.parametrize("stream", [True, False])
async def test_the_provider_is_silent(stream):
    async with ScriptedServer(silent) as server:
        call = make_call(server.url, stream=stream, first_byte=0.05)
        status, message = await error_of(call)
    assert status == 504
    assert "did not begin to answer within 0.05 s" in message
    assert "timeouts.first_byte" in message


async def test_the_provider_leaves_without_a_word():
    async def leave(exchange):
        exchange.abort()

    async with ScriptedServer(leave) as server:
        status, message = await error_of(make_call(server.url))
    assert status == 502
    assert "closed the connection before" in message


async def test_the_answer_breaks_off_in_the_middle():
    async def cut(exchange):
        await exchange.send(b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"a":')
        exchange.abort()

    async with ScriptedServer(cut) as server:
        status, message = await error_of(make_call(server.url, stream=False))
    assert status == 502
    assert "before its answer was whole" in message


async def test_the_answer_is_not_http():
    async def chat(exchange):
        await exchange.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")

    async with ScriptedServer(chat) as server:
        status, message = await error_of(make_call(server.url))
    assert status == 500
    assert "does not speak HTTP" in message


async def test_the_answer_cannot_be_unpacked():
    async def lie(exchange):
        await exchange.answer(b"not gzip at all", content_encoding="gzip")

    async with ScriptedServer(lie) as server:
        status, message = await error_of(make_call(server.url, stream=False))
    assert status == 500
    assert "not valid gzip" in message


async def test_the_base_url_is_none():
    for url in ("ftp://example.com", "http://[::1", "http://host:port"):
        status, message = await error_of(make_call(url))
        assert status == 500
        assert "base_url of provider anthropic" in message


async def test_the_total_is_limited_too():
    async def drip(exchange):
        await exchange.begin()
        for frame in text_frames(["x"] * 1000):
            await exchange.chunk(frame)
            await exchange.chunk(b": ping\n\n")
        await exchange.left.wait()

    async with ScriptedServer(drip) as server:
        call = make_call(server.url, total=0.3, idle=9)
        head, pieces = await collect(call)
    assert head.status == 200
    assert call.outcome.error is None  # all had come; only the end of the body had not
    assert b"[DONE]" in pieces[-1]


@pytest.mark.parametrize(
    "failure",
    [
        ProviderTimeoutError("first_byte", 1),
        ProviderTimeoutError("idle", 1),
        ProviderTimeoutError("total", 1),
        EncodingError("x"),
        ProviderResponseError("x"),
        httpcore2.WriteTimeout("x"),
        httpcore2.UnsupportedProtocol("x"),
        httpcore2.ConnectError("x"),
        httpcore2.ReadError("x"),
        httpcore2.ProxyError("x"),
        OSError(5, "x"),
    ],
)
def test_every_failure_has_words(failure):
    error = explain(failure, make_call("https://provider.example"))
    assert error.message
    assert error.kind in ("timeout", "server_error", "unreachable", "cut")


def test_a_proxy_that_refuses_is_named():
    failure = httpcore2.ConnectError("x")
    failure.__cause__ = httpcore2.ProxyError("the proxy answered 407")
    error = explain(failure, make_call("https://provider.example"))
    assert error.kind == "unreachable"
    assert "proxy on the way does not connect to Anthropic" in error.message
    assert "answered 407" in error.message
