"""Responses that lean on earlier ones, by the official SDK, answered by providers without state."""

import asyncio
import json

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import running_proxy
from tests.support.rules import write_rules

MODEL = "gpt-6-sol"


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture
async def proxy(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_home=str(tmp_path)) as running:
        yield running


@pytest.fixture
async def client(proxy):
    async with proxy.openai() as client:
        yield client


def texts(sent):
    """The texts of what a provider got, turn by turn."""
    return [
        [block["text"] for block in message["content"] if block["type"] == "text"]
        if isinstance(message["content"], list)
        else [message["content"]]
        for message in sent.json()["messages"]
    ]


async def test_a_chain_of_responses(client, provider):
    first = await client.responses.create(
        model=MODEL, input="[[say one]]", instructions="Be brief.", store=True
    )
    second = await client.responses.create(
        model=MODEL, input="[[say two]]", previous_response_id=first.id
    )
    third = await client.responses.create(
        model=MODEL, input=[{"role": "user", "content": "[[say three]]"}],
        previous_response_id=second.id,
    )  # fmt: skip
    assert [first.output_text, second.output_text, third.output_text] == ["one", "two", "three"]
    assert texts(provider.requests[-1]) == [
        ["[[say one]]"], ["one"], ["[[say two]]"], ["two"], ["[[say three]]"]
    ]  # fmt: skip
    kinds = [block["type"] for message in provider.requests[-1].json()["messages"]
             if message["role"] == "assistant" for block in message["content"]]  # fmt: skip
    assert kinds == ["text", "thinking", "text"]  # the first thought was had under instructions
    assert "Be brief." not in str(provider.requests[-1].json())
    assert third.previous_response_id == second.id
    assert (third.store, third.background) == (True, False)
    assert len({first.id, second.id, third.id}) == 3


async def test_a_stream_is_remembered_too(client, provider):
    async with client.responses.stream(model=MODEL, input="[[say one]]") as stream:
        first = await stream.get_final_response()
    async with client.responses.stream(
        model=MODEL, input="[[say two]]", previous_response_id=first.id
    ) as stream:
        second = await stream.get_final_response()
    assert second.output_text == "two"
    assert texts(provider.requests[-1]) == [["[[say one]]"], ["one"], ["[[say two]]"]]


async def test_a_response_can_be_looked_at_and_deleted(client):
    made = await client.responses.create(model=MODEL, input="[[say hi]]", metadata={"a": "b"})
    found = await client.responses.retrieve(made.id)
    assert found.model_dump() == made.model_dump()
    assert found.metadata == {"a": "b"}
    await client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found"):
        await client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model=MODEL, input="x", previous_response_id=made.id)
    assert caught.value.code == "previous_response_not_found"
    assert caught.value.param == "previous_response_id"


async def test_what_is_not_to_be_stored_is_not(client):
    made = await client.responses.create(model=MODEL, input="[[say hi]]", store=False)
    assert made.store is False
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError, match="not found"):
        await client.responses.create(model=MODEL, input="x", previous_response_id=made.id)


async def test_a_finished_response_can_be_streamed_again(client):
    made = await client.responses.create(model=MODEL, input="[[think hm]] [[say hello world]]")
    stream = await client.responses.retrieve(made.id, stream=True)
    events = [event async for event in stream]
    assert events[0].type == "response.created"
    assert events[-1].response.model_dump() == made.model_dump()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    rest = await client.responses.retrieve(made.id, stream=True, starting_after=3)
    assert [event.sequence_number async for event in rest] == list(range(4, len(events)))


async def test_input_items_come_a_page_at_a_time(client):
    first = await client.responses.create(model=MODEL, input="[[say one]]")
    second = await client.responses.create(
        model=MODEL, input=[{"role": "user", "content": f"{n}"} for n in range(5)],
        previous_response_id=first.id,
    )  # fmt: skip
    page = await client.responses.input_items.list(second.id, limit=3, order="asc")
    everything = [item async for item in page if item.type == "message"]
    assert [item.content[0].text for item in everything] == [
        "[[say one]]", "one", "0", "1", "2", "3", "4"
    ]  # fmt: skip
    assert len({item.id async for item in page}) == 8  # a thought among them
    newest = await client.responses.input_items.list(second.id)
    assert newest.data[0].content[0].text == "4"
    assert newest.has_more is False


async def test_references_to_stored_items(client, provider):
    made = await client.responses.create(model=MODEL, input="[[think hm]] [[say one]]")
    items = [{"role": "user", "content": "[[think hm]] [[say one]]"},
             *({"type": "item_reference", "id": item.id} for item in made.output),
             {"role": "user", "content": "[[say two]]"}]  # fmt: skip
    second = await client.responses.create(model=MODEL, input=items)
    assert second.output_text == "two"
    assert texts(provider.requests[-1])[1][-1] == "one"
    with pytest.raises(openai.NotFoundError, match="Item with id 'rs_1' not found"):
        await client.responses.create(model=MODEL, input=[{"type": "item_reference", "id": "rs_1"}])


async def test_a_cancelled_agent_leaves_nothing_behind(proxy, client, provider):
    stream = await client.responses.create(
        model=MODEL, input="[[gate]] [[say one two three]]", stream=True
    )
    async for event in stream:
        if event.type == "response.created":
            identifier = event.response.id
            break
    await stream.close()
    provider.open_gate()
    await asyncio.sleep(0.05)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(identifier)


async def test_state_survives_a_restart(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_home=str(tmp_path)) as proxy, proxy.openai() as client:
        first = await client.responses.create(model=MODEL, input="[[say one]]")
    async with running_proxy(rules, detour_home=str(tmp_path)) as proxy, proxy.openai() as client:
        again = await client.responses.retrieve(first.id)
        assert again.output_text == "one"
        second = await client.responses.create(
            model=MODEL, input="[[say two]]", previous_response_id=first.id
        )
        assert second.output_text == "two"
    assert texts(provider.requests[-1])[0] == ["[[say one]]"]


async def test_rules_see_the_whole_conversation(provider, tmp_path):
    rules = json.dumps({
        "version": 1,
        "providers": {"anthropic": {"base_url": provider.base_url}},
        "rules": [
            {"name": "long", "when": {"input_tokens": "> 500"}, "use": "anthropic:claude-opus-5-5"}
        ],
        "default": "anthropic:claude-sonnet-5-5",
    })  # fmt: skip
    async with running_proxy(rules, detour_home=str(tmp_path)) as proxy, proxy.openai() as client:
        first = await client.responses.create(model=MODEL, input="word " * 600 + "[[say one]]")
        await client.responses.create(
            model=MODEL, input="[[say two]]", previous_response_id=first.id
        )
    assert provider.requests[-1].json()["model"] == "claude-opus-5-5"


async def test_another_agent_takes_over_with_the_whole_history(client, provider):
    add = {"type": "function", "name": "add", "parameters": {"type": "object"}}
    question = {"role": "user", "content": '[[think hm]] [[tool add {"a": 1}]]'}
    made = await client.responses.create(
        model=MODEL, input=[question], instructions="You add.", tools=[add], store=False
    )
    call = made.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "1"}
    history = [question, *(item.model_dump(exclude_none=True) for item in made.output), result]
    for instructions, tools, kinds in (
        ("You add.", [add], ["thinking", "tool_use"]),
        ("You subtract.", [add], ["tool_use"]),
        ("You add.", [add, {**add, "name": "subtract"}], ["tool_use"]),
    ):
        await client.responses.create(
            model=MODEL, input=history, instructions=instructions, tools=tools, store=False
        )
        sent = provider.requests[-1].json()["messages"][1]["content"]
        assert [block["type"] for block in sent] == kinds
