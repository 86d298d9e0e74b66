"""Responses that are made while nobody waits, by the official SDK."""

import asyncio

import msgspec
import openai
import pytest

from addon.embedded import EmbeddedProvider
from addon.interceptor import background
from addon.stateful import Archive, responses
from addon.stateful.documents import StoredResponse
from addon.stateful.responses import new_id
from tests.interceptor.test_stateful_responses import MODEL, texts
from tests.support.proxy import running_proxy
from tests.support.rules import write_rules


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


async def until(holds):
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for says nothing by itself
            await asyncio.sleep(0.01)


async def ended(client, identifier):
    async with asyncio.timeout(5):
        while True:
            response = await client.responses.retrieve(identifier)
            if response.status not in ("queued", "in_progress"):
                return response
            await asyncio.sleep(0.01)


async def test_a_response_is_polled_until_it_is_there(client, provider):
    made = await client.responses.create(
        model=MODEL, input="[[gate]] [[say one two three]]", background=True
    )
    assert made.status in ("queued", "in_progress")
    assert (made.background, made.output) == (True, [])
    polled = await client.responses.retrieve(made.id)
    assert polled.id == made.id
    with pytest.raises(openai.BadRequestError, match="has not ended yet"):
        await client.responses.create(model=MODEL, input="x", previous_response_id=made.id)
    provider.open_gate()
    response = await ended(client, made.id)
    assert (response.status, response.output_text) == ("completed", "one two three")
    assert response.usage.output_tokens > 0
    second = await client.responses.create(
        model=MODEL, input="[[say four]]", previous_response_id=made.id
    )
    assert second.output_text == "four"
    assert texts(provider.requests[-1])[1] == ["one two three"]
    assert provider.requests[0].json()["stream"] is True


async def test_it_goes_on_when_the_agent_has_left(proxy, provider):
    async with proxy.openai() as client:
        stream = await client.responses.create(
            model=MODEL, input="[[gate]] [[events 4]] [[say one two three]]", background=True,
            stream=True,
        )  # fmt: skip
        seen = []
        async for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
        await stream.close()
    identifier = seen[0].response.id
    provider.open_gate()
    async with proxy.openai() as client:
        response = await ended(client, identifier)
        assert response.output_text == "one two three"
        rest = await client.responses.retrieve(
            identifier, stream=True, starting_after=seen[-1].sequence_number
        )
        events = seen + [event async for event in rest]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "one two three"
    assert len(deltas) > 1
    assert events[-1].response.status == "completed"


async def test_a_stream_is_followed_while_it_grows(client, provider):
    made = await client.responses.create(
        model=MODEL, input="[[gate]] [[events 4]] [[say one two three]]", background=True
    )
    stream = await client.responses.retrieve(made.id, stream=True)
    words = ""
    async with asyncio.timeout(5):
        async for event in stream:
            if event.type == "response.output_text.delta":
                words += event.delta
                provider.open_gate()
    assert words == "one two three"
    assert event.type == "response.completed"


async def test_cancelling_ends_the_call_to_the_provider(client, provider):
    made = await client.responses.create(
        model=MODEL, input="[[gate]] [[say one two three]]", background=True
    )
    await until(lambda: provider.requests)
    cancelled = await client.responses.cancel(made.id)
    assert cancelled.status == "cancelled"
    assert (await client.responses.retrieve(made.id)).status == "cancelled"
    assert (await client.responses.cancel(made.id)).status == "cancelled"
    async with asyncio.timeout(5):
        await provider.requests[-1].disconnected.wait()


async def test_only_background_responses_can_be_cancelled(client):
    made = await client.responses.create(model=MODEL, input="[[say hi]]")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        await client.responses.cancel(made.id)


@pytest.mark.parametrize("trouble", [
    "[[error 529 overloaded_error]]",
    "[[error-in-stream overloaded_error]]",
    "[[cut 4]]",
])  # fmt: skip
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_provider_that_fails_makes_the_response_fail(client, trouble, streamed):
    made = await client.responses.create(
        model=MODEL, input=f"{trouble} [[say one two three]]", background=True, stream=streamed
    )
    if streamed:
        first = await anext(made)
        identifier = first.response.id
        with pytest.raises(openai.APIError):
            _ = [event async for event in made]
    else:
        identifier = made.id
    response = await ended(client, identifier)
    assert response.status == "failed"
    assert response.error.message


async def test_what_is_not_to_be_stored_cannot_be_made_in_the_background(client):
    with pytest.raises(openai.BadRequestError, match="store"):
        await client.responses.create(model=MODEL, input="hi", background=True, store=False)


async def test_deleting_ends_it(client, proxy):
    made = await client.responses.create(
        model=MODEL, input="[[gate]] [[say one two three]]", background=True
    )
    await client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.id)


async def test_a_restart_lets_it_fail(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_home=str(tmp_path)) as proxy, proxy.openai() as client:
        made = await client.responses.create(
            model=MODEL, input="[[gate]] [[say one two three]]", background=True
        )
    async with running_proxy(rules, detour_home=str(tmp_path)) as proxy, proxy.openai() as client:
        response = await client.responses.retrieve(made.id)
    assert response.status == "failed"
    assert "stopped while this response was being made" in response.error.message


def running_elsewhere(proxy, lease):
    """Store a response as another process does that makes it."""
    archive = Archive(proxy.interceptor.vault())
    identifier = new_id()
    wire = b'{"id": "%b", "object": "response", "status": "in_progress", "output": []}'
    document = StoredResponse(
        response=msgspec.Raw(wire % identifier.encode()),
        stored_at=archive.now(),
        background=True,
        lease=archive.now() + lease,
    )
    archive.save_response(identifier, document)
    return archive, identifier


async def test_a_crash_lets_it_fail(proxy, client):
    _, identifier = running_elsewhere(proxy, lease=-1)
    response = await client.responses.retrieve(identifier)
    assert response.status == "failed"
    assert response.error.code == "server_error"


async def test_another_process_can_be_polled_and_told_to_cancel(proxy, client):
    _, identifier = running_elsewhere(proxy, lease=60)
    assert (await client.responses.retrieve(identifier)).status == "in_progress"
    with pytest.raises(openai.ConflictError, match="another process"):
        await client.responses.retrieve(identifier, stream=True)
    assert (await client.responses.cancel(identifier)).status == "cancelled"


async def test_a_job_ends_when_another_process_has_cancelled_it(client, proxy, monkeypatch):
    monkeypatch.setattr(background, "LEASE", 0.08)
    made = await client.responses.create(
        model=MODEL, input="[[gate]] [[say one two three]]", background=True
    )
    archive = Archive(proxy.interceptor.vault())
    await asyncio.sleep(0.1)
    document = archive.response(made.id)
    assert document.lease > archive.now()  # renewed
    archive.save_response(made.id, responses.ended(document, "cancelled"))
    await asyncio.sleep(0.1)
    assert (await client.responses.retrieve(made.id)).status == "cancelled"
