"""What calls to other endpoints use is recorded, counted and priced."""

import json

import openai
import pytest

from addon.embedded import EmbeddedProvider
from addon.ledger import Reader
from tests.support.endpoint_calls import SOUND
from tests.support.proxy import PROVIDER_KEY, running_proxy, server_context

KEYS = {"OFFICE_KEY": PROVIDER_KEY}


def write_rules(base_url, use, **rule):
    office = {"base_url": f"{base_url}/v1", "formats": ["openai-chat"], "api_key": "${OFFICE_KEY}"}
    rules = [{"name": "there", "when": {"model": "*"}, "use": use, **rule}]
    return json.dumps({"version": 1, "providers": {"office": office}, "rules": rules})


def entries(home):
    reader = Reader(home)
    try:
        return [record for _, record in reader.last(100)]
    finally:
        reader.close()


async def spent(stream):
    async for _ in stream:
        pass


async def embed(client):
    await client.embeddings.create(model="text-embedding-3-small", input="some words")


async def transcribe(client):
    await spent(
        await client.audio.transcriptions.create(
            model="gpt-4o-transcribe", file=SOUND, prompt="[[say One two.]]", stream=True
        )
    )


async def draw(client):
    await spent(
        await client.images.generate(
            model="gpt-image-1", prompt="a cat", stream=True, partial_images=1
        )
    )


async def complete(client):
    await spent(
        await client.completions.create(
            model="gpt-3.5-turbo-instruct",
            prompt="a",
            stream=True,
            stream_options={"include_usage": True},
        )
    )


@pytest.mark.parametrize("use", ["pass", "office:*"])
@pytest.mark.parametrize("call", [embed, transcribe, draw, complete])
async def test_tokens_are_recorded(tmp_path, call, use):
    async with (
        EmbeddedProvider(certificate=server_context("api.openai.com")) as openai_itself,
        EmbeddedProvider() as office,
    ):
        async with (
            running_proxy(
                write_rules(office.base_url, use),
                hosts={"api.openai.com": (openai_itself.host, openai_itself.port)},
                environment=KEYS,
                detour_home=str(tmp_path),
            ) as proxy,
            proxy.openai() as client,
        ):
            await call(client)
        (record,) = entries(tmp_path)
        assert bool(openai_itself.requests) == (use == "pass")
    assert record.status == 200
    assert record.input_tokens > 0
    assert record.error is None
    if call is embed:
        assert record.output_tokens == 0
        if use == "pass":
            assert record.cost_usd > 0
    else:
        assert record.output_tokens > 0


@pytest.mark.parametrize("use", ["pass", "office:*"])
async def test_what_a_file_says_is_nobodys_usage(tmp_path, use):
    content = json.dumps({"usage": {"input_tokens": 7, "output_tokens": 7}}).encode()
    async with EmbeddedProvider(certificate=server_context("api.openai.com")) as provider:
        rules = json.loads(
            write_rules(provider.base_url.replace("127.0.0.1", "api.openai.com"), use)
        )
        rules["rules"][0]["when"] = {"endpoint": "files"}
        async with (
            running_proxy(
                json.dumps(rules),
                hosts={"api.openai.com": (provider.host, provider.port)},
                environment=KEYS,
                detour_home=str(tmp_path),
                ssl_insecure=True,
            ) as proxy,
            proxy.openai() as client,
        ):
            kept = await client.files.create(file=("a.jsonl", content), purpose="fine-tune")
            assert (await client.files.content(kept.id)).content == content
    assert [record.input_tokens for record in entries(tmp_path)] == [None, None]


async def test_limits_count_streams(tmp_path):
    async with EmbeddedProvider() as office:
        rules = write_rules(office.base_url, "office:*", limit={"tokens": 20, "per": "day"})
        async with (
            running_proxy(rules, environment=KEYS, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            await transcribe(client)
            with pytest.raises(openai.RateLimitError):
                await transcribe(client)


async def test_errors_of_a_passing_call_are_recorded(tmp_path):
    async with EmbeddedProvider(certificate=server_context("api.openai.com")) as provider:
        hosts = {"api.openai.com": (provider.host, provider.port)}
        rules = write_rules("http://127.0.0.1:1", "pass")
        async with (
            running_proxy(rules, hosts=hosts, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            with pytest.raises(openai.NotFoundError):
                await client.embeddings.create(model="unknown", input="a")
    (record,) = entries(tmp_path)
    assert record.status == 404
    assert "does not exist" in record.error
