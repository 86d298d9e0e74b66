"""Gemini at other places and in other frames than the Gemini API's usual ones."""

from __future__ import annotations

import asyncio
import json

import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from tests.support.proxy import AGENT_KEY, agent_context, running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer

VERTEX_PATH = "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-3.8-flash"
VERTEX_HOST = "us-central1-aiplatform.googleapis.com"
WORDS = ("Good", " morning", "!")


def chunks() -> list[bytes]:
    """Write an answer as the objects of its stream."""
    written = [
        {
            "candidates": [{"content": {"role": "model", "parts": [{"text": word}]}, "index": 0}],
            "modelVersion": "gemini-3.8-flash",
            "responseId": "r1",
        }
        for word in WORDS
    ]
    written[-1]["candidates"][0]["finishReason"] = "STOP"
    written[-1]["usageMetadata"] = {"promptTokenCount": 4, "candidatesTokenCount": 3}
    return [json.dumps(chunk, indent=2).encode() for chunk in written]


def rules(server: ScriptedServer, path: str = "") -> str:
    provider = {"base_url": server.url + path, "formats": ["gemini"], "api_key": "token"}
    return write_rules(providers={"mine": provider}, use="mine:gemini-3.8-flash")


class ArrayProvider:
    """Streams one JSON array, each object only when the test has seen the one before."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()

    async def __call__(self, exchange) -> None:
        await exchange.begin(content_type="application/json; charset=UTF-8")
        for number, chunk in enumerate(chunks()):
            self.seen.clear()
            await exchange.chunk((b"," if number else b"[") + chunk + b"\r\n")
            await asyncio.wait_for(self.seen.wait(), 5)
        await exchange.chunk(b"]")
        await exchange.end()


async def test_a_providers_json_array_is_translated_as_it_comes():
    provider = ArrayProvider()
    async with ScriptedServer(provider) as server, running_proxy(rules(server)) as proxy:
        async with proxy.openai() as client:
            stream = await client.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": "hi"}], stream=True
            )
            words = []
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    words.append(chunk.choices[0].delta.content)
                    provider.seen.set()
        assert words == list(WORDS)


@pytest.mark.parametrize("query", ["", "?alt=sse"])
async def test_gemini_agents_get_the_frame_they_asked_for(query):
    """Object by object, whichever frame the provider chose."""
    provider = ArrayProvider()
    async with ScriptedServer(provider) as server, running_proxy(rules(server)) as proxy:
        url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-x"
        body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        async with (
            proxy.client() as client,
            client.stream("POST", f"{url}:streamGenerateContent{query}", json=body) as answer,
        ):
            received = bytearray()
            async for piece in answer.aiter_bytes():
                received += piece
                provider.seen.set()
        if query:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = received.decode().split("\r\n\r\n")
            objects = [json.loads(line.removeprefix("data: ")) for line in lines if line]
        else:
            assert answer.headers["content-type"].startswith("application/json")
            assert bytes(received) == b"[" + b"\r\n,".join(chunks()) + b"\r\n]"
            objects = json.loads(received)
        parts = [
            part["text"]
            for answered in objects
            for part in answered["candidates"][0]["content"]["parts"]
        ]
        assert "".join(parts) == "".join(WORDS)


async def test_an_array_that_holds_an_error_is_an_error_status():
    async def overloaded(exchange) -> None:
        error = {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}
        await exchange.answer(json.dumps([{"error": error}]).encode())

    async with ScriptedServer(overloaded) as server, running_proxy(rules(server)) as proxy:
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        async with proxy.client() as client:
            url = "https://api.openai.com/v1/chat/completions"
            answer = await client.post(url, json=body)
        assert answer.status_code == 503
        assert answer.json()["error"]["message"] == "Overloaded"


async def plain(exchange) -> None:
    whole = json.loads(chunks()[-1])
    await exchange.answer(json.dumps(whole).encode())


async def test_vertex_is_called_at_its_own_paths_with_a_token():
    async with (
        ScriptedServer(plain) as server,
        running_proxy(rules(server, VERTEX_PATH.partition("/publishers")[0])) as proxy,
    ):
        async with proxy.openai() as client:
            answer = await client.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": "hi"}]
            )
        assert answer.choices[0].message.content == "!"
        (exchange,) = server.exchanges
        assert exchange.path == f"{VERTEX_PATH}:generateContent"
        assert exchange.headers["authorization"] == "Bearer token"
        assert "x-goog-api-key" not in exchange.headers


@pytest.mark.parametrize("vertex_provider", [False, True])
async def test_agents_that_call_vertex_are_answered(vertex_provider):
    """By Vertex itself and by the Gemini API, which have different paths."""
    path = VERTEX_PATH.partition("/models")[0] if vertex_provider else ""
    async with ScriptedServer(plain) as server:
        document = json.loads(rules(server, path)) | {"intercept": [VERTEX_HOST]}
        async with running_proxy(json.dumps(document)) as proxy:
            client = genai.Client(
                vertexai=True,
                project="theirs",
                location="us-central1",
                credentials=Credentials(token=AGENT_KEY),
                http_options=types.HttpOptions(
                    async_client_args={
                        "proxy": proxy.url(),
                        "verify": agent_context(),
                        "trust_env": False,
                    }
                ),
            )
            answer = await client.aio.models.generate_content(model="gemini-x", contents="hi")
            await client.aio.aclose()
        assert answer.text == "!"
        (exchange,) = server.exchanges
        assert exchange.path == (
            f"{VERTEX_PATH}:generateContent"
            if vertex_provider
            else "/v1beta/models/gemini-3.8-flash:generateContent"
        )
        assert "token" in exchange.headers["authorization" if path else "x-goog-api-key"]
