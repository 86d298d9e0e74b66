"""A conversation that moves between providers shows none of them what another one made."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import PROVIDER_KEY, running_proxy
from tests.support.servers import ScriptedServer
from tests.support.tool_loops import AnthropicLoop, ChatLoop, GeminiLoop, ResponsesLoop, script

KEYS = dict.fromkeys(
    ("ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "DEEPSEEK_API_KEY"), PROVIDER_KEY
)
TARGETS = (
    "anthropic:claude-opus-4-6",
    "anthropic:claude-opus-5-5",
    "google:gemini-3.1-pro",
    "google:gemini-3-flash",
    "second-anthropic:claude-opus-4-6",
    "openai:gpt-5.1",
)
LOOPS = (ChatLoop, ResponsesLoop, AnthropicLoop, GeminiLoop)


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as first, EmbeddedProvider() as second:
        for _ in range(100):  # real providers never give the same id twice
            next(second._turns)
        yield first, second


def write_rules(path, use, first, second):
    url = first.base_url
    path.write_text(
        json.dumps(
            {
                "version": 1,
                "providers": {
                    "anthropic": {"base_url": url},
                    "google": {"base_url": url, "formats": ["gemini"]},
                    "openai": {"base_url": f"{url}/v1", "formats": ["openai-responses"]},
                    "second-anthropic": {
                        "base_url": second.base_url,
                        "formats": ["anthropic"],
                        "api_key": "k",
                    },
                },
                "rules": [{"name": "all", "use": use}],
            }
        )
    )


@pytest.mark.parametrize("agent", LOOPS)
async def test_a_switch_sends_nothing_foreign(provider, agent, tmp_path):
    """The strict providers refuse every signature that is not their own, or not of this model."""
    rules = tmp_path / "rules.yaml"
    visits = [use for pair in permutations(TARGETS, 2) for use in pair]
    loop = agent(script(len(visits) + 1), stream=True)
    write_rules(rules, visits[0], *provider)
    async with running_proxy(rules, environment=KEYS) as proxy, proxy.client() as client:
        for use in visits:
            write_rules(rules, use, *provider)
            assert "rules" in proxy.master.commands.execute("detour.reload")
            assert await loop.step(client), use
    for running in provider:
        for request in running.requests:
            assert request.status == 200
            assert b"dt1." not in request.body
            assert b"ZHQxL" not in request.body


def completion(**message):
    call = {
        "id": "get_number:0",
        "type": "function",
        "function": {"name": "get_number", "arguments": '{"n":1}'},
    }
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "tool_calls": [call], **message},
        "finish_reason": "tool_calls",
    }
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice]}


def streamed(**message):
    answer = completion(**message)
    choice = answer["choices"][0]
    delta = choice.pop("message")
    delta["tool_calls"][0]["index"] = 0
    finish = {"index": 0, "delta": {}, "finish_reason": choice.pop("finish_reason")}
    chunks = [
        {**answer, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**answer, "choices": [finish]},
    ]
    return b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in chunks) + (
        b"data: [DONE]\n\n"
    )


DETAILS = [
    {"type": "reasoning.text", "text": "Hm.", "signature": "S", "index": 0, "format": "x"},
    {"type": "reasoning.encrypted", "data": "secret", "id": "r", "index": 1},
]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize("agent", [ChatLoop, ResponsesLoop, AnthropicLoop, GeminiLoop])
@pytest.mark.parametrize(
    ("use", "said", "returned"),
    [
        ("deepseek:deepseek-v4-pro", {"reasoning_content": "Hm."}, {"reasoning_content": "Hm."}),
        ("moonshot:kimi-k3", {"reasoning_content": "Hm."}, {"reasoning_content": "Hm."}),
        ("zai:glm-5.2", {"reasoning_content": "Hm."}, {"reasoning_content": "Hm."}),
        (
            "openrouter:anthropic/claude-opus-5",
            {"reasoning": "Hm.", "reasoning_details": DETAILS},
            {"reasoning_details": DETAILS},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_chat_providers_get_their_thoughts_back(agent, use, said, returned, stream):
    async def answer(exchange):
        if stream:
            await exchange.answer(streamed(**said), content_type="text/event-stream")
        else:
            await exchange.answer(json.dumps(completion(**said)).encode())

    async with ScriptedServer(answer) as server:
        name = use.partition(":")[0]
        settings = {"base_url": server.url, "formats": ["openai-chat"], "api_key": "k"}
        rules = {
            "version": 1,
            "providers": {name: settings},
            "rules": [{"name": "all", "use": use}],
        }
        loop = agent("Go.", stream=stream)
        async with running_proxy(json.dumps(rules)) as proxy, proxy.client() as client:
            for _ in range(3):
                assert await loop.step(client)
        bodies = [json.loads(exchange.body) for exchange in server.exchanges]
    turns = [message for message in bodies[-1]["messages"] if message["role"] == "assistant"]
    assert len(turns) == 2
    for turn in turns:
        assert {name: turn.get(name) for name in returned} == returned
