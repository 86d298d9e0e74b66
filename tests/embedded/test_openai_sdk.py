"""The official openai client talks to the provider's Chat side, plain and streamed."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pydantic
import pytest
from openai import AsyncOpenAI

from addon.embedded import EmbeddedProvider

SHELL = {
    "type": "function",
    "function": {
        "name": "exec_command",
        "parameters": {
            "type": "object",
            "properties": {"cmd": {"type": "string"}, "workdir": {"type": "string"}},
            "required": ["cmd"],
        },
    },
}


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    async with (
        EmbeddedProvider() as provider,
        AsyncOpenAI(
            base_url=f"{provider.base_url}/v1", api_key="key", max_retries=0, timeout=10
        ) as client,
    ):
        yield client


def asking(words: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": words}], **more}


@pytest.mark.parametrize(
    "words",
    [
        "Hello.",
        "[[say one two three]]",
        "[[think hm]] [[say yes]]",
        '[[tool exec_command {"cmd": "é\\n\\"x\\""}]] [[tool exec_command]]',
        '[[say look]] [[tool exec_command {"cmd": [[1], {}]}]]',
        "[[say no]] [[stop refusal]]",
        "[[say much]] [[stop length]]",
    ],
)
async def test_the_stream_adds_up_to_the_plain_answer(client: AsyncOpenAI, words: str) -> None:
    request = asking(words, tools=[SHELL])
    plain = await client.chat.completions.create(**request)
    stream = await client.chat.completions.create(
        **request, stream=True, stream_options={"include_usage": True}
    )
    told = dict.fromkeys(("content", "refusal", "reasoning_content"), "")
    calls: list[list[str]] = []
    finish_reason, usage = None, None
    async for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            finish_reason = choice.finish_reason or finish_reason
            for field in told:
                told[field] += getattr(choice.delta, field, None) or ""
            for part in choice.delta.tool_calls or ():
                if part.id:
                    assert part.index == len(calls)
                    calls.append([part.function.name, ""])
                calls[part.index][1] += part.function.arguments
    (choice,) = plain.choices
    assert told == {field: getattr(choice.message, field, None) or "" for field in told}
    assert calls == [
        [call.function.name, call.function.arguments] for call in choice.message.tool_calls or ()
    ]
    assert (finish_reason, usage) == (choice.finish_reason, plain.usage)


async def test_the_sdk_puts_the_stream_together(client: AsyncOpenAI) -> None:
    request = asking('[[say look]] [[tool exec_command {"cmd": "ls"}]]', tools=[SHELL])
    async with client.chat.completions.stream(**request) as stream:
        message = (await stream.get_final_completion()).choices[0].message
    assert message.content == "look"
    assert [call.function.arguments for call in message.tool_calls] == ['{"cmd": "ls"}']


async def test_a_tool_loop_goes_round(client: AsyncOpenAI) -> None:
    request = asking("Create a file named a.txt containing yes", tools=[SHELL])
    first = (await client.chat.completions.create(**request)).choices[0]
    assert first.finish_reason == "tool_calls"
    (call,) = first.message.tool_calls
    assert call.function.arguments == '{"cmd": "printf \'yes\\\\n\' > a.txt"}'
    result = {"role": "tool", "tool_call_id": call.id, "content": "ok"}
    request["messages"] += [first.message, result]
    second = (await client.chat.completions.create(**request)).choices[0]
    assert (second.finish_reason, second.message.content) == (
        "stop",
        "Done. The tool has answered.",
    )


async def test_legacy_functions_are_called_the_legacy_way(client: AsyncOpenAI) -> None:
    request = asking("hi", functions=[SHELL["function"]])
    choice = (await client.chat.completions.create(**request)).choices[0]
    assert choice.finish_reason == "function_call"
    assert choice.message.function_call.name == "exec_command"


async def test_custom_tools_get_text(client: AsyncOpenAI) -> None:
    custom = {"type": "custom", "custom": {"name": "exec"}}
    choice = (await client.chat.completions.create(**asking("hi", tools=[custom]))).choices[0]
    (call,) = choice.message.tool_calls
    assert "tools.exec_command" in call.custom.input


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


async def test_parse_gets_a_value_of_the_schema(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(**asking("hi"), response_format=City)
    assert answer.choices[0].message.parsed == City(name="name", inhabitants=1)


async def test_json_mode_answers_json(client: AsyncOpenAI) -> None:
    request = asking("Answer in JSON.", response_format={"type": "json_object"})
    answer = await client.chat.completions.create(**request)
    assert answer.choices[0].message.content.startswith("{")


async def test_n_choices(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(**asking("hi", n=2))
    assert [choice.index for choice in answer.choices] == [0, 1]
    stream = await client.chat.completions.create(**asking("[[say x]]", n=2), stream=True)
    finished = [choice.index async for chunk in stream for choice in chunk.choices
                if choice.finish_reason]  # fmt: skip
    assert finished == [0, 1]


async def test_usage_comes_only_when_asked_for_and_once(client: AsyncOpenAI) -> None:
    for options, expected in (({}, 0), ({"stream_options": {"include_usage": True}}, 1)):
        stream = await client.chat.completions.create(**asking("hi", **options), stream=True)
        assert len([chunk async for chunk in stream if chunk.usage]) == expected


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("[[error 400 invalid_request_error]]", openai.BadRequestError),
        ("[[error 429 rate_limit_exceeded]]", openai.RateLimitError),
        ("[[error 503 server_error]]", openai.InternalServerError),
    ],
)
async def test_errors_have_the_shape_that_the_sdk_expects(
    client: AsyncOpenAI, words: str, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as raised:
        await client.chat.completions.create(**asking(words))
    assert raised.value.code == words.split()[2].rstrip("]")
    assert raised.value.request_id


async def test_an_error_in_the_stream_is_raised(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        **asking("[[error-in-stream server_error]]"), stream=True
    )
    with pytest.raises(openai.APIError, match="had an error"):
        async for _ in stream:
            pass


async def test_models(client: AsyncOpenAI) -> None:
    assert "claude-opus-5-5" in [model.id async for model in client.models.list()]
