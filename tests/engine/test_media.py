from __future__ import annotations

import asyncio
import base64
import contextlib

import pytest

from addon.engine import MediaConnections, MediaFetcher, ProxySettings, TlsSettings
from addon.engine import media as media_module
from addon.engine.addresses import is_public
from addon.engine.media_errors import MediaError
from addon.providers import MediaPolicy
from addon.vault import MemoryVault
from tests.support.proxy import configuration_folder, resolving, server_context
from tests.support.servers import ScriptedServer

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20
PDF = b"%PDF-1.7\n" + b"words" * 20
HOST = "pictures.example"
POLICY = MediaPolicy()


@contextlib.asynccontextmanager
async def fetching(handler, *, permits=lambda address: True, vault=None, tls=True, proxy=None):
    """Serve media at `pictures.example` and all its neighbours."""
    context = server_context(HOST, "other.example") if tls else None
    settings = TlsSettings(str(configuration_folder() / "servers.pem"))
    async with ScriptedServer(handler, tls=context) as server:
        hosts = dict.fromkeys((HOST, "other.example", "wrong.example"), server.address)
        with resolving(hosts):
            connections = MediaConnections(settings, proxy, permits)
            yield MediaFetcher(connections, vault or MemoryVault()), server


async def serve(exchange):
    kind = exchange.path.partition("?")[0].rpartition(".")[2]
    body = {"png": PNG, "pdf": PDF, "txt": b"some words"}.get(kind)
    if body is None:
        await exchange.answer(b"gone", 404)
    else:
        content_type = "text/plain; charset=utf-8" if kind == "txt" else "application/octet-stream"
        await exchange.answer(body, content_type=content_type)


async def get(fetcher, url, kind="image", policy=POLICY):
    return (await fetcher.fetch({url: kind}, policy))[url]


async def refusal(fetcher, url, kind="image", policy=POLICY):
    with pytest.raises(MediaError) as caught:
        await fetcher.fetch({url: kind}, policy)
    return str(caught.value)


async def test_media_are_what_they_are():
    async with fetching(serve) as (fetcher, server):
        wanted = {
            f"https://{HOST}/a.png?token=s": "image",
            f"https://{HOST}/b.pdf": "file",
            f"https://{HOST}/c.txt": "file",
        }
        media = await fetcher.fetch(wanted, POLICY)
        assert [found.media_type for found in media.values()] == [
            "image/png",
            "application/pdf",
            "text/plain",
        ]
        assert list(media) == list(wanted)
        assert base64.b64decode(media[f"https://{HOST}/a.png?token=s"].data) == PNG
        paths = {exchange.path for exchange in server.exchanges}
        assert paths == {"/a.png?token=s", "/b.pdf", "/c.txt"}
        for exchange in server.exchanges:
            assert exchange.method == "GET"
            assert exchange.headers["host"] == HOST
            assert not {"authorization", "cookie", "content-length"} & exchange.headers.keys()


async def test_an_address_stays_what_it_was_also_after_a_restart():
    vault = MemoryVault()
    async with fetching(serve, vault=vault) as (fetcher, server):
        first = await get(fetcher, f"https://{HOST}/a.png")
        assert await get(fetcher, f"https://{HOST}/a.png") == first
        assert len(server.exchanges) == 1
    async with fetching(serve, vault=vault) as (fetcher, server):
        assert await get(fetcher, f"https://{HOST}/a.png") == first
        assert server.exchanges == []


async def test_old_media_make_room(monkeypatch):
    monkeypatch.setattr("addon.engine.media_memory.MOST_REMEMBERED", 500)
    monkeypatch.setattr("addon.engine.media_memory.MOST_STORED", 10)
    async with fetching(serve) as (fetcher, server):
        for name in ("a", "b", "c", "a"):
            await get(fetcher, f"https://{HOST}/{name}.png")
        await get(fetcher, f"https://{HOST}/a.png")
        assert [exchange.path for exchange in server.exchanges] == [
            "/a.png",
            "/b.png",
            "/c.png",
            "/a.png",
        ]


async def test_redirects_are_followed_a_few_times():
    async def redirect(exchange):
        left = int(exchange.path[1:].partition(".")[0])
        if left == 0:
            await serve(exchange)
        else:
            place = f"https://other.example/{left - 1}.png" if left % 2 else f"/{left - 1}.png"
            await exchange.answer(b"", 302, location=place)

    async with fetching(redirect) as (fetcher, _):
        assert (await get(fetcher, f"https://{HOST}/3.png")).media_type == "image/png"
        assert "redirects more than 3 times" in await refusal(fetcher, f"https://{HOST}/4.png")


@pytest.mark.parametrize("place", ["http://other.example/a.png", "file:///etc/passwd", "ftp://x/"])
async def test_redirects_stay_within_https(place):
    async def redirect(exchange):
        await exchange.answer(b"", 302, location=place)

    async with fetching(redirect) as (fetcher, server):
        assert "it is not https" in await refusal(fetcher, f"https://{HOST}/a.png")
        assert len(server.exchanges) == 1


async def test_private_addresses_are_not_connected_to():
    async with fetching(serve, permits=is_public) as (fetcher, server):
        for place in (HOST, f"127.0.0.1:{server.address[1]}", "[::1]", "169.254.169.254"):
            message = await refusal(fetcher, f"https://{place}/a.png")
            assert "not in the open internet" in message
        assert server.connections == 0
        policy = MediaPolicy(allow_private=True)
        assert await get(fetcher, f"https://{HOST}/a.png", policy=policy)


async def test_redirects_into_the_network_are_not_followed():
    looked_at = []

    def first_only(address):
        looked_at.append(address)
        return len(looked_at) == 1

    async def redirect(exchange):
        await exchange.answer(b"", 307, location="https://other.example/a.png")

    async with fetching(redirect, permits=first_only) as (fetcher, server):
        message = await refusal(fetcher, f"https://{HOST}/a.png?token=secret")
        assert "not in the open internet" in message
        assert "secret" not in message
        assert server.connections == 1


async def test_what_was_looked_at_is_what_is_connected_to(monkeypatch):
    """A name that means something else a moment later leads nowhere."""
    async with fetching(serve) as (fetcher, _):
        answers = iter([[("127.0.0.1", 1)]])

        async def resolve(host, port):
            return next(answers)

        monkeypatch.setattr("addon.engine.http1.dialling.resolve", resolve)
        assert "could not be reached" in await refusal(fetcher, f"https://{HOST}/a.png")
        assert next(answers, None) is None


async def test_http_must_be_allowed():
    async with fetching(serve, tls=False) as (fetcher, server):
        message = await refusal(fetcher, f"http://{HOST}/a.png")
        assert "media.allow_http" in message
        assert server.connections == 0
        policy = MediaPolicy(allow_http=True)
        assert await get(fetcher, f"http://{HOST}/a.png", policy=policy)


@pytest.mark.parametrize("chunked", [False, True])
async def test_each_has_a_limit(chunked):
    async def endless(exchange):
        if not chunked:
            await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n")
        else:
            await exchange.begin(content_type="image/png")
        while not exchange.left.is_set():
            data = b"x" * 10_000
            await (exchange.chunk(data) if chunked else exchange.send(data))

    async with fetching(endless) as (fetcher, _):
        message = await refusal(fetcher, f"https://{HOST}/a.png", policy=MediaPolicy(max_mb=0.05))
        assert "exceeds 0.05 MB" in message


async def test_all_together_have_one_too():
    async def large(exchange):
        await exchange.answer(PNG + b"x" * 40_000)

    async with fetching(large) as (fetcher, _):
        wanted = {f"https://{HOST}/{number}.png": "image" for number in range(3)}
        with pytest.raises(MediaError, match="all together twice that"):
            await fetcher.fetch(wanted, MediaPolicy(max_mb=0.05))
        many = {f"https://{HOST}/{number}.png": "image" for number in range(21)}
        with pytest.raises(MediaError, match="more than 20"):
            await fetcher.fetch(many, POLICY)


async def test_only_a_few_are_fetched_at_once():
    under_way, most = 0, 0

    async def slow(exchange):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        await serve(exchange)

    async with fetching(slow) as (fetcher, _):
        wanted = {f"https://{HOST}/{number}.png": "image" for number in range(15)}
        assert len(await fetcher.fetch(wanted, POLICY)) == 15
    assert 1 < most <= media_module.MOST_AT_ONCE


async def test_patience_has_an_end(monkeypatch):
    monkeypatch.setattr(media_module, "PATIENCE", 0.05)

    async def silent(exchange):
        await asyncio.sleep(5)

    async with fetching(silent) as (fetcher, server):
        assert "took too long" in await refusal(fetcher, f"https://{HOST}/a.png")
        await asyncio.sleep(0.05)
        assert server.exchanges[0].left.is_set()


@pytest.mark.parametrize(
    ("url", "kind", "reason"),
    [
        (f"https://{HOST}/none?token=secret", "image", "it answered 404"),
        (f"https://{HOST}/a.pdf", "image", "it is application/pdf, not a picture"),
        (f"https://{HOST}/a.png", "file", "it is image/png, not a PDF or a text"),
        ("https://nowhere.example/a.png?token=secret", "image", "name cannot be resolved"),
        ("https://wrong.example/a.png", "image", "certificate is not trusted"),
        ("https://[::1/a.png", "image", "not a URL"),
        ("https:///a.png", "image", "not a URL"),
    ],
)
async def test_reasons_are_plain_and_hold_no_secret(url, kind, reason):
    async with fetching(serve) as (fetcher, _):
        message = await refusal(fetcher, url, kind)
        assert reason in message
        assert "secret" not in message
        if ".example" in url:
            assert url.split("/")[2].split(":")[0] in message


async def test_a_page_is_no_picture():
    async def page(exchange):
        await exchange.answer(b"<html>Sign in</html>", content_type="image/png")

    async with fetching(page) as (fetcher, _):
        assert "no picture" in await refusal(fetcher, f"https://{HOST}/a.png")


async def test_a_proxy_in_between_is_used_but_not_for_private_hosts():
    asked = []

    async def proxy(exchange):
        asked.append(f"{exchange.method} {exchange.path}")
        await exchange.answer(b"no", 403)

    async with ScriptedServer(proxy) as server:
        settings = ProxySettings(server.url, "Basic abc")
        async with fetching(serve, permits=is_public, proxy=settings) as (fetcher, _):
            message = await refusal(fetcher, "https://known.to.the.proxy/a.png")
            assert "could not be reached" in message
            assert asked == ["CONNECT known.to.the.proxy:443"]
            assert "not in the open" in await refusal(fetcher, f"https://{HOST}/a.png")
            assert "not in the open" in await refusal(fetcher, "https://127.0.0.1/a.png")
            assert len(asked) == 1
