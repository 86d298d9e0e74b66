"""The official google-genai client talks to the provider's Gemini side, plain and streamed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from addon.embedded import EmbeddedProvider
from addon.embedded.vectors import vector_of

genai = pytest.importorskip("google.genai")
types = genai.types

FLASH_3 = "gemini-3.8-flash"
FLASH_2 = "gemini-2.5-flash"
SHELL = {
    "name": "exec_command",
    "parameters_json_schema": {
        "type": "object",
        "properties": {"cmd": {"type": "string"}},
        "required": ["cmd"],
    },
}
TOOLS = {"tools": [{"function_declarations": [SHELL]}]}
BY_HAND = {"automatic_function_calling": {"disable": True}}


@pytest.fixture
async def provider() -> AsyncIterator[EmbeddedProvider]:
    async with EmbeddedProvider() as provider:
        yield provider


@pytest.fixture
async def client(provider: EmbeddedProvider) -> AsyncIterator[Any]:
    options = types.HttpOptions(base_url=provider.base_url)
    async with genai.Client(api_key="key", http_options=options).aio as client:
        yield client


def added_up(chunks: list[Any]) -> list[tuple[str, Any]]:
    """Return the parts of a stream, neighbouring texts of one kind put together."""
    told: list[tuple[str, Any]] = []
    for chunk in chunks:
        for part in chunk.candidates[0].content.parts or ():
            kind = "call" if part.function_call else "thought" if part.thought else "text"
            content = part.function_call and (part.function_call.name, part.function_call.args)
            if kind == "call":
                told.append((kind, content))
            elif told and told[-1][0] == kind:
                told[-1] = (kind, told[-1][1] + part.text)
            elif part.text:
                told.append((kind, part.text))
    return told


@pytest.mark.parametrize("model", [FLASH_2, FLASH_3])
@pytest.mark.parametrize(
    "words",
    [
        "Hello.",
        "[[say one two three]]",
        "[[think hm hm]] [[say yes]]",
        '[[tool exec_command {"cmd": "é\\n\\"x\\""}]] [[tool exec_command]]',
        '[[say look]] [[tool exec_command {"cmd": [[1], {}]}]]',
        "[[say no]] [[stop refusal]]",
        "[[events 30]]",
    ],
)
async def test_the_stream_adds_up_to_the_plain_answer(client: Any, model: str, words: str) -> None:
    config = {**TOOLS, **BY_HAND, "thinking_config": {"include_thoughts": True}}
    asked = {"model": model, "contents": words, "config": config}
    plain = await client.models.generate_content(**asked)
    chunks = [chunk async for chunk in await client.models.generate_content_stream(**asked)]
    assert added_up(chunks) == added_up([plain])
    last = chunks[-1]
    assert last.candidates[0].finish_reason == plain.candidates[0].finish_reason
    assert last.usage_metadata == plain.usage_metadata
    assert all(chunk.response_id == last.response_id for chunk in chunks)


@pytest.mark.parametrize("model", [FLASH_2, FLASH_3])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_chat_keeps_its_signatures_over_turns(
    client: Any, provider: EmbeddedProvider, model: str, streamed: bool
) -> None:
    chat = client.chats.create(model=model, config={**TOOLS, **BY_HAND})

    async def say(message: Any) -> list[Any]:
        if streamed:
            return [chunk async for chunk in await chat.send_message_stream(message)]
        return [await chat.send_message(message)]

    asking = '[[tool exec_command {"cmd": "ls"}]] [[tool exec_command]] [[then]] [[say done]]'
    chunks = await say(asking)
    calls = [call for chunk in chunks for call in chunk.function_calls or ()]
    assert [call.args for call in calls] == [{"cmd": "ls"}, {}]
    assert [bool(call.id) for call in calls] == [model == FLASH_3] * 2
    answers = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"output": "ok"}
            )
        )
        for call in calls
    ]
    assert added_up(await say(answers)) == [("text", "done")]
    assert added_up(await say("[[say again]]")) == [("text", "again")]
    assert [request.sentinels for request in provider.requests] == [0, 0, 0]


async def test_functions_are_called_automatically(client: Any) -> None:
    def exec_command(cmd: str) -> str:
        """Run it."""
        return cmd

    answer = await client.models.generate_content(
        model=FLASH_3,
        contents="Create a file named a.txt",
        config={"tools": [exec_command]},
    )
    assert answer.text == "Done. The tool has answered."


async def test_a_schema_is_answered(client: Any) -> None:
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    config = {"response_mime_type": "application/json", "response_schema": schema}
    answer = await client.models.generate_content(model=FLASH_2, contents="hi", config=config)
    assert answer.parsed == {"city": "city"}


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("[[error 400 invalid_request_error]]", 400, "INVALID_ARGUMENT"),
        ("[[error 429 rate_limit_error]] [[retry-after 3]]", 429, "RESOURCE_EXHAUSTED"),
        ("[[error 503 overloaded_error]]", 503, "UNAVAILABLE"),
    ],
)
async def test_errors_have_the_shape_that_the_sdk_expects(
    client: Any, words: str, code: int, status: str
) -> None:
    with pytest.raises(genai.errors.APIError) as raised:
        await client.models.generate_content(model=FLASH_3, contents=words)
    assert (raised.value.code, raised.value.status) == (code, status)


async def test_an_error_in_the_stream_is_raised(client: Any) -> None:
    stream = await client.models.generate_content_stream(
        model=FLASH_3, contents="[[error-in-stream overloaded_error 2]]"
    )
    with pytest.raises(genai.errors.ServerError, match="overloaded"):
        async for _ in stream:
            pass


async def test_tokens_are_counted(client: Any) -> None:
    counted = await client.models.count_tokens(model=FLASH_3, contents="four words of text")
    assert counted.total_tokens >= 4


async def test_models_are_listed(client: Any) -> None:
    pager = await client.models.list(config={"query_base": True})
    assert "models/gemini-3.8-flash" in [model.name async for model in pager]
    assert (await client.models.get(model=FLASH_2)).output_token_limit == 65_536


async def test_embeddings(client):
    answer = await client.models.embed_content(
        model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 8}
    )
    for one, text in zip(answer.embeddings, "ab", strict=True):
        assert one.values == pytest.approx([0.7 * value for value in vector_of(text, 8)])
    with pytest.raises(genai.errors.ClientError, match="not found"):
        await client.models.embed_content(model=FLASH_3, contents="a")
