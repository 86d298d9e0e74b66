"""A long session with keys from everywhere, for a search in all that it leaves."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import Any

import httpx2

from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY
from tests.support.servers import Exchange

KEYS = {
    "agent": AGENT_KEY,
    "rules.yaml": "sk-ruled-1111222233334444",
    "environment": "sk-environment-55556666",
    "a rule": "sk-team-99990000aaaabbbb",
    "store": "sk-stored-ccccddddeeeeffff",
    "header": "sk-header-1234123412341234",
    ".env": "sk-dotenv-777788889999aaaa",
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

NAMES = (*("team-1", "ruled-1", "stored-1", "echo-1", "strange-1", "chain-1", "own-1", "dotenv-1"),)
"""Models that lead to each of the keys."""


def find_keys(content: object, *, but: Collection[str] = ()) -> list[str]:
    """Name the keys that stand in what was left, also when packed as HTTP packs credentials."""
    found = content if isinstance(content, bytes) else str(content).encode()
    return [
        name
        for name, key in KEYS.items()
        if name not in but
        and any(form in found for form in (key.encode(), base64.b64encode(key.encode())[:-4]))
    ]


def write_key_rules(embedded: str, scripted: str) -> str:
    """Write rules with keys from everywhere."""

    def anthropic(key: str, **more: Any) -> dict[str, Any]:
        return {"base_url": embedded, "formats": ["anthropic"], "api_key": key, **more}

    def models(name: str) -> dict[str, str]:
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
                "zai": {"base_url": embedded, "formats": ["anthropic"]},
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
                {"name": "dotenv", "when": models("dotenv-"), "use": "zai:claude-sonnet-5-5"},
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


async def echo(exchange: Exchange) -> None:
    """Say in an error what should never be said, as some providers do."""
    key = exchange.headers.get("authorization", "").removeprefix("Bearer ")
    error = {"message": f"Incorrect API key provided: {key}.", "code": "invalid_api_key"}
    await exchange.answer(json.dumps({"error": error}).encode(), status=401, x_request_id="r-1")


async def hold_session(client: httpx2.AsyncClient) -> list[str]:
    """Let an agent do all that agents do; return everything that it is told."""
    told: list[str] = []

    async def call(path: str, method: str = "POST", **keywords: Any) -> None:
        answer = await client.request(method, f"{URL}{path}", headers=HEADERS, **keywords)
        told.append(f"{answer.headers} {answer.text}")

    for name in NAMES:
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
    return told
