"""The other endpoints of OpenAI's API: what the official SDK gets, and what is refused."""

import json

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.support.endpoint_calls import FAMILIES, SAID, SOUND
from tests.support.provider import post

NO_VERSION = {"anthropic-version": ""}


def client_of(provider):
    return openai.AsyncOpenAI(api_key="k", base_url=f"{provider.base_url}/v1", max_retries=0)


@pytest.mark.parametrize("name", FAMILIES)
async def test_the_sdk_is_served(name):
    family = FAMILIES[name]
    async with (
        EmbeddedProvider() as provider,
        client_of(provider) as client,
    ):
        for call in family.calls:
            await call(client, family.model, SAID)
            await call(client, "other", SAID)


def form(*parts):
    """Make a form of fields, each a name and a text, or a name, a file's name and its content."""
    body = b""
    for name, *rest in parts:
        file = f'; filename="{rest[0]}"' if len(rest) > 1 else ""
        head = f'--b\r\ncontent-disposition: form-data; name="{name}"{file}\r\n\r\n'
        value = rest[-1] if isinstance(rest[-1], bytes) else rest[-1].encode()
        body += head.encode() + value + b"\r\n"
    return body + b"--b--\r\n"


FILE = ("file", *SOUND)
MODEL = ("model", "whisper-1")
EMBED = {"model": "m", "input": "x"}
UPLOAD = {"bytes": 3, "filename": "a", "mime_type": "text/plain", "purpose": "assistants"}
SPEAK = {"model": "m", "input": "x", "voice": "v"}


@pytest.mark.parametrize(
    ("path", "body", "status", "param", "code"),
    [
        ("embeddings", {"input": "x"}, 400, "model", "missing_required_parameter"),
        ("embeddings", {"model": "m"}, 400, "input", "missing_required_parameter"),
        ("embeddings", {**EMBED, "input": ""}, 400, "input", None),
        ("embeddings", {**EMBED, "input": []}, 400, "input", "invalid_value"),
        ("embeddings", {**EMBED, "input": ["a", 1]}, 400, "input[1]", "invalid_type"),
        ("embeddings", {**EMBED, "input": [[1], ["a"]]}, 400, "input[1][0]", "invalid_type"),
        ("embeddings", {**EMBED, "input": 5}, 400, "input", "invalid_type"),
        ("embeddings", {**EMBED, "input": "word " * 9000}, 400, "input", None),
        ("embeddings", {**EMBED, "dimensions": 65}, 400, "dimensions", None),
        ("embeddings", {**EMBED, "dimension": 5}, 400, "dimension", "unknown_parameter"),
        (
            "embeddings",
            {**EMBED, "encoding_format": "hex"},
            400,
            "encoding_format",
            "invalid_value",
        ),
        ("embeddings", {**EMBED, "model": "unknown"}, 404, None, "model_not_found"),
        ("embeddings", {**EMBED, "model": "gpt-4o"}, 403, None, None),
        ("embeddings", b"{", 400, None, None),
        ("completions", {"model": "gpt-4o", "prompt": "x"}, 404, "model", None),
        ("completions", {"model": "m", "messages": []}, 400, "messages", "unknown_parameter"),
        ("completions", {"model": "m", "prompt": {}}, 400, "prompt", "invalid_type"),
        ("completions", {"model": "m", "n": 2, "best_of": 1}, 400, None, None),
        ("completions", {"model": "m", "suffix": "a", "echo": True}, 400, "echo", None),
        ("completions", {"model": "m", "logprobs": 6}, 400, "logprobs", "invalid_value"),
        ("moderations", {"model": "m"}, 400, "input", "missing_required_parameter"),
        ("moderations", {"input": [{"type": "sound"}]}, 400, "input[0].type", "invalid_value"),
        ("moderations", {"model": "whisper-1", "input": "a"}, 400, "model", "invalid_value"),
        ("images/generations", {"prompt": ""}, 400, "prompt", "invalid_value"),
        ("images/generations", {"prompt": "x", "size": "big"}, 400, "size", "invalid_value"),
        ("images/generations", {"model": "dall-e-3", "prompt": "x", "n": 2}, 400, "n", None),
        (
            "images/generations",
            {"model": "gpt-image-1", "prompt": "x", "response_format": "url"},
            400,
            "response_format",
            "unknown_parameter",
        ),
        (
            "images/generations",
            {"model": "dall-e-2", "prompt": "x", "stream": True},
            400,
            "stream",
            "unsupported_parameter",
        ),
        ("images/edits", form(("prompt", "x")), 400, "image", "missing_required_parameter"),
        ("images/edits", {"prompt": "x"}, 415, None, None),
        (
            "images/variations",
            form(("image", "a.png", b"x"), ("n", "many")),
            400,
            "n",
            "invalid_type",
        ),
        ("audio/speech", {**SPEAK, "model": "tts-1"}, 400, "voice", "invalid_value"),
        ("audio/speech", {**SPEAK, "input": "x" * 5000}, 400, "input", "invalid_value"),
        ("audio/speech", {**SPEAK, "speed": 9}, 400, "speed", "invalid_value"),
        ("audio/transcriptions", form(MODEL), 400, "file", "missing_required_parameter"),
        ("audio/transcriptions", form(FILE), 400, "model", "missing_required_parameter"),
        ("audio/transcriptions", form(FILE, MODEL)[:-8], 400, None, None),
        ("audio/transcriptions", form(MODEL, ("file", "x")), 400, "file", "invalid_type"),
        ("audio/transcriptions", form(MODEL, ("file", "a.txt", b"x")), 400, "file", None),
        (
            "audio/transcriptions",
            form(FILE, ("model", "gpt-4o-transcribe"), ("response_format", "srt")),
            400,
            "response_format",
            "unsupported_value",
        ),
        ("audio/transcriptions", form(FILE, MODEL, MODEL), 400, "model", "duplicate_parameter"),
        ("audio/transcriptions", form(FILE, ("model", "unknown")), 404, None, "model_not_found"),
        (
            "audio/translations",
            form(FILE, MODEL, ("stream", "true")),
            400,
            "stream",
            "unknown_parameter",
        ),
        (
            "audio/transcriptions",
            form(MODEL, ("file", "a.wav", bytes(27_000_000))),
            413,
            None,
            None,
        ),
        ("files", form(FILE), 400, "purpose", "missing_required_parameter"),
        ("files", form(FILE, ("purpose", "fun")), 400, "purpose", "invalid_value"),
        ("files", form(FILE, ("purpose", "batch")), 400, "file", None),
        ("files", {"purpose": "batch"}, 415, None, None),
        ("uploads", {**UPLOAD, "bytes": 9 * 1024**3}, 400, "bytes", "invalid_value"),
        ("uploads", {"purpose": "batch"}, 400, "bytes", "missing_required_parameter"),
        ("uploads/upload_1/parts", form(("data", "a", b"x")), 404, "id", None),
        ("batches", {"input_file_id": "f"}, 400, "endpoint", "missing_required_parameter"),
        (
            "batches",
            {"input_file_id": "f", "endpoint": "/v1/embeddings", "completion_window": "24h"},
            400,
            "id",
            None,
        ),
        (
            "realtime/client_secrets",
            {"session": {"type": "fun"}},
            400,
            "session.type",
            "invalid_value",
        ),
        ("realtime/calls", form(("sdp", "x")), 400, "sdp", None),
        ("audio/songs", {}, 404, None, None),
        ("batches/batch_1", {}, 405, None, "method_not_supported"),
        ("realtime", {}, 405, None, "method_not_supported"),
    ],
)
async def test_what_is_ill_formed_is_refused(path, body, status, param, code):
    kind = "application/json"
    if isinstance(body, bytes) and body != b"{":
        kind = "multipart/form-data; boundary=b"
    async with EmbeddedProvider() as provider:
        headers = {**NO_VERSION, "content-type": kind}
        answer = await post(provider, body, f"/v1/{path}", headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
    assert error["message"]


@pytest.mark.parametrize("key", ["", "Bearer bad key"])
async def test_a_key_is_wanted(key):
    async with EmbeddedProvider() as provider:
        headers = {**NO_VERSION, "authorization": key}
        answer = await post(provider, EMBED, "/v1/embeddings", headers)
    assert answer.status_code == 401


BATCH = {"endpoint": "/v1/embeddings", "completion_window": "24h"}
LINE = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": EMBED}


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["{"], "invalid_json_line"),
        ([{**LINE, "method": "GET"}], "invalid_request"),
        ([{**LINE, "url": "/v1/completions"}], "mismatched_url"),
        ([LINE, LINE], "duplicate_custom_id"),
        ([], "empty_file"),
    ],
)
async def test_a_batch_of_ill_formed_lines_fails(lines, code):
    content = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    async with (
        EmbeddedProvider() as provider,
        client_of(provider) as client,
    ):
        given = await client.files.create(file=("a.jsonl", content.encode()), purpose="batch")
        batch = await client.batches.create(input_file_id=given.id, **BATCH)
        batch = await client.batches.retrieve(batch.id)
        assert (batch.status, batch.errors.data[0].code) == ("failed", code)
        with pytest.raises(openai.ConflictError):
            await client.batches.cancel(batch.id)


async def test_an_upload_must_be_what_was_announced():
    async with (
        EmbeddedProvider() as provider,
        client_of(provider) as client,
    ):
        upload = await client.uploads.create(**UPLOAD)
        part = await client.uploads.parts.create(upload.id, data=b"four")
        with pytest.raises(openai.BadRequestError, match="do not match"):
            await client.uploads.complete(upload.id, part_ids=[part.id])
        with pytest.raises(openai.BadRequestError, match="No such Part"):
            await client.uploads.complete(upload.id, part_ids=["part_1"])
        part = await client.uploads.parts.create(upload.id, data=b"abc")
        with pytest.raises(openai.BadRequestError, match="md5"):
            await client.uploads.complete(upload.id, part_ids=[part.id], md5="0")
        await client.uploads.complete(upload.id, part_ids=[part.id])
        with pytest.raises(openai.BadRequestError, match="completed"):
            await client.uploads.cancel(upload.id)
