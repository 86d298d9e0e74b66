"""A long session with keys from everywhere, and then a search for them in all that it leaves."""

import base64
import json

import pytest
from mitmproxy import io
from mitmproxy.tools.web.master import WebMaster

from addon.embedded import EmbeddedProvider
from addon.engine import ClientPool, verify
from addon.providers import KeyStore
from addon.rules import load_rules
from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, running_proxy, server_context
from tests.support.servers import ScriptedServer
from tests.support.sockets import create, socket_agent

KEYS = {
    "agent": AGENT_KEY,
    "rules.yaml": "sk-ruled-1111222233334444",
    "environment": "sk-environment-55556666",
    "a rule": "sk-team-99990000aaaabbbb",
    "store": "sk-stored-ccccddddeeeeffff",
    "header": "sk-header-1234123412341234",
    "master": "master-of-all-keys-0123456789",
}
ENVIRONMENT = {
    "ANTHROPIC_API_KEY": KEYS["environment"],
    "TEAM_KEY": KEYS["a rule"],
    "DETOUR_KEY": KEYS["master"],
}
URL = "https://api.openai.com/v1"
HEADERS = {"authorization": f"Bearer {AGENT_KEY}", "cookie": f"session={AGENT_KEY}"}
TEXTS = (
    "hello",
    "[[error 401 authentication_error]]",
    "[[error-in-stream api_error 5]]",
    "[[cut 5]]",
    "[[html 500]]",
)


def find_keys(content, *, but=()):
    """Name the keys that stand in what was left, also when packed as HTTP packs credentials."""
    found = content if isinstance(content, bytes) else str(content).encode()
    return [
        name
        for name, key in KEYS.items()
        if name not in but
        and any(form in found for form in (key.encode(), base64.b64encode(key.encode())[:-4]))
    ]


def write_rules(embedded, scripted):
    def anthropic(key, **more):
        return {"base_url": embedded, "formats": ["anthropic"], "api_key": key, **more}

    def models(name):
        return {"model": f"{name}*"}

    return json.dumps(
        {
            "version": 1,
            "providers": {
                "anthropic": {"base_url": embedded},
                "ruled": anthropic(KEYS["rules.yaml"], headers={"x-key": KEYS["header"]}),
                "stored": {"base_url": embedded, "formats": ["anthropic"], "models": ["m"]},
                "echo": {
                    "base_url": f"{scripted}/v1",
                    "formats": ["openai-chat"],
                    "api_key": KEYS["rules.yaml"],
                    "models": ["m"],
                },
                "nobody": anthropic(KEYS["rules.yaml"], base_url="http://127.0.0.1:1"),
            },
            "rules": [
                {"name": "passes", "when": models("pass-"), "use": "pass"},
                {
                    "name": "team",
                    "when": models("team-"),
                    "use": "anthropic:claude-sonnet-5-5",
                    "api_key": "${TEAM_KEY}",
                },
                {"name": "own", "when": models("own-"), "use": "openai:*", "api_key": "pass"},
                {"name": "ruled", "when": models("ruled-"), "use": "ruled:claude-sonnet-5-5"},
                {"name": "stored", "when": models("stored-"), "use": "stored:claude-sonnet-5-5"},
                {"name": "echo", "when": models("echo-"), "use": "echo:m"},
                {"name": "strange", "when": models("strange-"), "use": "deepseek:m"},
                {
                    "name": "chain",
                    "when": models("chain-"),
                    "use": ["nobody:m", "echo:m", "anthropic:claude-sonnet-5-5"],
                    "fallback": {"on": ["authentication"]},
                },
                {
                    "name": "vectors",
                    "when": {"endpoint": ["embeddings", "audio", "files"]},
                    "use": "echo:m",
                },
                {"name": "rest", "when": models("gpt-"), "use": "anthropic:claude-sonnet-5-5"},
            ],
            "default": "pass",
        }
    )


async def echo(exchange):
    """Say in an error what should never be said, as some providers do."""
    key = exchange.headers.get("authorization", "").removeprefix("Bearer ")
    error = {"message": f"Incorrect API key provided: {key}.", "code": "invalid_api_key"}
    await exchange.answer(json.dumps({"error": error}).encode(), status=401, x_request_id="r-1")


async def accept(exchange):
    await exchange.answer(b'{"object": "list", "data": []}', set_cookie="session=1")


async def hold_session(proxy):
    """Let an agent do all that agents do; return everything that it is told."""
    told = []
    async with proxy.client() as client:

        async def call(path, method="POST", **keywords):
            answer = await client.request(method, f"{URL}{path}", headers=HEADERS, **keywords)
            told.append(f"{answer.headers} {answer.text}")

        for name in ("team-1", "ruled-1", "stored-1", "echo-1", "strange-1", "chain-1", "own-1"):
            for stream in (False, True):
                body = json.loads(request_body(stream=stream)) | {"model": name}
                await call("/chat/completions", json=body)
        for text in TEXTS:
            for stream in (False, True):
                await call("/chat/completions", content=request_body(text, stream=stream))
        await call("/chat/completions", json={"model": "pass-1", "messages": []})
        await call("/chat/completions?key=" + AGENT_KEY, content=b"not JSON")
        await call("/responses", json={"model": "ruled-1", "input": "hi", "store": True})
        await call("/responses/resp_1", "GET")
        await call("/embeddings", json={"model": "gpt-9", "input": "hi"})
        await call("/audio/transcriptions", files={"file": b"wave"}, data={"model": "whisper"})
        await call("/files", "GET")
        await call("/models", "GET")
        await call("/models/gpt-5", "GET")
        await call("/batches", "GET")
    async with socket_agent(proxy) as agent:
        told.append(await agent.respond(create("hello", model="ruled-1")))
        told.append(await agent.respond(create("hello", model="strange-1")))
    return told


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
        text = write_rules(provider.base_url, scripted.url)
        async with running_proxy(
            text,
            hosts={"api.openai.com": openai.address},
            environment=ENVIRONMENT,
            master_class=WebMaster,
            web_port=0,
            save_stream_file=str(flows),
            detour_home=str(home),
            detour_events=str(home / "events.jsonl"),
            expected_errors=True,
        ) as proxy:
            told = await hold_session(proxy)
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
        assert set(used) >= {"rules.yaml", "environment", "a rule", "store", "header"}
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
