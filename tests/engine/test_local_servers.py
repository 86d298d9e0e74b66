import asyncio
import json

import pytest

from addon.engine import (
    ClientPool,
    ListError,
    LocalServers,
    ModelLists,
    fetch_models,
    local_servers,
)
from addon.providers import BUILT_IN, Provider
from tests.support.servers import ScriptedServer

LOCAL = BUILT_IN["local"]


def listing(*names):
    async def handler(exchange):
        await exchange.answer(json.dumps({"data": [{"id": name} for name in names]}).encode())

    return handler


async def web_page(exchange):
    await exchange.answer(b"<html>my web site</html>", content_type="text/html")


async def nothing(exchange):
    await exchange.left.wait()


@pytest.fixture
async def clients():
    pool = ClientPool()
    yield pool
    await pool.aclose()


def ports(monkeypatch, *servers):
    numbers = {server.address[1]: "server" for server in servers}
    monkeypatch.setattr(local_servers, "PORTS", numbers)


async def test_what_runs_here_is_found_with_its_models(monkeypatch, clients):
    async with (
        ScriptedServer(web_page) as page,
        ScriptedServer(listing("qwen3")) as first,
        ScriptedServer(listing("qwen3", "gemma")) as second,
    ):
        ports(monkeypatch, page, first, second)
        found = await LocalServers().find(LOCAL, clients)
    assert found.models == ("qwen3", "gemma")
    assert found.base_urls == {"openai-chat": f"{first.url}/v1"}
    assert found.places == {"qwen3": f"{first.url}/v1", "gemma": f"{second.url}/v1"}


async def test_where_nothing_runs_the_provider_stays_as_it_is(monkeypatch, clients):
    async with ScriptedServer(listing("x")) as gone:
        ports(monkeypatch, gone)
    assert await LocalServers().find(LOCAL, clients) is LOCAL


async def test_what_never_answers_does_not_hold_calls_up(monkeypatch, clients):
    monkeypatch.setattr(local_servers, "PATIENCE", 0.05)
    async with ScriptedServer(nothing) as silent, ScriptedServer(listing("a")) as server:
        ports(monkeypatch, silent, server)
        async with asyncio.timeout(2):
            assert (await LocalServers().find(LOCAL, clients)).models == ("a",)


async def test_they_are_asked_once_in_a_while(monkeypatch, clients):
    async with ScriptedServer(listing("a")) as server:
        ports(monkeypatch, server)
        servers = LocalServers()
        await asyncio.gather(*(servers.find(LOCAL, clients) for _ in range(5)))
        assert len(server.exchanges) == 1
        monkeypatch.setattr(local_servers, "SHELF_LIFE", 0)
        servers = LocalServers()
        await servers.find(LOCAL, clients)
        await servers.find(LOCAL, clients)
        assert len(server.exchanges) == 3


def office(url, **fields):
    return Provider(id="office", title="Office", base_urls={"openai-chat": f"{url}/v1"}, **fields)


async def test_a_list_is_kept_also_for_when_the_provider_is_down(monkeypatch, clients):
    from addon.engine import model_lists

    lists = ModelLists()
    async with ScriptedServer(listing("a")) as server:
        provider = office(server.url)
        assert [m.id for m in await lists.of(provider, "key", clients)] == ["a"]
        assert [m.id for m in await lists.of(provider, "key", clients)] == ["a"]
        assert len(server.exchanges) == 1
        monkeypatch.setattr(model_lists, "SHELF_LIFE", 0)
        with pytest.raises(ListError):
            await lists.of(office("http://127.0.0.1:9"), "key", clients)
    lists = ModelLists()
    async with ScriptedServer(listing("a")) as server:
        provider = office(server.url)
        await lists.of(provider, "key", clients)
    assert [m.id for m in await lists.of(provider, "key", clients)] == ["a"]


async def test_what_goes_wrong_is_said(clients):
    async def refuse(exchange):
        await exchange.answer(b'{"error": {"message": "who are you?"}}', 401)

    async with ScriptedServer(refuse) as server, ScriptedServer(web_page) as page:
        with pytest.raises(ListError, match=r"Office answers 401: who are you\?"):
            await fetch_models(office(server.url), "key", clients)
        with pytest.raises(ListError, match="Office gives no list of models"):
            await fetch_models(office(page.url), "key", clients)
    with pytest.raises(ListError, match="Office cannot be reached"):
        await fetch_models(office("http://127.0.0.1:9"), "key", clients)
