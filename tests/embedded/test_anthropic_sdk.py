"""The official anthropic client talks to the provider, plain and streamed."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from addon.embedded import EmbeddedProvider
from tests.support.provider import WRITE_FILE, user

SONNET = "claude-sonnet-5-5"


@pytest.fixture
async def provider() -> AsyncIterator[EmbeddedProvider]:
    async with EmbeddedProvider() as provider:
        yield provider


@pytest.fixture
async def client(provider: EmbeddedProvider) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(
        base_url=provider.base_url, api_key="key", max_retries=0, timeout=10
    ) as client:
        yield client


def asking(words: str, **more: Any) -> dict[str, Any]:
    return {"model": SONNET, "max_tokens": 2000, "messages": [user(words)], **more}


async def both(client: AsyncAnthropic, **request: Any) -> tuple[Any, Any]:
    """Return the plain answer and the one that the SDK puts together from the stream."""
    plain = await client.messages.create(**request)
    async with client.messages.stream(**request) as stream:
        return plain, await stream.get_final_message()


@pytest.mark.parametrize(
    "words",
    [
        "Hello.",
        "[[say one two three]]",
        "[[think hm]] [[say yes]]",
        "[[redacted]] [[say yes]]",
        '[[tool write_file {"path": "a", "content": "é\\n\\"x\\""}]] [[tool write_file]]',
        '[[say look]] [[tool write_file {"a": [[1], {}]}]]',
        "[[say no]] [[stop refusal]]",
        "[[events 30]]",
    ],
)
async def test_the_stream_adds_up_to_the_plain_answer(client: AsyncAnthropic, words: str) -> None:
    plain, streamed = await both(
        client,
        **asking(words, thinking={"type": "adaptive", "display": "summarized"}, tools=[WRITE_FILE]),
    )
    ignored = {"id": True, "content": {"__all__": {"id", "citations", "parsed_output"}}}
    ours, theirs = (message.model_dump(exclude=ignored) for message in (plain, streamed))
    assert ours["content"] == theirs["content"]
    assert ours["stop_reason"] == theirs["stop_reason"]
    assert ours["stop_details"] == theirs["stop_details"]
    for field in ("input_tokens", "output_tokens", "cache_read_input_tokens"):
        assert ours["usage"][field] == theirs["usage"][field]


async def test_a_tool_loop_with_thinking_goes_round(client: AsyncAnthropic) -> None:
    request = asking("Create a file named a.txt containing yes", tools=[WRITE_FILE])
    first = await client.messages.create(**request)
    thought, call = first.content
    assert (first.stop_reason, thought.type, thought.thinking) == ("tool_use", "thinking", "")
    assert call.input == {"path": "a.txt", "content": "yes"}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "ok"}
    request["messages"] += [{"role": "assistant", "content": first.content}, user(result)]
    second = await client.messages.create(**request)
    assert (second.stop_reason, second.content[-1].text) == (
        "end_turn",
        "Done. The tool has answered.",
    )


async def test_scripted_turns_follow_one_another(client: AsyncAnthropic) -> None:
    request = asking(
        '[[tool write_file {"path": "1"}]] [[then]] [[tool write_file {"path": "2"}]]'
        " [[then]] [[say finished]]",
        tools=[WRITE_FILE],
    )
    paths = []
    for _ in range(2):
        answer = await client.messages.create(**request)
        call = answer.content[-1]
        paths.append(call.input["path"])
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "ok"}
        request["messages"] += [{"role": "assistant", "content": answer.content}, user(result)]
    answer = await client.messages.create(**request)
    assert (paths, answer.content[-1].text) == (["1", "2"], "finished")


async def test_forced_tools_get_arguments_that_fit(client: AsyncAnthropic) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 9}}}
    answer = await client.messages.create(
        **asking(
            "hi",
            model="claude-opus-5",
            tools=[WRITE_FILE, {"name": "count", "input_schema": schema}],
            tool_choice={"type": "tool", "name": "count"},
        )
    )
    (call,) = answer.content
    assert (call.name, call.input) == ("count", {"n": 9})


async def test_one_call_where_parallel_ones_are_unwanted(client: AsyncAnthropic) -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    request = asking("[[tool a]] [[tool b]]", tools=[WRITE_FILE], tool_choice=choice)
    answer = await client.messages.create(**request)
    assert [block.name for block in answer.content if block.type == "tool_use"] == ["a"]


async def test_structured_output_is_json_of_the_schema(client: AsyncAnthropic) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "size": {"enum": ["big", "small"]}},
        "required": ["city", "size"],
        "additionalProperties": False,
    }
    config = {"format": {"type": "json_schema", "schema": schema}}
    answer = await client.messages.create(**asking("hi", output_config=config))
    assert answer.content[-1].text == '{"city": "city", "size": "big"}'


async def test_limits_end_the_text(client: AsyncAnthropic) -> None:
    words = "[[say one two three four five six seven]]"
    plain, streamed = await both(client, **asking(words, max_tokens=2))
    assert plain.stop_reason == streamed.stop_reason == "max_tokens"
    assert plain.content[-1].text == streamed.content[-1].text == "one two "
    plain, streamed = await both(client, **asking(words, stop_sequences=["four", "three"]))
    assert (plain.stop_reason, plain.stop_sequence) == ("stop_sequence", "three")
    assert plain.content[-1].text == streamed.content[-1].text == "one two "


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("[[error 400 invalid_request_error]]", anthropic.BadRequestError),
        ("[[error 403 permission_error]]", anthropic.PermissionDeniedError),
        ("[[error 429 rate_limit_error]] [[retry-after 7]]", anthropic.RateLimitError),
        ("[[error 529 overloaded_error]]", anthropic.InternalServerError),
        ("[[html 502]]", anthropic.InternalServerError),
    ],
)
async def test_errors_have_the_shape_that_the_sdk_expects(
    client: AsyncAnthropic, words: str, error: type[anthropic.APIStatusError]
) -> None:
    with pytest.raises(error) as raised:
        await client.messages.create(**asking(words))
    response = raised.value.response
    if "html" not in words:
        assert response.headers["request-id"].startswith("req_")
        assert raised.value.type == words.split()[2].rstrip("]")
        assert raised.value.request_id == response.headers["request-id"]
    if "retry-after" in words:
        assert response.headers["retry-after"] == "7"


async def test_a_failure_may_pass(provider: EmbeddedProvider) -> None:
    async with AsyncAnthropic(base_url=provider.base_url, api_key="key") as client:
        words = "[[error 529 overloaded_error 1]] [[retry-after 0.01]] [[say at last]]"
        answer = await client.messages.create(**asking(words))
    assert answer.content[-1].text == "at last"
    assert [request.status for request in provider.requests] == [529, 200]


async def test_an_error_in_the_stream_is_raised(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.APIStatusError) as raised:
        async with client.messages.stream(
            **asking("[[error-in-stream overloaded_error]]")
        ) as stream:
            await stream.get_final_message()
    assert raised.value.type == "overloaded_error"


async def test_models_and_token_counts(client: AsyncAnthropic) -> None:
    models = [model.id async for model in client.models.list()]
    assert {"claude-opus-5-5", SONNET} <= set(models)
    count = await client.messages.count_tokens(model=SONNET, messages=[user("word " * 400)])
    assert 400 < count.input_tokens < 800


async def test_the_cache_counts_what_was_marked(client: AsyncAnthropic) -> None:
    system = [
        {"type": "text", "text": "rule " * 2000, "cache_control": {"type": "ephemeral"}},
    ]
    first = await client.messages.create(**asking("one", system=system))
    second = await client.messages.create(**asking("two", system=system))
    other = await client.messages.create(
        **asking("two", system=[{**system[0], "text": "law " * 2000}])
    )
    written = first.usage.cache_creation_input_tokens
    assert written
    assert written > 2000
    assert first.usage.cache_read_input_tokens == 0
    assert second.usage.cache_read_input_tokens == written
    assert second.usage.cache_creation_input_tokens == 0
    assert other.usage.cache_read_input_tokens == 0


async def test_a_tool_that_runs_javascript_gets_a_script(client):
    """Codex's `exec`, as a format without free-text tools offers it."""
    arguments = {"type": "object", "properties": {"input": {"type": "string"}}}
    tool = {
        "name": "functions__exec",
        "input_schema": {**arguments, "required": ["input"], "additionalProperties": False},
    }
    prompt = "Create a file named b.txt containing exactly the text hi."
    message = await client.messages.create(**asking(prompt, tools=[tool]))
    (call,) = [block for block in message.content if block.type == "tool_use"]
    assert "await tools.exec_command(" in call.input["input"]
    assert "printf 'hi" in call.input["input"]
    assert "> b.txt" in call.input["input"]
