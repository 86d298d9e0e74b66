"""Compaction by the official SDK, through providers that know none."""

import json

import openai
import pytest

from addon.embedded import EmbeddedProvider
from addon.formats.openai_responses.compaction import compacted, compaction_events
from addon.neutral import ProviderResponseError
from tests.interceptor.test_state_rules import ADD, Keeper, response, to_openai, write
from tests.interceptor.test_stateful_responses import MODEL
from tests.support.proxy import running_proxy


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture(params=["anthropic:claude-sonnet-5-5", "plain:some-model"])
async def client(request, provider, tmp_path):
    rules = write(provider, {"name": "all", "use": request.param})
    async with (
        running_proxy(rules, detour_home=str(tmp_path)) as proxy,
        proxy.openai() as client,
    ):
        yield client


async def work(client):
    """Let a tool be called, and return the last response."""
    first = await client.responses.create(
        model=MODEL, input='[[think hm]] [[tool add {"a": 1}]]', tools=[ADD]
    )
    result = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "1"}
    return await client.responses.create(
        model=MODEL, input=[result], tools=[ADD], previous_response_id=first.id
    )


async def test_a_history_becomes_a_summary(client, provider):
    last = await work(client)
    made = await client.responses.compact(
        model=MODEL, previous_response_id=last.id, input="and so on"
    )
    assert made.object == "response.compaction"
    assert [item.type for item in made.output] == ["message", "message", "compaction"]
    assert made.output[1].content[0].text == "and so on"
    assert made.usage.total_tokens > 0
    summary = provider.requests[-1].json()
    assert "Summarise this conversation" in json.dumps(summary["messages"][-1])
    assert not summary.get("stream")
    history = [item.model_dump(exclude_none=True, warnings=False) for item in made.output]
    answer = await client.responses.create(
        model=MODEL, input=[*history, {"role": "user", "content": "[[say on we go]]"}]
    )
    assert answer.output_text == "on we go"
    told = json.dumps(provider.requests[-1].json()["messages"])
    assert "Summary of what was said and done so far" in told
    assert "dt1." not in told


async def test_nothing_cannot_be_compacted(client):
    with pytest.raises(openai.BadRequestError, match="input"):
        await client.responses.compact(model=MODEL)
    with pytest.raises(openai.BadRequestError, match="not found"):
        await client.responses.compact(model=MODEL, previous_response_id="resp_x")


@pytest.mark.parametrize("answer", [
    b"",
    b"[]",
    b'{"status": "completed", "output": []}',
    json.dumps({**response("resp_1"), "status": "incomplete"}).encode(),
])  # fmt: skip
def test_an_answer_without_a_whole_summary_is_an_error(answer):
    with pytest.raises(ProviderResponseError):
        compacted(answer, [], "resp_2")
    with pytest.raises(ProviderResponseError):
        compaction_events(answer, "resp_2")


async def test_what_openai_has_compacted_is_refused_by_name(client):
    foreign = {"type": "compaction", "encrypted_content": "gAAAAAB"}
    with pytest.raises(openai.BadRequestError, match="compaction"):
        await client.responses.create(
            model=MODEL, input=[foreign, {"role": "user", "content": "x"}]
        )


async def test_a_provider_that_compacts_does_it_itself(provider, tmp_path):
    keeper = Keeper()
    async with keeper.server as server:
        rules = write(provider, {"name": "all", "use": "openai:gpt-6-luna"}, **to_openai(server))
        async with (
            running_proxy(rules, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            await client.responses.compact(model=MODEL, input="hi")
    assert keeper.asked == [("POST", "/v1/responses/compact")]
    assert json.loads(server.exchanges[0].body) == {"model": "gpt-6-luna", "input": "hi"}


async def test_our_summary_is_told_to_openai_in_words(provider, tmp_path):
    keeper = Keeper()
    async with keeper.server as server:
        first = write(provider, {"name": "all", "use": "anthropic:claude-sonnet-5-5"})
        async with (
            running_proxy(first, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            made = await client.responses.compact(model=MODEL, input="hi")
        then = write(provider, {"name": "all", "use": "openai:*"}, **to_openai(server))
        async with (
            running_proxy(then, detour_home=str(tmp_path)) as proxy,
            proxy.openai() as client,
        ):
            history = [item.model_dump(exclude_none=True, warnings=False) for item in made.output]
            await client.responses.create(model=MODEL, input=history)
    sent = json.loads(server.exchanges[0].body)["input"]
    assert [item["type"] for item in sent] == ["message", "message"]
    assert sent[1]["content"][0]["text"].startswith("Summary of what was said")


TRIGGERED = [
    {"role": "user", "content": "[[say first]]"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "first"}]},
    {"type": "compaction_trigger"},
]


async def test_a_trigger_amid_the_input_is_answered_by_a_compaction_item(client, provider):
    async with client.responses.stream(model=MODEL, input=TRIGGERED, store=False) as stream:
        kinds = [event.type async for event in stream]
        made = await stream.get_final_response()
    assert kinds == [
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ]
    (item,) = made.output
    assert (item.type, made.status) == ("compaction", "completed")
    summary = provider.requests[-1].json()
    assert "Summarise this conversation" in json.dumps(summary["messages"][-1])
    history = [item.model_dump(exclude_none=True, warnings=False)]
    answer = await client.responses.create(
        model=MODEL, input=[*history, {"role": "user", "content": "[[say on we go]]"}], store=False
    )
    assert answer.output_text == "on we go"
    assert "Summary of what was said" in json.dumps(provider.requests[-1].json()["messages"])
