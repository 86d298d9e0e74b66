"""What the Gemini side sends over the wire."""

import json
from typing import Any

import httpx2
import pytest

from addon.embedded import EmbeddedProvider

MODEL = "gemini-3.8-flash"
SAY = {"contents": [{"parts": [{"text": "[[say one two]]"}]}]}


async def ask(
    provider: EmbeddedProvider, path: str, body: Any = SAY, key: str = "key"
) -> httpx2.Response:
    headers = {"x-goog-api-key": key} if key else {}
    async with httpx2.AsyncClient(base_url=provider.base_url, timeout=10) as client:
        return await client.post(path, json=body, headers=headers)


async def test_events_end_in_crlf_and_nothing_else_ends_the_stream() -> None:
    async with EmbeddedProvider() as provider:
        answer = await ask(provider, f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("}\r\n\r\n")
    events = [json.loads(event[6:]) for event in answer.text.split("\r\n\r\n")[:-1]]
    assert [event["candidates"][0].get("finishReason") for event in events] == [None, None, "STOP"]
    assert events[-1]["candidates"][0]["content"]["parts"][0]["thoughtSignature"]


async def test_a_stream_without_events_is_one_array() -> None:
    async with EmbeddedProvider() as provider:
        path = f"/v1beta/models/{MODEL}:streamGenerateContent"
        answer = await ask(provider, path)
        error = await ask(provider, path, {})
        broken = await ask(
            provider, path, {"contents": [{"parts": [{"text": "[[error-in-stream x 1]]"}]}]}
        )
    assert answer.headers["content-type"].startswith("application/json")
    assert len(answer.json()) == 3
    assert [one["error"]["status"] for one in error.json()] == ["INVALID_ARGUMENT"]
    assert broken.json()[-1]["error"]["code"] == 500


async def test_enumerations_are_numbers_for_who_asks() -> None:
    async with EmbeddedProvider() as provider:
        query = "$alt=json%3Benum-encoding%3Dint"
        answer = await ask(provider, f"/v1/models/{MODEL}:generateContent?{query}")
    wire = answer.json()
    assert wire["candidates"][0]["finishReason"] == 1
    assert wire["usageMetadata"]["promptTokensDetails"][0]["modality"] == 1


@pytest.mark.parametrize(
    ("path", "key", "status", "name"),
    [
        (f"/v1beta/models/{MODEL}:generateContent", "", 403, "PERMISSION_DENIED"),
        (f"/v1beta/models/{MODEL}:generateContent", "bad", 400, "INVALID_ARGUMENT"),
        ("/v1beta/models/unknown:generateContent", "key", 404, "NOT_FOUND"),
    ],
)
async def test_keys_and_models_that_are_not_known(
    path: str, key: str, status: int, name: str
) -> None:
    async with EmbeddedProvider() as provider:
        answer = await ask(provider, path, key=key)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (status, status, name)


async def test_other_ways_with_the_key_and_the_path() -> None:
    paths = (
        f"/v1beta/models/{MODEL}:generateContent?key=query",
        f"/v1/projects/p/locations/global/publishers/google/models/{MODEL}:generateContent?key=k",
    )
    async with EmbeddedProvider() as provider:
        for path in paths:
            answer = await ask(provider, path, key="")
            assert answer.json()["candidates"][0]["content"]["parts"][0]["text"] == "one two"
