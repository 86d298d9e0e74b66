"""Endpoints in which nothing is translated: embeddings, sound, pictures, files."""

import base64
import json
import struct

import openai
import pytest

from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context
from tests.support.servers import ScriptedServer

KEYS = {"GEMINI_API_KEY": PROVIDER_KEY, "OFFICE_KEY": PROVIDER_KEY}
WAVE = bytes(range(256)) * 500


def write_rules(use, base_url, *, default="pass", provider="office", **rule):
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


def serving(answer, **headers):
    async def serve(exchange):
        body = answer(exchange) if callable(answer) else answer
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        await exchange.answer(body, **headers)

    return ScriptedServer(serve)


def gemini_vectors(exchange):
    texts = json.loads(exchange.body)["requests"]
    numbers = [float(one["content"]["parts"][0]["text"].split()[-1]) for one in texts]
    return {"embeddings": [{"values": [number, 3.0, 4.0]} for number in numbers]}


class TestEmbeddings:
    async def test_by_gemini(self):
        async with serving(gemini_vectors) as server:
            rules = write_rules("google:gemini-embedding-2", server.url)
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                answer = await client.embeddings.create(
                    model="text-embedding-3-small", input=["text 0", "text 12"]
                )
        (sent,) = server.exchanges
        assert sent.path == "/v1beta/models/gemini-embedding-2:batchEmbedContents"
        assert sent.headers["x-goog-api-key"] == PROVIDER_KEY
        assert AGENT_KEY not in str(sent.headers)
        assert [one.embedding for one in answer.data] == [[0.0, 3.0, 4.0], [12.0, 3.0, 4.0]]
        assert answer.model == "text-embedding-3-small"
        assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0

    @pytest.mark.parametrize("encoding", ["float", "base64"])
    async def test_shortened_vectors_have_the_length_one(self, encoding):
        async with serving(gemini_vectors) as server:
            rules = write_rules("google:gemini-embedding-2", server.url)
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                answer = await client.embeddings.create(
                    model="m", input="text 0", dimensions=3, encoding_format=encoding
                )
        assert json.loads(server.exchanges[0].body)["requests"][0]["outputDimensionality"] == 3
        vector = answer.data[0].embedding
        if encoding == "base64":
            vector = struct.unpack("<3f", base64.b64decode(vector))
        assert vector == pytest.approx([0.0, 0.6, 0.8])

    async def test_as_many_requests_as_the_texts_need(self):
        texts = [f"text {number}" for number in range(250)]
        async with serving(gemini_vectors) as server:
            rules = write_rules("google:gemini-embedding-2", server.url)
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                answer = await client.embeddings.create(model="m", input=texts)
        assert len(server.exchanges) == 3
        assert [one.embedding[0] for one in answer.data] == [float(n) for n in range(250)]
        assert [one.index for one in answer.data] == list(range(250))

    async def test_by_a_provider_that_has_the_same(self):
        document = {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
            "model": "nomic",
            "usage": {"prompt_tokens": 7, "total_tokens": 7},
        }
        async with serving(document, x_request_id="r1", x_private="p") as server:
            rules = write_rules("office:nomic", server.url, when={"model": "text-embedding-*"})
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                raw = await client.embeddings.with_raw_response.create(
                    model="text-embedding-3-small", input="words", user="u"
                )
        (sent,) = server.exchanges
        assert sent.path == "/v1/embeddings"
        assert sent.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
        body = json.loads(sent.body)
        assert body == {
            "model": "nomic",
            "input": "words",
            "user": "u",
            "encoding_format": "base64",
        }
        assert raw.headers["x-request-id"] == "r1"
        assert "x-private" not in raw.headers
        assert raw.parse().usage.prompt_tokens == 7
        assert proxy.flows[0].comment == "text-embedding-3-small -> office:nomic (there)"

    async def test_tokens_are_refused_where_they_mean_nothing(self):
        async with serving({}) as server:
            rules = write_rules("google:gemini-embedding-2", server.url)
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                with pytest.raises(openai.BadRequestError, match="tokens"):
                    await client.embeddings.create(model="m", input=[[1, 2], [3]])
        assert not server.exchanges

    async def test_the_providers_error_is_told(self):
        error = {"error": {"code": 400, "message": "no such size", "status": "INVALID_ARGUMENT"}}

        async def serve(exchange):
            await exchange.answer(json.dumps(error).encode(), status=400)

        async with ScriptedServer(serve) as server:
            rules = write_rules("google:gemini-embedding-2", server.url)
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                with pytest.raises(openai.BadRequestError, match="no such size"):
                    await client.embeddings.create(model="m", input="x")

    async def test_the_next_in_the_list_answers(self):
        async with serving(gemini_vectors) as server:
            use = ["anthropic:claude-sonnet-5-5", "office:nomic", "google:gemini-embedding-2"]
            rules = json.loads(write_rules(use, server.url, when={"endpoint": "embeddings"}))
            rules["providers"]["office"]["base_url"] = "http://127.0.0.1:1/v1"
            async with (
                running_proxy(json.dumps(rules), environment=KEYS) as proxy,
                proxy.openai() as client,
            ):
                answer = await client.embeddings.create(model="m", input="text 5")
        assert answer.data[0].embedding == [5.0, 3.0, 4.0]


class TestMultipart:
    async def test_goes_on_with_another_model(self):
        async with serving({"text": "hello"}) as server:
            rules = write_rules("office:whisper-large", server.url, when={"endpoint": "audio"})
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                answer = await client.audio.transcriptions.create(
                    model="whisper-1", file=("a.wav", WAVE), prompt="names"
                )
        assert answer.text == "hello"
        (sent,) = server.exchanges
        assert sent.path == "/v1/audio/transcriptions"
        assert WAVE in sent.body
        assert b"whisper-large" in sent.body
        assert b"whisper-1" not in sent.body
        assert int(sent.headers["content-length"]) == len(sent.body)
        assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")

    async def test_untouched_where_the_model_stays(self):
        async with serving({"id": "file-1", "object": "file"}) as server:
            rules = write_rules("office:*", server.url, when={"endpoint": "files"})
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                await client.files.create(file=("a.bin", WAVE), purpose="user_data")
                await client.files.retrieve("file-1")
        uploaded, asked = server.exchanges
        assert WAVE in uploaded.body
        assert (asked.method, asked.path) == ("GET", "/v1/files/file-1")
        assert uploaded.headers["authorization"] == f"Bearer {PROVIDER_KEY}"

    async def test_the_rules_see_its_model(self):
        async with serving({"text": "hello"}) as server:
            rules = write_rules(
                "office:*", server.url, when={"model": "whisper-*"}, default="block"
            )
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", WAVE))
                with pytest.raises(openai.PermissionDeniedError, match="blocks"):
                    await client.audio.transcriptions.create(model="other", file=("a.wav", WAVE))


class TestAnswers:
    async def test_sound_comes_as_it_is(self):
        async with serving(WAVE, content_type="audio/mpeg") as server:
            rules = write_rules("office:tts", server.url, when={"endpoint": "audio"})
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                answer = await client.audio.speech.create(model="tts-1", voice="x", input="hi")
        assert answer.content == WAVE
        assert answer.response.headers["content-type"] == "audio/mpeg"
        assert json.loads(server.exchanges[0].body)["model"] == "tts"

    async def test_a_cut_is_no_end(self):
        async def serve(exchange):
            await exchange.begin(content_type="audio/mpeg")
            await exchange.chunk(WAVE)
            exchange.abort()

        async with ScriptedServer(serve) as server:
            rules = write_rules("office:tts", server.url, when={"endpoint": "audio"})
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                with pytest.raises(openai.APIConnectionError):
                    await client.audio.speech.create(model="tts-1", voice="x", input="hi")

    async def test_a_stream_comes_piece_by_piece(self):
        frames = [b'data: {"type":"transcript.text.delta","delta":"a"}\n\n', b"data: [DONE]\n\n"]

        async def serve(exchange):
            await exchange.begin()
            for frame in frames:
                await exchange.chunk(frame)
            await exchange.end()

        async with ScriptedServer(serve) as server:
            rules = write_rules("office:w", server.url, when={"endpoint": "audio"})
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                stream = await client.audio.transcriptions.create(
                    model="w", file=("a.wav", WAVE), stream=True
                )
                deltas = [event.delta async for event in stream]
        assert deltas == ["a"]

    @pytest.mark.parametrize("call", ["moderations", "images"])
    async def test_json(self, call):
        document = {"id": "1", "model": "m", "results": [], "created": 1, "data": []}
        async with serving(document) as server:
            rules = write_rules("office:own", server.url, when={"endpoint": call})
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                if call == "images":
                    await client.images.generate(model="gpt-image-1", prompt="a cat")
                else:
                    await client.moderations.create(model="omni", input="hi")
        assert json.loads(server.exchanges[0].body)["model"] == "own"


class TestRules:
    async def test_a_rule_for_all_calls_does_not_speak_of_what_its_target_lacks(self):
        async def serve(exchange):
            await exchange.answer(b'{"data": []}')

        context = server_context("api.openai.com")
        async with ScriptedServer(serve, context) as server, serving({}) as other:
            rules = write_rules("anthropic:claude-sonnet-5-5", other.url)
            hosts = {"api.openai.com": server.address}
            async with running_proxy(rules, hosts=hosts) as proxy, proxy.openai() as client:
                await client.files.list()
        assert server.exchanges[0].headers["authorization"] == f"Bearer {AGENT_KEY}"
        assert not other.exchanges

    async def test_a_rule_that_names_the_endpoint_is_told_what_its_target_lacks(self):
        async with serving({}) as server:
            rules = write_rules(
                "anthropic:claude-sonnet-5-5", server.url, when={"endpoint": "embeddings"}
            )
            async with running_proxy(rules) as proxy, proxy.openai() as client:
                with pytest.raises(openai.NotFoundError, match="anthropic does not offer POST"):
                    await client.embeddings.create(model="m", input="x")
        assert not server.exchanges

    async def test_block(self):
        rules = write_rules("block", "http://127.0.0.1:1", when={"endpoint": ["files", "batches"]})
        async with running_proxy(rules) as proxy, proxy.openai() as client:
            with pytest.raises(openai.PermissionDeniedError):
                await client.batches.list()

    async def test_a_chat_model_embeds_nothing(self):
        rules = write_rules("google:gemini-3.8-flash", "http://127.0.0.1:1", default="block")
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.PermissionDeniedError, match="default"):
                await client.embeddings.create(model="text-embedding-3-small", input="x")

    async def test_the_default_target(self):
        async with serving(gemini_vectors) as server:
            rules = write_rules(None, server.url, default="google:gemini-embedding-2")
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                await client.embeddings.create(model="m", input="text 1")
                with pytest.raises(openai.NotFoundError, match="cannot translate"):
                    await client.files.list()
        assert len(server.exchanges) == 1

    async def test_by_the_name_of_the_model(self):
        async with serving(gemini_vectors) as server:
            rules = write_rules(None, server.url, default="block")
            async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
                for name in ("google:gemini-embedding-2", "gemini-embedding-2"):
                    await client.embeddings.create(model=name, input="text 1")
        assert len(server.exchanges) == 2
