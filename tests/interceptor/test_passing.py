"""Calls that no rule applies to: they pass as they are, as they come."""

import asyncio
import gzip

import pytest

from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, running_proxy, server_context
from tests.support.rules import write_default, write_rules
from tests.support.servers import ScriptedServer

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}", "cookie": "a=b", "accept-encoding": "gzip"}
PASS = write_default("pass")


def openai_server(handler):
    return ScriptedServer(handler, server_context("api.openai.com"))


def hosts(server, name="api.openai.com"):
    return {name: server.address}


async def test_the_request_is_untouched():
    async def serve(exchange):
        await exchange.answer(b'{"a": 1}', set_cookie="c=d", x_anything="goes")

    body = gzip.compress(request_body(stream=False))
    async with (
        openai_server(serve) as server,
        running_proxy(PASS, hosts=hosts(server)) as proxy,
        proxy.client() as client,
    ):
        headers = {**KEY, "content-encoding": "gzip", "X-Odd": "Yes"}
        answer = await client.post(f"{URL}?a=b", content=body, headers=headers)
    (sent,) = server.exchanges
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/chat/completions?a=b", body)
    assert {name: sent.headers[name] for name in KEY} == KEY
    assert sent.headers["x-odd"] == "Yes"
    assert answer.content == b'{"a": 1}'
    assert answer.headers["set-cookie"] == "c=d"
    assert answer.headers["x-anything"] == "goes"


async def test_a_stream_passes_piece_by_piece_and_byte_for_byte():
    pieces = [b"data: {}\n", b"\r\n: odd\r\n\r\n", b"data: [DO", b"NE]\n\n", bytes(range(256))]
    received = asyncio.Semaphore(0)

    async def serve(exchange):
        await exchange.begin()
        for piece in pieces:
            await exchange.chunk(piece)
            await received.acquire()
        await exchange.end()

    async with (
        asyncio.timeout(5),
        openai_server(serve) as server,
        running_proxy(PASS, hosts=hosts(server)) as proxy,
        proxy.client() as client,
        client.stream("POST", URL, content=request_body(), headers=KEY) as answer,
    ):
        seen = []
        async for piece in answer.aiter_raw():
            seen.append(piece)
            received.release()
    assert seen == pieces
    assert proxy.flows[0].response.content == b"".join(pieces)


async def test_a_packed_stream_stays_packed():
    packed = gzip.compress(b"data: {}\n\n")

    async def serve(exchange):
        await exchange.begin(content_encoding="gzip")
        await exchange.chunk(packed)
        await exchange.end()

    async with (
        openai_server(serve) as server,
        running_proxy(PASS, hosts=hosts(server)) as proxy,
        proxy.client() as client,
        client.stream("POST", URL, content=request_body(), headers=KEY) as answer,
    ):
        assert b"".join([piece async for piece in answer.aiter_raw()]) == packed
    assert proxy.flows[0].response.content == b"data: {}\n\n"


@pytest.mark.parametrize(
    "path",
    ["/v1/embeddings", "/v1/models", "/v1/chat/completions/chatcmpl-1", "/v1/responses/resp_1"],
)
async def test_what_cannot_be_translated_passes_too(path):
    async def serve(exchange):
        await exchange.answer(b"{}")

    rules = write_rules()  # would send every call elsewhere
    async with (
        openai_server(serve) as server,
        running_proxy(rules, hosts=hosts(server)) as proxy,
        proxy.client() as client,
    ):
        answer = await client.get(f"https://api.openai.com{path}", headers=KEY)
        assert answer.status_code == 200
        answer = await client.post(f"https://api.openai.com{path}", json={}, headers=KEY)
        assert answer.status_code == 200
    assert [exchange.headers["authorization"] for exchange in server.exchanges] == [
        f"Bearer {AGENT_KEY}"
    ] * 2


async def test_an_upgrade_that_no_rule_could_apply_to_passes():
    async def serve(exchange):
        assert exchange.headers["upgrade"] == "websocket"
        await exchange.answer(b"{}", status=400)

    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with (
        openai_server(serve) as server,
        running_proxy(PASS, hosts=hosts(server)) as proxy,
        proxy.client() as client,
    ):
        answer = await client.get("https://api.openai.com/v1/realtime", headers={**KEY, **upgrade})
    assert answer.status_code == 400


async def test_other_hosts_are_tunnelled_unopened():
    async def serve(exchange):
        await exchange.answer(b"{}")

    async with (
        ScriptedServer(serve, server_context("other.example")) as server,
        running_proxy(PASS, hosts=hosts(server, "other.example")) as proxy,
        proxy.client() as client,
    ):
        answer = await client.get("https://other.example/")
        certificate = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
    issuer = {name: value for ((name, value),) in certificate["issuer"]}
    assert "trustme" in issuer["organizationName"]
    assert proxy.flows == []


async def test_hosts_are_opened_as_soon_as_the_rules_say_so(tmp_path):
    async def serve(exchange):
        await exchange.answer(b"{}")

    path = tmp_path / "rules.yaml"
    path.write_text(PASS)
    async with (
        ScriptedServer(serve, server_context("other.example")) as server,
        running_proxy(path, hosts=hosts(server, "other.example")) as proxy,
    ):
        async with proxy.client() as client:
            await client.get("https://other.example/")
        path.write_text(PASS[:-1] + ', "intercept": ["other.example"]}')
        async with proxy.client() as client:
            await client.get("https://other.example/")
    assert len(proxy.flows) == 1


async def test_nothing_is_asked_of_a_host_before_the_rules_have_spoken():
    async def serve(exchange):
        await exchange.answer(b"{}")

    async with (
        openai_server(serve) as server,
        running_proxy(write_default("block"), hosts=hosts(server)) as proxy,
        proxy.client() as client,
    ):
        await client.post(URL, content=request_body(), headers=KEY)
    assert server.connections == 0
