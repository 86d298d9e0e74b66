"""Calls of the official SDK to OpenAI's other endpoints, by family, each with what must come back.

A call takes a client, the name of a model, and words that the embedded provider obeys.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import openai
import pytest

from addon.embedded.other_endpoints.speech import sound_of
from addon.embedded.vectors import vector_of

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
SOUND = ("speech.wav", bytes(range(256)) * 200)
SAID = "[[say One two three.]]"
SPOKEN = "One two three."

type Perform = Callable[[openai.AsyncOpenAI, str, str], Awaitable[None]]


class Family(NamedTuple):
    """What rules call one endpoint."""

    model: str
    """A model of OpenAI's that it takes; empty where a request names none."""
    calls: tuple[Perform, ...]
    failing: Perform | None = None
    """The call whose words may ask for a failure; None where no call has words."""


async def embeddings(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    size = 1536 if model == "text-embedding-3-small" else 64
    for given, expected in (
        (words, [words]),
        ([words, "b"], [words, "b"]),
        ([1, 2], [[1, 2]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
    ):
        answer = await client.embeddings.create(model=model, input=given)
        assert [one.index for one in answer.data] == [*range(len(expected))]
        for one, text in zip(answer.data, expected, strict=True):
            assert max(map(abs, map(float.__sub__, one.embedding, vector_of(text, size)))) < 1e-6
        assert answer.usage.total_tokens
    answer = await client.embeddings.create(
        model=model, input=words, dimensions=8, encoding_format="float"
    )
    assert answer.data[0].embedding == vector_of(words, 8)


async def completions(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    answer = await client.completions.create(
        model=model, prompt=words, suffix="}", logprobs=1, n=2, max_tokens=99
    )
    assert [choice.text for choice in answer.choices] == [SPOKEN, SPOKEN]
    assert answer.choices[0].logprobs.tokens == ["One ", "two ", "three."]
    stream = await client.completions.create(
        model=model, prompt=[words, words], stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    texts = ["", ""]
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == [SPOKEN, SPOKEN]
    assert chunks[-1].usage.completion_tokens


async def moderations(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    answer = await client.moderations.create(model=model, input=[words, "I kill you"])
    assert [one.flagged for one in answer.results] == [False, True]
    url = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
    parts: list[Any] = [
        {"type": "text", "text": words},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    answer = await client.moderations.create(model=model, input=parts)
    assert answer.results[0].category_applied_input_types.violence == ["text", "image"]


async def images(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    answer = await client.images.generate(model=model, prompt=words, n=2, output_format="png")
    assert len(answer.data) == 2
    stream = await client.images.generate(model=model, prompt=words, stream=True, partial_images=2)
    kinds = [event.type async for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


async def edited_images(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    pictures = [("a.png", PICTURE), ("b.png", PICTURE)]
    answer = await client.images.edit(
        model=model, prompt=words, image=pictures, mask=("m.png", PICTURE), n=1
    )
    assert len(answer.data) == 1
    stream = await client.images.edit(
        model=model, prompt=words, image=pictures[0], stream=True, partial_images=1
    )
    events = [event async for event in stream]
    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]
    assert base64.b64decode(events[-1].b64_json) == PICTURE


async def varied_images(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    del words
    model = model if model.startswith("other") else "dall-e-2"
    picture = ("a.png", PICTURE)
    with pytest.deprecated_call():
        answer = await client.images.create_variation(
            model=model, image=picture, n=2, response_format="b64_json", size="256x256"
        )
        assert [base64.b64decode(one.b64_json) for one in answer.data] == [PICTURE, PICTURE]
        answer = await client.images.create_variation(
            model=model, image=picture, response_format="url"
        )
    assert answer.data[0].url.startswith("https://")


async def speech(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    answer = await client.audio.speech.create(
        model=model, voice="alloy", input=words, response_format="wav"
    )
    assert answer.content == sound_of(SPOKEN)
    assert answer.response.headers["content-type"] == "audio/wav"
    async with client.audio.speech.with_streaming_response.create(
        model=model, voice="alloy", input=words, stream_format="sse"
    ) as response:
        lines = [line async for line in response.iter_lines() if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    pieces = [base64.b64decode(one["audio"]) for one in events[:-1]]
    assert b"".join(pieces) == sound_of(SPOKEN)
    assert events[-1]["type"] == "speech.audio.done"


async def transcriptions(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    call = client.audio.transcriptions.create
    answer = await call(model=model, file=SOUND, prompt=words, include=["logprobs"])
    assert answer.text == SPOKEN
    assert await call(model=model, file=SOUND, prompt=words, response_format="text") == (
        f"{SPOKEN}\n"
    )
    stream = await call(model=model, file=SOUND, prompt=words, stream=True, language="en")
    events = [event async for event in stream]
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == SPOKEN


async def timed_transcriptions(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    model = model if model.startswith("other") else "whisper-1"
    call = client.audio.transcriptions.create
    answer = await call(
        model=model,
        file=SOUND,
        prompt=words,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        temperature=0.5,
    )
    assert [word.word for word in answer.words] == SPOKEN.split()
    assert answer.segments[0].text == SPOKEN
    assert SPOKEN in await call(model=model, file=SOUND, prompt=words, response_format="srt")
    vtt = await call(model=model, file=SOUND, prompt=words, response_format="vtt")
    assert vtt.startswith("WEBVTT")
    with pytest.deprecated_call():
        translated = await client.audio.translations.create(model=model, file=SOUND, prompt=words)
    assert translated.text == SPOKEN


async def files(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    del model
    content = json.dumps({"words": words}).encode() * 5000
    kept = await client.files.create(
        file=("a.jsonl", content),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    other = await client.files.create(file=("b.txt", b"text"), purpose="user_data")
    assert (kept.bytes, kept.filename) == (len(content), "a.jsonl")
    listed = [one.id async for one in client.files.list(limit=1)]
    assert listed[:2] == [other.id, kept.id]
    assert [one.id async for one in client.files.list(purpose="fine-tune")] == [kept.id]
    assert (await client.files.retrieve(kept.id)).id == kept.id
    assert (await client.files.content(kept.id)).content == content
    assert (await client.files.delete(kept.id)).deleted
    with pytest.raises(openai.NotFoundError, match=f"No such File object: {kept.id}"):
        await client.files.retrieve(kept.id)


async def uploads(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    del model
    content = words.encode() * 3000
    upload = await client.uploads.upload_file_chunked(
        file=content,
        filename="a.txt",
        bytes=len(content),
        mime_type="text/plain",
        purpose="assistants",
        part_size=20_000,
    )
    assert (upload.status, upload.file.bytes) == ("completed", len(content))
    begun = await client.uploads.create(
        filename="b.txt", bytes=9, mime_type="text/plain", purpose="assistants"
    )
    assert (await client.uploads.cancel(begun.id)).status == "cancelled"


async def batches(client: openai.AsyncOpenAI, model: str, words: str) -> None:
    del model
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": words}]}
    lines = [
        {
            "custom_id": f"line {number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": one,
        }
        for number, one in enumerate([asked, asked, {**asked, "model": "unknown"}])
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    given = await client.files.create(file=("lines.jsonl", content), purpose="batch")
    batch = await client.batches.create(
        input_file_id=given.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"a": "b"},
    )
    assert batch.status == "validating"
    while batch.status != "completed":
        batch = await client.batches.retrieve(batch.id)
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    output = await client.files.content(batch.output_file_id)
    told = [json.loads(line) for line in output.text.splitlines()]
    said = [one["response"]["body"]["choices"][0]["message"]["content"] for one in told]
    assert dict(zip([one["custom_id"] for one in told], said, strict=True)) == {
        "line 0": SPOKEN,
        "line 1": SPOKEN,
    }
    output = await client.files.content(batch.error_file_id)
    assert json.loads(output.text)["response"]["status_code"] == 404
    ended = await client.batches.create(
        input_file_id=given.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert (await client.batches.cancel(ended.id)).status == "cancelling"
    assert (await client.batches.retrieve(ended.id)).status == "cancelled"
    listed = [one.id async for one in client.batches.list(limit=1)]
    assert listed[:2] == [ended.id, batch.id]


FAMILIES = {
    "embeddings": Family("text-embedding-3-small", (embeddings,), embeddings),
    "completions": Family("gpt-3.5-turbo-instruct", (completions,), completions),
    "moderations": Family("omni-moderation-latest", (moderations,), moderations),
    "images": Family("gpt-image-1", (images, edited_images, varied_images), edited_images),
    "audio/speech": Family("gpt-4o-mini-tts", (speech,), speech),
    "audio/transcriptions": Family(
        "gpt-4o-transcribe", (transcriptions, timed_transcriptions), transcriptions
    ),
    "files": Family("", (files,)),
    "uploads": Family("", (uploads,)),
    "batches": Family("", (batches,)),
}
