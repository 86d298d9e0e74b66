"""Conversations, by the official SDK, kept by Detour."""

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.interceptor.test_stateful_responses import MODEL, texts
from tests.support.proxy import running_proxy
from tests.support.rules import write_rules

HELLO = {"type": "message", "role": "user", "content": "Hello."}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture
async def client(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_home=str(tmp_path)) as proxy,
        proxy.openai() as client,
    ):
        yield client


async def test_a_conversation_from_its_beginning_to_its_end(client):
    made = await client.conversations.create(metadata={"topic": "demo"}, items=[HELLO])
    assert made.id.startswith("conv_")
    found = await client.conversations.retrieve(made.id)
    assert found == made
    changed = await client.conversations.update(made.id, metadata={"topic": "else"})
    assert changed.metadata == {"topic": "else"}
    gone = await client.conversations.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "conversation.deleted")
    with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found"):
        await client.conversations.retrieve(made.id)


async def test_items_are_added_found_listed_and_deleted(client):
    made = await client.conversations.create(items=[HELLO])
    more = [{"type": "message", "role": "user", "content": f"{n}"} for n in range(4)]
    added = await client.conversations.items.create(made.id, items=more)
    assert [item.content[0].text for item in added.data] == ["0", "1", "2", "3"]
    assert added.first_id == added.data[0].id
    page = await client.conversations.items.list(made.id, limit=2, order="asc")
    everything = [item async for item in page]
    assert [item.content[0].text for item in everything] == ["Hello.", "0", "1", "2", "3"]
    newest = await client.conversations.items.list(made.id, limit=1)
    assert (newest.data[0].content[0].text, newest.has_more) == ("3", True)
    one = await client.conversations.items.retrieve(everything[1].id, conversation_id=made.id)
    assert one == everything[1]
    await client.conversations.items.delete(one.id, conversation_id=made.id)
    with pytest.raises(openai.NotFoundError):
        await client.conversations.items.retrieve(one.id, conversation_id=made.id)
    left = await client.conversations.items.list(made.id, order="asc")
    assert [item.content[0].text for item in left.data] == ["Hello.", "1", "2", "3"]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"order": "up"}])
async def test_a_wrong_query_is_refused(client, query):
    made = await client.conversations.create(items=[HELLO])
    with pytest.raises(openai.BadRequestError) as caught:
        await client.conversations.items.list(made.id, **query)
    assert caught.value.param == next(iter(query))


async def test_an_unknown_place_in_a_list_is_not_found(client):
    made = await client.conversations.create(items=[HELLO])
    with pytest.raises(openai.NotFoundError):
        await client.conversations.items.list(made.id, after="msg_none")


@pytest.mark.parametrize("fields", [
    {"metadata": {"a": 5}},
    {"metadata": ["a"]},
    {"items": [5]},
    {"items": [HELLO] * 21},
])  # fmt: skip
async def test_what_cannot_be_a_conversation_is_refused(client, fields):
    with pytest.raises(openai.BadRequestError):
        await client.conversations.create(extra_body=fields)


@pytest.mark.parametrize("streamed", [False, True])
async def test_responses_belong_to_a_conversation(client, provider, streamed):
    made = await client.conversations.create(items=[HELLO])
    for conversation, words in ((made.id, "one"), ({"id": made.id}, "two")):
        question = f"[[think hm]] [[say {words}]]"
        if streamed:
            async with client.responses.stream(
                model=MODEL, input=question, extra_body={"conversation": conversation}
            ) as stream:
                answer = await stream.get_final_response()
        else:
            answer = await client.responses.create(
                model=MODEL, input=question, conversation=conversation
            )
        assert answer.conversation.id == made.id
    assert texts(provider.requests[-1]) == [
        ["Hello.", "[[think hm]] [[say one]]"], ["one"], ["[[think hm]] [[say two]]"]
    ]  # fmt: skip
    page = await client.conversations.items.list(made.id, order="asc")
    kinds = [item.type async for item in page]
    assert kinds == ["message", *["message", "reasoning", "message"] * 2]
    going_on = await client.responses.create(
        model=MODEL, input="[[say three]]", previous_response_id=answer.id
    )
    assert going_on.output_text == "three"
    assert len(texts(provider.requests[-1])) == 5


async def test_a_refused_call_leaves_a_conversation_as_it_was(client):
    made = await client.conversations.create(items=[HELLO])
    with pytest.raises(openai.APIStatusError):
        await client.responses.create(
            model=MODEL, input="[[error 400 invalid_request_error]]", conversation=made.id
        )
    assert len((await client.conversations.items.list(made.id)).data) == 1


async def test_an_unknown_conversation_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="Conversation with id 'conv_x' not found"):
        await client.responses.create(model=MODEL, input="hi", conversation="conv_x")
    with pytest.raises(openai.BadRequestError, match="Mutually exclusive"):
        await client.responses.create(
            model=MODEL, input="hi", conversation="conv_x", previous_response_id="resp_x"
        )
