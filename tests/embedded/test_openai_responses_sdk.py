"""The official openai client talks to the provider's Responses side, plain and streamed."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pydantic
import pytest
from openai import AsyncOpenAI

from addon.embedded import EmbeddedProvider

SHELL = {
    "type": "function",
    "name": "exec_command",
    "parameters": {
        "type": "object",
        "properties": {"cmd": {"type": "string"}},
        "required": ["cmd"],
    },
    "strict": False,
}
PATCH = {"type": "custom", "name": "apply_patch"}
SEALED = {"include": ["reasoning.encrypted_content"], "store": False}


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    async with (
        EmbeddedProvider() as provider,
        AsyncOpenAI(
            base_url=f"{provider.base_url}/v1", api_key="key", max_retries=0, timeout=10
        ) as client,
    ):
        yield client


def asking(words: Any, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-5.5", "input": words, **more}


def content(response: Any) -> Any:
    """Return what two responses to the same prompt have in common."""
    ids = {"id", "call_id", "encrypted_content"}
    output = [item.model_dump(exclude=ids) for item in response.output]
    for item in output:
        for part in item.get("content") or ():
            part.pop("parsed", None)
        item.pop("parsed_arguments", None)
    return output, response.status, response.usage, response.incomplete_details


@pytest.mark.parametrize(
    "words",
    [
        "Hello.",
        "[[say one two three]]",
        "[[think hm hm]] [[say yes]]",
        '[[tool exec_command {"cmd": "é\\n\\"x\\""}]] [[tool exec_command]]',
        '[[say look]] [[tool exec_command {"cmd": [[1], {}]}]] [[tool apply_patch "a b c"]]',
        "[[say no]] [[stop refusal]]",
        "[[events 30]]",
    ],
)
async def test_the_stream_adds_up_to_the_plain_answer(client: AsyncOpenAI, words: str) -> None:
    request = asking(words, tools=[SHELL, PATCH], reasoning={"summary": "auto"}, **SEALED)
    plain = await client.responses.create(**request)
    async with client.responses.stream(**request) as stream:
        events = [event async for event in stream]
        streamed = await stream.get_final_response()
    assert content(streamed) == content(plain)
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_an_answer_that_is_too_long_is_incomplete(client: AsyncOpenAI) -> None:
    request = asking("[[say " + "word " * 50 + "]]", max_output_tokens=16)
    plain = await client.responses.create(**request)
    last = [event async for event in await client.responses.create(**request, stream=True)][-1]
    assert (plain.status, plain.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (last.type, content(last.response)) == ("response.incomplete", content(plain))


@pytest.mark.parametrize("stateless", [True, False])
async def test_a_tool_loop_goes_round(client: AsyncOpenAI, stateless: bool) -> None:
    words = '[[tool exec_command {"cmd": "ls"}]] [[then]] [[say done]]'
    request = asking(
        [{"role": "user", "content": words}], tools=[SHELL], **(SEALED if stateless else {})
    )
    first = await client.responses.create(**request)
    reasoning, call = first.output
    assert bool(reasoning.encrypted_content) == stateless
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "ok"}
    if stateless:
        request["input"] += [*(item.to_dict() for item in first.output), result]
    else:
        request |= {"input": [result], "previous_response_id": first.id}
    second = await client.responses.create(**request)
    assert second.output_text == "done"


async def test_stored_responses_can_be_had_again(client: AsyncOpenAI) -> None:
    first = await client.responses.create(**asking("hi"))
    assert await client.responses.retrieve(first.id) == first
    items = [item async for item in await client.responses.input_items.list(first.id)]
    assert [item.role for item in items] == ["user"]
    await client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(first.id)


async def test_namespaces_come_back(client: AsyncOpenAI) -> None:
    crm = {"type": "namespace", "name": "crm", "description": "c", "tools": [SHELL]}
    first = await client.responses.create(**asking("[[tool crm__exec_command {}]]", tools=[crm]))
    call = first.output[-1]
    assert (call.namespace, call.name) == ("crm", "exec_command")


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


async def test_parse_gets_a_value_of_the_schema(client: AsyncOpenAI) -> None:
    answer = await client.responses.parse(**asking("hi"), text_format=City)
    assert answer.output_parsed == City(name="name", inhabitants=1)


async def test_tokens_are_counted(client: AsyncOpenAI) -> None:
    counted = await client.responses.input_tokens.count(**asking("four words of text"))
    assert counted.input_tokens >= 4


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
        await client.responses.create(**asking(words))
    assert raised.value.code == words.split()[2].rstrip("]")


async def test_a_stream_that_breaks_off_ends_as_failed(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(
        **asking("[[error-in-stream server_error 5]]"), stream=True
    )
    events = [event async for event in stream]
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"
    assert [event.sequence_number for event in events] == list(range(6))
