"""Every condition of a rule, and the order in which a target is chosen, through a whole proxy."""

import asyncio
import json

import pytest

from addon.embedded import EmbeddedProvider
from addon.rules.rule_definitions import WHEN
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy

CHAT = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
QUESTION = [{"role": "user", "content": "Hi."}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
CODEX = {"user-agent": "codex_cli_rs/0.169.0 (Linux)"}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def call(url=CHAT, *, agent="", headers=None, **fields):
    body = {"model": "gpt-5.1", "messages": QUESTION, "max_tokens": 99, **fields}
    return url, agent, headers or {}, body


async def ask(proxy, made):
    url, agent, headers, body = made
    own = {"authorization": f"Bearer {AGENT_KEY}", "anthropic-version": "2023-06-01"}
    async with proxy.client(agent) as client:
        return await client.post(url, json=body, headers={**own, **headers})


CASES = [
    ({"agent": "coder"}, call(agent="coder:x@"), call(agent="other:x@")),
    ({"agent": ["planner", "*-architect"]}, call(agent="home-architect:x@"), call()),
    ({"agent": "codex"}, call(headers=CODEX), call()),
    ({"model": "gpt-5*"}, call(), call(model="gpt-4o")),
    ({"model": ["gpt-*-mini", "gpt-*-nano"]}, call(model="gpt-5-nano"), call()),
    ({"model": r"/^gpt-(4|5)\.1$/"}, call(), call(model="gpt-5.15")),
    ({"endpoint": "messages"}, call(MESSAGES), call()),
    ({"provider": "anthropic"}, call(MESSAGES), call()),
    ({"header": {"x-team": "lab*"}}, call(headers={"X-Team": "lab-7"}), call()),
    ({"has": "tools"}, call(tools=[TOOL]), call()),
    (
        {"has": "images"},
        call(messages=[{"role": "user", "content": [{"type": "text", "text": "a"}, PICTURE]}]),
        call(),
    ),
    ({"has": "reasoning"}, call(reasoning_effort="high"), call()),
    ({"has": "json_schema"}, call(response_format=SCHEMA), call()),
    ({"has": ["tools", "stream"]}, call(tools=[TOOL], stream=True), call(tools=[TOOL])),
    (
        {"input_tokens": "> 1000"},
        call(messages=[{"role": "user", "content": "word " * 1000}]),
        call(),
    ),
    ({"filter": "~hq x-debug & ~m POST"}, call(headers={"x-debug": "1"}), call()),
    ({"phase": "planning"}, call(agent="coder.planning:x@"), call(agent="coder.coding:x@")),
    (
        {"agent": "coder", "model": "gpt-*", "has": "tools"},
        call(agent="coder:x@", tools=[TOOL]),
        call(agent="coder:x@"),
    ),
]


@pytest.mark.parametrize(("when", "fits", "does_not"), CASES, ids=lambda value: str(value)[:40])
async def test_a_rule_applies_where_its_conditions_hold(provider, when, fits, does_not):
    text = json.dumps(
        {
            "version": 1,
            "providers": {"office": {"base_url": f"{provider.base_url}/v1", "api_key": "k"}},
            "rules": [{"name": "it", "when": when, "use": "office:qwen3"}],
            "default": "block",
        }
    )
    async with running_proxy(text, environment={}) as proxy:
        assert (await ask(proxy, fits)).status_code == 200
        assert (await ask(proxy, does_not)).status_code == 403
    assert len(provider.requests) == 1


def test_every_condition_is_tried():
    assert {field.name for field in WHEN.fields} == {name for when, *_ in CASES for name in when}


ORDER = """
version: 1
providers:
  zai: {{base_url: '{url}/v1', formats: [openai-chat], api_key: {key}}}
  groq: {{base_url: '{url}/v1', formats: [openai-chat], api_key: {key}}}
  office: {{base_url: '{url}/v1', api_key: {key}, models: [ours]}}
aliases: {{fast: 'groq:openai/gpt-oss-120b', glm-5.2: 'groq:qwen/qwen3.8-27b'}}
rules:
  - {{name: minis, when: {{model: ['*-flash', fast]}}, use: 'office:from-the-rule'}}
default: office:from-default
"""


@pytest.mark.parametrize(
    ("asked", "sent", "why"),
    [
        ("zai:glm-5.3-flash", "glm-5.3-flash", "model name"),  # although a rule fits
        ("zai/glm-5.3-flash", "glm-5.3-flash", "model name"),
        ("fast", "openai/gpt-oss-120b", "alias fast"),  # although a rule fits
        ("glm-5.2", "qwen/qwen3.8-27b", "alias glm-5.2"),  # although Z.AI owns it
        ("glm-5.3-flash", "from-the-rule", "minis"),  # although Z.AI owns it
        ("glm-5.3", "glm-5.3", "owner of the model"),
        ("ours", "ours", "owner of the model"),
        ("anything", "from-default", "default"),
        ("nobody:x", "from-default", "default"),  # there is no such provider
    ],
)
async def test_the_order_of_choosing(provider, asked, sent, why):
    text = ORDER.format(url=provider.base_url, key=PROVIDER_KEY)
    async with running_proxy(text, environment={}) as proxy:
        answer = await ask(proxy, call(model=asked))
        assert answer.status_code == 200
        assert proxy.flows[0].comment.endswith(f"({why})")
    assert [request.json()["model"] for request in provider.requests] == [sent]


@pytest.mark.parametrize(
    "credential", [None, "Basic ???", "Basic Og==", "Bearer abc", "Basic Y29kZXI6eA=="]
)
async def test_nobody_is_ever_asked_for_credentials(provider, credential):
    """Not on a CONNECT either: many agents take a 407 for the end of everything."""
    text = ORDER.format(url=provider.base_url, key=PROVIDER_KEY)
    async with running_proxy(text, environment={}) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        told = f"Proxy-Authorization: {credential}\r\n" if credential else ""
        host = "api.openai.com:443"
        writer.write(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{told}\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.close()
    assert head.split(b"\r\n")[0].split(b" ", 2)[1] == b"200"
    assert b"authenticate" not in head.lower()
