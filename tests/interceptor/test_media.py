"""Pictures and documents at addresses, for providers that cannot fetch them."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

import pytest

from addon.embedded import EmbeddedProvider
from addon.interceptor import Interceptor
from addon.interceptor.preparing import Preparation
from tests.support.proxy import PROVIDER_KEY, running_proxy, server_context
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
PDF = b"%PDF-1.7\n"
HOST = "pictures.example"
PICTURE = f"https://{HOST}/cat?token=secret-token"


@contextlib.asynccontextmanager
async def detour(home: Path, format: str, model: str, *, private=True, dialect=None, **media):
    """Run Detour with a provider that notes what it gets, and a server of pictures."""

    async def serve(exchange):
        await exchange.answer(PDF if "pdf" in exchange.path else PNG, content_type="image/x")

    url = "" if format in ("gemini", "anthropic") else "/v1"
    async with (
        EmbeddedProvider() as provider,
        ScriptedServer(serve, server_context(HOST)) as pictures,
    ):
        entry = {"base_url": provider.base_url + url, "formats": [format], "api_key": PROVIDER_KEY}
        if dialect:
            entry["dialect"] = dialect
        document = json.loads(write_rules(providers={"mine": entry}, use=f"mine:{model}"))
        document["media"] = {"fetch": True, **media}
        async with running_proxy(
            json.dumps(document),
            hosts={HOST: pictures.address},
            interceptor=Interceptor(Preparation(lambda address: True)) if private else None,
            detour_home=str(home),
        ) as proxy:
            yield proxy, provider, pictures


def look(url=PICTURE, *more):
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return [{"role": "user", "content": content}, *more]


def data_in(request):
    """Return the pictures and documents that a provider of Gemini's format got."""
    contents = json.loads(request.body)["contents"]
    parts = [part for content in contents for part in content["parts"]]
    return [part["inlineData"] for part in parts if "inlineData" in part]


INLINE = {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}


async def test_gemini_gets_the_picture_itself_in_every_turn(tmp_path):
    async with detour(tmp_path, "gemini", "gemini-2.5-flash") as (proxy, provider, pictures):
        async with proxy.openai() as client:
            for turn in range(2):
                turns = [
                    {"role": "assistant", "content": "A cat."},
                    {"role": "user", "content": "Sure?"},
                ]
                answer = await client.chat.completions.create(
                    model="gpt-5", messages=look(PICTURE, *turns[: 2 * turn])
                )
                assert answer.choices[0].message.content
        first, second = provider.requests
        assert data_in(first) == data_in(second) == [INLINE]
        assert len(pictures.exchanges) == 1
        summary = proxy.flows[0].metadata["detour.summary"]
        assert any(
            loss["field"] == "media" and HOST in loss["reason"] for loss in summary["losses"]
        )
        assert "secret-token" not in str(summary) + "".join(proxy.logs.lines)
    async with (
        detour(tmp_path, "gemini", "gemini-2.5-flash") as (proxy, provider, pictures),
        proxy.openai() as client,
    ):
        await client.chat.completions.create(model="gpt-5", messages=look())
        assert data_in(provider.requests[0]) == [INLINE]
        assert pictures.exchanges == []


async def test_documents_are_fetched_too(tmp_path):
    async with (
        detour(tmp_path, "gemini", "gemini-2.5-flash") as (proxy, provider, _),
        proxy.client() as client,
    ):
        source = {"type": "url", "url": f"https://{HOST}/paper.pdf"}
        body = {
            "model": "claude-x",
            "max_tokens": 100,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "source": source},
                        {"type": "text", "text": "Read it."},
                    ],
                }
            ],
        }
        answer = await client.post("https://api.anthropic.com/v1/messages", json=body)
        assert answer.status_code == 200, answer.text
        (document,) = data_in(provider.requests[0])
        assert document["mimeType"] == "application/pdf"


async def test_providers_that_fetch_by_themselves_do_so(tmp_path):
    async with (
        detour(tmp_path, "anthropic", "claude-sonnet-5-5") as (proxy, provider, pictures),
        proxy.openai() as client,
    ):
        await client.chat.completions.create(model="gpt-5", messages=look())
        assert PICTURE in provider.requests[0].body.decode()
        assert pictures.exchanges == []


@pytest.mark.parametrize("dialect", ["moonshot", "openai"])
async def test_a_chat_provider_gets_what_it_can_read(tmp_path, dialect):
    """Also from an agent of the same format, whose request is otherwise left as it is."""
    async with (
        detour(tmp_path, "openai-chat", "kimi-k3", dialect=dialect) as (proxy, provider, _),
        proxy.openai() as client,
    ):
        await client.chat.completions.create(model="gpt-5", messages=look())
        url = json.loads(provider.requests[0].body)["messages"][0]["content"][1]["image_url"]["url"]
        inline = f"data:image/png;base64,{INLINE['data']}"
        assert url == (inline if dialect == "moonshot" else PICTURE)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"https://{HOST}/paper.pdf?token=secret-token", "it is application/pdf, not a picture"),
        ("https://nowhere.example/cat?token=secret-token", "its name cannot be resolved"),
        (f"http://{HOST}/cat?token=secret-token", "it is not https"),
    ],
)
async def test_what_cannot_be_fetched_is_the_agents_error(tmp_path, url, reason):
    async with (
        detour(tmp_path, "gemini", "gemini-2.5-flash") as (proxy, provider, _),
        proxy.client() as client,
    ):
        place = "https://api.openai.com/v1/chat/completions"
        answer = await client.post(place, json={"model": "gpt-5", "messages": look(url)})
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["type"] == "invalid_request_error"
        assert reason in error["message"]
        assert url.split("/")[2] in error["message"]
        assert "secret-token" not in answer.text + str(proxy.flows[0].comment)
        assert "secret-token" not in "".join(proxy.logs.lines)
        assert provider.requests == []


async def test_nothing_is_fetched_from_this_network(tmp_path):
    async with (
        detour(tmp_path, "gemini", "gemini-2.5-flash", private=False) as (proxy, _, pictures),
        proxy.client() as client,
    ):
        place = "https://api.openai.com/v1/chat/completions"
        answer = await client.post(place, json={"model": "gpt-5", "messages": look()})
        assert answer.status_code == 400
        assert "media.allow_private" in answer.json()["error"]["message"]
        assert pictures.connections == 0


async def test_unless_the_rules_allow_it(tmp_path):
    async with (
        detour(tmp_path, "gemini", "gemini-2.5-flash", private=False, allow_private=True) as (
            proxy,
            provider,
            _,
        ),
        proxy.openai() as client,
    ):
        await client.chat.completions.create(model="gpt-5", messages=look())
        assert data_in(provider.requests[0]) == [INLINE]


async def test_fetching_can_be_switched_off(tmp_path):
    async with (
        detour(tmp_path, "gemini", "gemini-2.5-flash", fetch=False) as (proxy, _, pictures),
        proxy.client() as client,
    ):
        place = "https://api.openai.com/v1/chat/completions"
        answer = await client.post(place, json={"model": "gpt-5", "messages": look()})
        assert answer.status_code == 400
        assert "reads no addresses" in answer.json()["error"]["message"]
        assert pictures.connections == 0
