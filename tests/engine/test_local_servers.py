import asyncio
import json

import pytest
from msgspec.structs import replace

from addon.engine import ClientPool, LocalServers, local_servers
from addon.providers import BUILT_IN, ModelFacts, ModelServer
from tests.support.servers import ScriptedServer

LOCAL = BUILT_IN["local"]


def listing(*names, **fields):
    async def handler(exchange):
        if exchange.path != "/v1/models":
            await exchange.answer(b"{}", 404)
            return
        entries = [{"id": name, **fields} for name in names]
        await exchange.answer(json.dumps({"data": entries}).encode())

    return handler


async def web_page(exchange):
    await exchange.answer(b"<html>my web site</html>", content_type="text/html")


async def nothing(exchange):
    await exchange.left.wait()


async def loading(exchange):
    error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
    await exchange.answer(json.dumps({"error": error}).encode(), 503)


@pytest.fixture
async def clients():
    pool = ClientPool()
    yield pool
    await pool.aclose()


@pytest.fixture
async def servers():
    servers = LocalServers()
    yield servers
    servers.stop()


def port(server):
    return server.address[1]


def ports(monkeypatch, *servers):
    monkeypatch.setattr(local_servers, "PORTS", {port(server): "server" for server in servers})


def hurry(monkeypatch):
    for name in ("PRESENT", "ABSENT", "OTHER"):
        monkeypatch.setattr(local_servers, name, 0)


async def test_what_runs_here_is_found_with_its_models(monkeypatch, clients, servers):
    async with (
        ScriptedServer(web_page) as page,
        ScriptedServer(listing("qwen3")) as first,
        ScriptedServer(listing("qwen3", "gemma")) as second,
    ):
        ports(monkeypatch, page, first, second)
        found = await servers.find(LOCAL, clients)
    assert found.models == ("qwen3", "gemma")
    assert found.base_urls == {"openai-chat": f"{first.url}/v1"}
    assert found.servers == {
        "qwen3": ModelServer("server", f"{first.url}/v1", "local"),
        "gemma": ModelServer("server", f"{second.url}/v1", "local"),
    }
    assert found.at("gemma").base_urls == {"openai-chat": f"{second.url}/v1"}
    assert found.at("qwen3").base_urls == found.at("unknown").base_urls == found.base_urls


async def test_where_nothing_runs_the_provider_stays_as_it_is(monkeypatch, clients, servers):
    async with ScriptedServer(listing("x")) as gone:
        monkeypatch.setattr(local_servers, "PORTS", {8080: "llama.cpp", port(gone): "x"})
    assert await servers.find(LOCAL, clients, {8080}) == replace(
        LOCAL, base_urls={"openai-chat": f"http://127.0.0.1:{port(gone)}/v1"}
    )


async def test_what_never_answers_holds_one_call_up_and_no_other(monkeypatch, clients, servers):
    monkeypatch.setattr(local_servers, "PATIENCE", 0.3)
    monkeypatch.setattr(local_servers, "PRESENT", 0)
    async with ScriptedServer(nothing) as silent, ScriptedServer(listing("a")) as server:
        ports(monkeypatch, silent, server)
        clock = asyncio.get_running_loop().time
        took = []
        for _ in range(4):
            began = clock()
            assert (await servers.find(LOCAL, clients)).models == ("a",)
            took.append(clock() - began)
        assert took[0] >= 0.3
        assert max(took[1:]) < 0.3
        assert len(silent.exchanges) == 1


async def test_a_server_that_is_busy_is_not_forgotten(monkeypatch, clients, servers):
    hurry(monkeypatch)
    monkeypatch.setattr(local_servers, "PATIENCE", 0.05)
    monkeypatch.setattr(local_servers, "PERSEVERANCE", 0.1)
    async with ScriptedServer(listing("a")) as server:
        ports(monkeypatch, server)
        assert (await servers.find(LOCAL, clients)).models == ("a",)
        server.handler = nothing
        for _ in range(4):
            assert (await servers.find(LOCAL, clients)).models == ("a",)
            await asyncio.sleep(0.06)
        server.handler = listing("b")
        for _ in range(100):
            await asyncio.sleep(0.01)
            if (await servers.find(LOCAL, clients)).models == ("b",):
                break
        else:
            pytest.fail("it is not asked again")


async def test_servers_come_and_go(monkeypatch, clients, servers):
    hurry(monkeypatch)
    async with ScriptedServer(listing("a")) as server:
        ports(monkeypatch, server)
        assert (await servers.find(LOCAL, clients)).models == ("a",)
        server.handler = listing("a", "pulled meanwhile")
        assert (await servers.find(LOCAL, clients)).models == ("a", "pulled meanwhile")
        server.handler = loading
        assert (await servers.find(LOCAL, clients)).models == ()
        server.handler = listing("b")
        assert (await servers.find(LOCAL, clients)).models == ("b",)
    assert (await servers.find(LOCAL, clients)).models == ()


@pytest.mark.parametrize(
    ("handler", "life"), [(listing("a"), "PRESENT"), (loading, "ABSENT"), (web_page, "OTHER")]
)
async def test_they_are_asked_once_in_a_while(monkeypatch, clients, servers, handler, life):
    async with ScriptedServer(handler) as server:
        ports(monkeypatch, server)
        await asyncio.gather(*(servers.find(LOCAL, clients) for _ in range(5)))
        first = await servers.find(LOCAL, clients)
        assert await servers.find(LOCAL, clients) is first  # and nothing is computed anew
        assert servers.known(LOCAL) is first
        assert servers.known(replace(LOCAL, title="another")) is None
        assert len(server.exchanges) == 1
        monkeypatch.setattr(local_servers, life, 0)
        other = LocalServers()
        assert other.known(LOCAL) is None
        await other.find(LOCAL, clients)
        assert other.known(LOCAL) is None  # it is time to look again
        await other.find(LOCAL, clients)
        assert len(server.exchanges) == 3


async def test_the_proxy_itself_is_no_model_server(monkeypatch, clients, servers):
    async with ScriptedServer(listing("me")) as proxy, ScriptedServer(listing("a")) as server:
        ports(monkeypatch, proxy, server)
        assert (await servers.find(LOCAL, clients, {port(proxy)})).models == ("a",)
        assert not proxy.exchanges


async def test_what_rules_yaml_says_of_models_goes_before_what_they_say(
    monkeypatch, clients, servers
):
    own = {"a": ModelFacts(title="Mine", context=99)}
    local = replace(LOCAL, models=("b",), own_facts=own)
    async with ScriptedServer(listing("a", "b", max_model_len=7, display_name="A")) as server:
        ports(monkeypatch, server)
        found = await servers.find(local, clients)
    assert found.models == ("b", "a")
    assert found.facts("a") == ModelFacts(title="Mine", context=99)
    assert found.facts("b") == ModelFacts(title="A", context=7)


async def test_what_is_in_memory_and_chats_comes_first(monkeypatch, clients, servers):
    entries = [
        {"id": "nomic-embed-text", "state": "loaded"},
        {"id": "cold", "state": "not-loaded"},
        {"id": "warm", "state": "loaded"},
        {"id": "unknown"},
    ]

    async def handler(exchange):
        await exchange.answer(json.dumps({"data": entries}).encode())

    hurry(monkeypatch)
    async with ScriptedServer(handler) as server:
        ports(monkeypatch, server)
        found = await servers.find(LOCAL, clients)
        assert found.models == ("warm", "unknown", "cold", "nomic-embed-text")
        assert found.facts("nomic-embed-text").kind == "embedding"
        for entry in entries:
            entry["state"] = "not-loaded"
        found = await servers.find(LOCAL, clients)
        assert found.models[:2] == ("warm", "cold")  # what was there last would be quickest back


async def test_a_model_of_ollama_may_be_called_without_its_tag(monkeypatch, clients, servers):
    async with ScriptedServer(listing("gemma", "llama3.2:latest", owned_by="library")) as server:
        ports(monkeypatch, server)
        found = await servers.find(LOCAL, clients)
    assert found.models == ("gemma", "llama3.2:latest")
    assert found.servers["llama3.2"] == ModelServer("Ollama", f"{server.url}/v1", "ollama")
    assert found.at("llama3.2").dialect == found.at("not pulled yet").dialect == "ollama"


@pytest.mark.parametrize(
    ("owner", "dialect"),
    [
        ("llamacpp", "llama.cpp"),
        ("library", "ollama"),
        ("organization_owner", "lm-studio"),
        ("vllm", "local"),
        ("somebody", "local"),
    ],
)
async def test_each_is_spoken_to_in_its_own_way(monkeypatch, clients, servers, owner, dialect):
    async with ScriptedServer(listing("a", owned_by=owner)) as server:
        ports(monkeypatch, server)
        assert (await servers.find(LOCAL, clients)).at("a").dialect == dialect
        other = LocalServers()
        assert (await other.find(replace(LOCAL, dialect="qwen"), clients)).dialect == "qwen"
