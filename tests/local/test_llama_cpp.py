"""The official clients through Detour to a real llama.cpp server."""

import asyncio
import json

import anthropic
import httpx2
import openai
import pytest

from addon.engine import local_servers
from tests.support.llama_server import CONTEXT, llama_router, needs_llama_server
from tests.support.proxy import AGENT_KEY, Proxy, agent_context, running_proxy
from tests.support.tiny_model import ANSWER, ARGUMENTS, CALLED, REPORT, THOUGHT

pytestmark = needs_llama_server

RULES = "version: 1\ndefault: local:auto\n"
HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = [{"role": "user", "content": "How is the weather?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": CALLED,
        "description": "Tells the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def anthropic_client(proxy):
    http = anthropic.DefaultAsyncHttpxClient(proxy=proxy.url(), verify=agent_context())
    return anthropic.AsyncAnthropic(api_key=AGENT_KEY, http_client=http, max_retries=0)


@pytest.fixture
async def proxy(llama):
    async with running_proxy(RULES, environment={}) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy: Proxy):
    async with proxy.openai() as client:
        yield client


async def test_its_model_is_in_the_list(client):
    models = [model async for model in await client.models.list()]
    assert "local:tiny" in [model.id for model in models]
    one = await client.models.retrieve("local:tiny")
    assert one.owned_by == "local"


async def test_what_it_says_of_its_context_is_told_to_agents_that_ask(proxy):
    async with anthropic_client(proxy) as client:
        models = {model.id: model async for model in client.models.list()}
    assert models["local:tiny"].max_input_tokens == CONTEXT


@pytest.mark.parametrize("model", ["gpt-5.1", "local:tiny", "local/tiny", "local:anything"])
async def test_an_answer(client, model):
    answer = await client.chat.completions.create(model=model, messages=HELLO)
    [choice] = answer.choices
    assert choice.message.content == ANSWER
    assert choice.finish_reason == "stop"
    assert answer.model == "tiny"
    assert answer.usage.completion_tokens == 7
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 7


async def test_a_streamed_answer_with_its_usage(client):
    stream = await client.chat.completions.create(
        model="gpt-5.1", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert len([word for word in words if word]) > 3
    assert "".join(word or "" for word in words) == ANSWER
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 7


async def test_usage_comes_only_where_it_was_asked_for(client):
    stream = await client.chat.completions.create(model="gpt-5.1", messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


async def test_thoughts_come_apart_from_words(proxy):
    async with proxy.openai() as client:
        messages = [{"role": "user", "content": "think"}]
        stream = await client.responses.create(model="gpt-5.1", input=messages, stream=True)
        done = [event async for event in stream][-1]
    thought, said = done.response.output
    assert thought.type == "reasoning"
    assert THOUGHT in str(thought)
    assert said.content[0].text == ANSWER


async def test_a_tool_call_and_its_result(client):
    request = {"model": "gpt-5.1", "tools": [TOOL]}
    async with client.chat.completions.stream(messages=WEATHER, **request) as stream:
        answer = await stream.get_final_completion()
    [choice] = answer.choices
    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert (call.function.name, call.function.arguments) == (CALLED, ARGUMENTS)
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    messages = [*WEATHER, choice.message.to_dict(), result]
    answer = await client.chat.completions.create(messages=messages, **request)
    assert answer.choices[0].message.content == REPORT


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": CALLED}}])
async def test_a_forced_tool_call(client, choice):
    answer = await client.chat.completions.create(
        model="gpt-5.1", messages=WEATHER, tools=[TOOL], tool_choice=choice
    )
    [call] = answer.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == json.loads(ARGUMENTS)


async def test_an_agent_of_another_format(proxy):
    tool = {"name": CALLED, "input_schema": TOOL["function"]["parameters"]}
    request = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": WEATHER, "tools": [tool]}
    async with anthropic_client(proxy) as client, client.messages.stream(**request) as stream:
        answer = await stream.get_final_message()
    assert answer.stop_reason == "tool_use"
    assert answer.content[-1].input == json.loads(ARGUMENTS)
    assert answer.usage.output_tokens > 0


async def test_all_that_agents_send_is_taken(client):
    answer = await client.chat.completions.create(
        model="gpt-5.1",
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hello"}], "name": "ann"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": [{"type": "text", "text": word} for word in "ab"]},
        ],
        max_completion_tokens=3,
        temperature=2,
        top_p=0.5,
        seed=1,
        stop=["."],
        store=True,
        metadata={"a": "b"},
        reasoning_effort="minimal",
        verbosity="low",
        parallel_tool_calls=False,
        service_tier="auto",
        user="ann",
    )
    assert answer.choices[0].message.content == "Hello from a"
    assert answer.choices[0].finish_reason == "length"


async def test_embeddings(client):
    answer = await client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert [len(entry.embedding) for entry in answer.data] == [320, 320]
    assert sum(value**2 for value in answer.data[0].embedding) == pytest.approx(1)
    assert answer.usage.prompt_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_as_it_stands(client, stream):
    answer = await client.completions.create(
        model="local:tiny", prompt="<|to_say|>", max_tokens=3, stream=stream
    )
    texts = [c.choices[0].text async for c in answer] if stream else [answer.choices[0].text]
    assert "".join(texts) == "Hello from a"


@pytest.mark.parametrize("stream", [False, True])
async def test_too_long_a_request_is_named_so(client, stream):
    long = [{"role": "user", "content": "x" * (CONTEXT + 100)}]
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="gpt-5.1", messages=long, stream=stream)
    assert caught.value.code == "context_length_exceeded"
    assert str(CONTEXT) in str(caught.value)


async def test_what_it_cannot_do_is_said_before_it_is_asked(client):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    with pytest.raises(openai.BadRequestError, match="local:tiny has no images"):
        await client.chat.completions.create(
            model="gpt-5.1", messages=[{"role": "user", "content": [picture]}]
        )


async def test_it_stops_when_the_agent_leaves(client, llama):
    singing = [{"role": "user", "content": "sing"}]
    stream = await client.chat.completions.create(model="gpt-5.1", messages=singing, stream=True)
    async with httpx2.AsyncClient(trust_env=False) as watcher:

        async def is_busy():
            slots = (await watcher.get(f"{llama}/slots")).json()
            return any(slot["is_processing"] for slot in slots)

        assert (await anext(stream)).choices
        assert await is_busy()
        await stream.close()
        for _ in range(100):
            if not await is_busy():
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("it goes on for nobody")
    answer = await client.chat.completions.create(model="gpt-5.1", messages=HELLO)
    assert answer.choices[0].message.content == ANSWER


async def test_many_at_a_time(client):
    answers = await asyncio.gather(
        *(client.chat.completions.create(model="gpt-5.1", messages=HELLO) for _ in range(20))
    )
    assert {answer.choices[0].message.content for answer in answers} == {ANSWER}


async def test_a_server_of_several_models(tmp_path, monkeypatch):
    monkeypatch.setattr(local_servers, "PRESENT", 0)
    with llama_router(tmp_path, "alpha", "beta") as port:
        monkeypatch.setattr(local_servers, "PORTS", {port: "llama.cpp"})
        async with running_proxy(RULES, environment={}) as proxy, proxy.openai() as client:
            listed = [model.id async for model in await client.models.list()]
            assert listed[-2:] == ["local:alpha", "local:beta"]
            answer = await client.chat.completions.create(model="local:beta", messages=HELLO)
            assert answer.choices[0].message.content == ANSWER
            answer = await client.chat.completions.create(model="gpt-5.1", messages=HELLO)
            assert answer.model == "beta"  # which is in memory by now
            with pytest.raises(openai.NotFoundError, match="model 'gamma' not found"):
                await client.chat.completions.create(model="local:gamma", messages=HELLO)
