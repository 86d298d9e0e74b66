"""A long session with keys from everywhere, and then a search for them in all that it leaves."""

import pytest
from mitmproxy import io
from mitmproxy.tools.web.master import WebMaster

from addon.embedded import EmbeddedProvider
from addon.engine import ClientPool, verify
from addon.providers import KeyStore
from addon.rules import load_rules
from tests.support.key_session import (
    ENVIRONMENT,
    KEYS,
    echo,
    find_keys,
    hold_session,
    write_key_rules,
)
from tests.support.proxy import AGENT_KEY, running_proxy, server_context
from tests.support.servers import ScriptedServer
from tests.support.sockets import create, socket_agent


async def accept(exchange):
    await exchange.answer(b'{"object": "list", "data": []}', set_cookie="session=1")


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("DETOUR_KEY", KEYS["master"])
    KeyStore(folder).set("stored", KEYS["store"])
    return folder


async def test_nothing_that_a_session_leaves_holds_a_key(tmp_path, home):
    flows = tmp_path / "flows"
    async with (
        EmbeddedProvider() as provider,
        ScriptedServer(echo) as scripted,
        ScriptedServer(accept, server_context("api.openai.com")) as openai,
    ):
        text = write_key_rules(provider.base_url, scripted.url)
        async with running_proxy(
            text,
            hosts={"api.openai.com": openai.address},
            environment={**ENVIRONMENT, "ZAI_API_KEY": KEYS[".env"]},
            master_class=WebMaster,
            web_port=0,
            save_stream_file=str(flows),
            detour_home=str(home),
            detour_events=str(home / "events.jsonl"),
            expected_errors=True,
        ) as proxy:
            async with proxy.client() as client:
                told = await hold_session(client)
            async with socket_agent(proxy) as agent:
                told.append(await agent.respond(create("hello", model="ruled-1")))
                told.append(await agent.respond(create("hello", model="strange-1")))
            rules = load_rules(text, "rules.yaml", ENVIRONMENT, None, KeyStore(home))
            clients = ClientPool()
            for name in ("ruled", "stored", "echo", "nobody"):
                place = rules.providers[name]
                (format,) = place.base_urls
                key = rules.keys.find(place)
                verdict = await verify(place, format, "m", key, clients)
                assert not find_keys(verdict), name
            await clients.aclose()
        sent = "".join(str(request.headers) for request in provider.requests)
        used = [name for name in KEYS if KEYS[name] in sent]
        assert set(used) >= {"rules.yaml", "environment", "a rule", "store", "header", ".env"}
        assert "agent" not in used
        assert any(AGENT_KEY in str(exchange.headers) for exchange in openai.exchanges)
        assert not any(AGENT_KEY in str(exchange.headers) for exchange in scripted.exchanges)
    for answer in told:
        assert not find_keys(answer), answer
    for line in proxy.logs.lines:
        if line.startswith("HTTP Request: "):
            continue  # the agent's own log
        assert not find_keys(line), line
    with flows.open("rb") as file:
        saved = list(io.FlowReader(file).stream())
    assert len(saved) > 30
    for flow in saved:
        assert not find_keys(flow.get_state()), flow.comment
    assert not find_keys(flows.read_bytes())
    left = [path for path in home.rglob("*") if path.is_file()]
    assert {"vault.db", "detour.db", "events.jsonl"} <= {path.name for path in left}
    for path in left:
        assert not find_keys(path.read_bytes()), path
