"""What is kept of the responses of a socket, and what a socket can go on from."""

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.proxy import AGENT_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.sockets import create, socket_agent, text_of

URL = "https://api.openai.com/v1"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture
async def proxy(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_home=str(tmp_path)) as running:
        yield running


def roles(request):
    return [message["role"] for message in request.json()["messages"]]


async def test_a_stored_response_can_be_fetched_and_gone_on_from_by_http(proxy, provider):
    async with socket_agent(proxy) as agent, proxy.client(headers=KEY) as client:
        events = await agent.respond(create("[[say one]]"))
        identifier = events[-1]["response"]["id"]
        found = await client.get(f"{URL}/responses/{identifier}")
        assert found.json()["output"] == events[-1]["response"]["output"]
        second = {"model": "gpt-5.1", "input": "[[say two]]", "previous_response_id": identifier}
        answer = await client.post(f"{URL}/responses", json=second)
    assert answer.json()["previous_response_id"] == identifier
    assert roles(provider.requests[1]) == ["user", "assistant", "user"]


async def test_a_response_that_is_not_stored_is_known_on_its_socket_only(proxy):
    async with socket_agent(proxy) as agent, proxy.client(headers=KEY) as client:
        events = await agent.respond(create("[[say one]]", store=False))
        identifier = events[-1]["response"]["id"]
        assert (await client.get(f"{URL}/responses/{identifier}")).status_code == 404
        message = create("[[say two]]", previous_response_id=identifier, store=False)
        assert text_of(await agent.respond(message)) == "two"
        async with socket_agent(proxy) as other:
            (error,) = await other.respond(message)
            assert error["error"]["code"] == "previous_response_not_found"


async def test_a_socket_goes_on_from_what_was_said_by_http(proxy, provider):
    first = {"model": "gpt-5.1", "input": "[[say one]]"}
    async with socket_agent(proxy) as agent, proxy.client(headers=KEY) as client:
        answer = await client.post(f"{URL}/responses", json=first)
        previous = answer.json()["id"]
        for word in ("two", "three"):
            message = create(f"[[say {word}]]", previous_response_id=previous, store=False)
            events = await agent.respond(message)
            assert text_of(events) == word
            assert events[-1]["response"]["previous_response_id"] == previous
            previous = events[-1]["response"]["id"]
    assert [len(roles(request)) for request in provider.requests] == [1, 3, 5]


async def test_a_conversation_grows_on_a_socket(proxy, provider):
    async with socket_agent(proxy) as agent, proxy.client(headers=KEY) as client:
        made = await client.post(f"{URL}/conversations", json={})
        conversation = made.json()["id"]
        for word in ("one", "two"):
            message = create(f"[[say {word}]]", conversation=conversation)
            assert text_of(await agent.respond(message)) == word
        items = await client.get(f"{URL}/conversations/{conversation}/items?order=asc")
    said = [item["role"] for item in items.json()["data"] if item["type"] == "message"]
    assert said == ["user", "assistant"] * 2
    assert [len(roles(request)) for request in provider.requests] == [1, 3]
