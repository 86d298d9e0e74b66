"""Endpoints in which nothing is translated: what the families' table does not say."""

import base64
import json
import struct

import openai
import pytest

from addon.embedded import EmbeddedProvider
from addon.embedded.vectors import vector_of
from tests.support.endpoint_calls import SOUND, SPOKEN
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context

KEYS = {"GEMINI_API_KEY": PROVIDER_KEY, "OFFICE_KEY": PROVIDER_KEY}
NOWHERE = "http://127.0.0.1:1"
GEMINI = "google:gemini-embedding-2"


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def write_rules(use, base_url, *, default="pass", **rule):
    providers = {
        "office": {
            "base_url": f"{base_url}/v1",
            "formats": ["openai-chat"],
            "api_key": "${OFFICE_KEY}",
        },
        "google": {"base_url": {"gemini": base_url, "openai-chat": f"{base_url}/v1beta/openai"}},
        "anthropic": {"base_url": base_url, "api_key": "none"},
    }
    rules = [{"name": "there", "use": use, **rule}] if use else []
    return json.dumps({"version": 1, "providers": providers, "rules": rules, "default": default})


class TestEmbeddings:
    async def test_by_gemini(self, provider):
        texts = ["text 0", "text 12"]
        rules = write_rules(GEMINI, provider.base_url)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            answer = await client.embeddings.create(model="text-embedding-3-small", input=texts)
        (sent,) = provider.requests
        assert sent.path == "/v1beta/models/gemini-embedding-2:batchEmbedContents"
        assert sent.header("x-goog-api-key") == PROVIDER_KEY
        assert AGENT_KEY not in str(sent.headers)
        for one, text in zip(answer.data, texts, strict=True):
            assert one.embedding == pytest.approx(vector_of(text, 3072), abs=1e-6)
        assert answer.model == "text-embedding-3-small"
        assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0

    @pytest.mark.parametrize("encoding", ["float", "base64"])
    async def test_shortened_vectors_have_the_length_one(self, provider, encoding):
        rules = write_rules(GEMINI, provider.base_url)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            answer = await client.embeddings.create(
                model="m", input="text 0", dimensions=3, encoding_format=encoding
            )
        assert provider.requests[0].json()["requests"][0]["outputDimensionality"] == 3
        vector = answer.data[0].embedding
        if encoding == "base64":
            vector = struct.unpack("<3f", base64.b64decode(vector))
        assert vector == pytest.approx(vector_of("text 0", 3))

    async def test_as_many_requests_as_the_texts_need(self, provider):
        texts = [f"text {number}" for number in range(250)]
        rules = write_rules(GEMINI, provider.base_url)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            answer = await client.embeddings.create(model="m", input=texts, dimensions=4)
        assert len(provider.requests) == 3
        assert [one.index for one in answer.data] == list(range(250))
        for one, text in zip(answer.data, texts, strict=True):
            assert one.embedding == pytest.approx(vector_of(text, 4), abs=1e-6)

    async def test_headers_that_mean_something_cross(self, provider):
        rules = write_rules("office:nomic", provider.base_url, when={"model": "text-embedding-*"})
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            raw = await client.embeddings.with_raw_response.create(
                model="text-embedding-3-small", input="words", user="u"
            )
        assert provider.requests[0].json() == {
            "model": "nomic",
            "input": "words",
            "user": "u",
            "encoding_format": "base64",
        }
        assert raw.headers["x-request-id"].startswith("req_")
        assert "openai-processing-ms" not in raw.headers
        assert proxy.flows[0].comment == "text-embedding-3-small -> office:nomic (there)"

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ({"input": [[1, 2], [3]]}, "tokens"),
            ({"input": "x", "dimensions": 5000}, "must be within the range"),
            ({"input": ""}, "expected a text"),
        ],
    )
    async def test_what_gemini_does_not_take(self, provider, asked, message):
        rules = write_rules(GEMINI, provider.base_url)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.BadRequestError, match=message):
                await client.embeddings.create(model="m", **asked)

    async def test_the_next_in_the_list_answers(self, provider):
        use = ["anthropic:claude-sonnet-5-5", "office:nomic", GEMINI]
        rules = json.loads(write_rules(use, provider.base_url, when={"endpoint": "embeddings"}))
        rules["providers"]["office"]["base_url"] = f"{NOWHERE}/v1"
        async with (
            running_proxy(json.dumps(rules), environment=KEYS) as proxy,
            proxy.openai() as client,
        ):
            answer = await client.embeddings.create(model="m", input="text 5")
        assert answer.data[0].embedding == pytest.approx(vector_of("text 5", 3072), abs=1e-6)


class TestMultipart:
    async def test_goes_on_with_another_model(self, provider):
        rules = write_rules("office:whisper-large", provider.base_url, when={"endpoint": "audio"})
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            await client.audio.transcriptions.create(model="whisper-1", file=SOUND, prompt="names")
        (sent,) = provider.requests
        assert SOUND[1] in sent.body
        assert b"whisper-large" in sent.body
        assert b"whisper-1" not in sent.body
        assert int(sent.header("content-length")) == len(sent.body)

    async def test_the_rules_see_its_model(self, provider):
        rules = write_rules(
            "office:*", provider.base_url, when={"model": "whisper-*"}, default="block"
        )
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            await client.audio.transcriptions.create(model="whisper-1", file=SOUND)
            with pytest.raises(openai.PermissionDeniedError, match="blocks"):
                await client.audio.transcriptions.create(model="other", file=SOUND)
        assert b"whisper-1" in provider.requests[0].body


class TestBatches:
    @pytest.mark.parametrize(("use", "lost"), [("office:own", ["model"]), ("office:*", [])])
    async def test_models_of_the_lines_stay_and_that_is_told(self, provider, use, lost):
        rules = write_rules(use, provider.base_url, when={"endpoint": ["files", "batches"]})
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi."}]}
        path = "/v1/chat/completions"
        line = json.dumps({"custom_id": "1", "method": "POST", "url": path, "body": body})
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            given = await client.files.create(file=("a.jsonl", line.encode()), purpose="batch")
            await client.batches.create(
                input_file_id=given.id, endpoint=path, completion_window="24h"
            )
            losses = proxy.flows[-1].metadata["detour.summary"]["losses"]
        assert [loss["field"] for loss in losses] == lost


class TestAnswers:
    @pytest.mark.parametrize("ending", ["cut", "reset"])
    async def test_a_cut_is_no_end(self, provider, ending):
        rules = write_rules("office:tts", provider.base_url, when={"endpoint": "audio"})
        words = f"[[{ending} 2]] [[say One two three.]]"
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.APIConnectionError):
                await client.audio.speech.create(model="tts-1", voice="x", input=words)

    async def test_a_stream_comes_piece_by_piece(self, provider):
        rules = write_rules("office:w", provider.base_url, when={"endpoint": "audio"})
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            stream = await client.audio.transcriptions.create(
                model="w", file=SOUND, prompt=f"[[gate]] [[say {SPOKEN}]]", stream=True
            )
            first = await anext(aiter(stream))
            provider.open_gate()
            rest = [event async for event in stream]
        assert first.delta + "".join(event.delta for event in rest[:-1]) == SPOKEN

    async def test_an_error_amid_a_stream_is_told(self, provider):
        rules = write_rules("office:w", provider.base_url, when={"endpoint": "images"})
        words = "[[error-in-stream server_error 1]]"
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            stream = await client.images.generate(
                model="w", prompt=words, stream=True, partial_images=3
            )
            with pytest.raises(openai.APIError, match="had an error"):
                [event async for event in stream]


class TestRules:
    async def test_a_rule_for_all_calls_does_not_speak_of_what_its_target_lacks(self, provider):
        certificate = server_context("api.openai.com")
        async with EmbeddedProvider(certificate=certificate) as own:
            rules = write_rules("anthropic:claude-sonnet-5-5", provider.base_url)
            hosts = {"api.openai.com": (own.host, own.port)}
            async with running_proxy(rules, hosts=hosts) as proxy, proxy.openai() as client:
                await client.files.list()
        assert own.requests[0].header("authorization") == f"Bearer {AGENT_KEY}"
        assert not provider.requests

    async def test_block(self):
        rules = write_rules("block", NOWHERE, when={"endpoint": ["files", "batches"]})
        async with running_proxy(rules) as proxy, proxy.openai() as client:
            with pytest.raises(openai.PermissionDeniedError):
                await client.batches.list()

    async def test_a_chat_model_embeds_nothing(self):
        rules = write_rules("google:gemini-3.8-flash", NOWHERE, default="block")
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.PermissionDeniedError, match="default"):
                await client.embeddings.create(model="text-embedding-3-small", input="x")

    async def test_the_default_target(self, provider):
        rules = write_rules(None, provider.base_url, default=GEMINI)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            await client.embeddings.create(model="m", input="text 1")
            with pytest.raises(openai.NotFoundError, match="cannot translate"):
                await client.files.list()
        assert len(provider.requests) == 1

    @pytest.mark.parametrize("name", [GEMINI, "gemini-embedding-2"])
    async def test_by_the_name_of_the_model(self, provider, name):
        rules = write_rules(None, provider.base_url, default="block")
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            await client.embeddings.create(model=name, input="text 1")
        assert len(provider.requests) == 1
