"""What is recorded of calls through a whole proxy."""

import asyncio
import json
from pathlib import Path

import openai
import pytest

from addon.embedded import EmbeddedProvider
from addon.embedded.anthropic.answer import AnthropicAnswer
from addon.ledger import Reader
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context
from tests.support.rules import write_default, write_rules

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}
SAY = "[[say Hello there!]]"


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


def question(text=SAY, **more):
    return {"model": "gpt-5.1", "messages": [{"role": "user", "content": text}], **more}


def entries(home):
    reader = Reader(home)
    try:
        return [record for _, record in reader.last(10_000)]
    finally:
        reader.close()


async def ask(rules, home, *bodies, agent="", **keywords):
    """Send bodies one after another, end the proxy, and return the records."""
    async with (
        running_proxy(rules, detour_home=str(home), **keywords) as proxy,
        proxy.client(agent, headers=KEY) as client,
    ):
        for body in bodies:
            await client.post(URL, json=body)
    return entries(home)


async def test_a_translated_call_is_recorded(provider, tmp_path):
    body = question(stream=True, stream_options={"include_usage": True}, logit_bias={"1": 1})
    (record,) = await ask(write_rules(provider.base_url), tmp_path, body, agent="coder@")
    assert record.agent == "coder"
    assert (record.endpoint, record.provider, record.requested_model) == (
        "chat",
        "openai",
        "gpt-5.1",
    )
    assert (record.actual_provider, record.model) == ("anthropic", "claude-sonnet-5-5")
    assert (record.source_format, record.target_format) == ("openai-chat", "anthropic")
    assert (record.rule, record.stream, record.status, record.error) == (
        "all to Claude",
        True,
        200,
        None,
    )
    assert 0 < record.first_byte_ms <= record.first_token_ms <= record.duration_ms
    assert record.input_tokens > 0
    assert record.output_tokens > 0
    assert record.cost_usd > 0
    assert [loss["field"] for loss in record.losses] == ["logit_bias"]


async def test_the_first_token_is_not_a_sign_of_life(provider, tmp_path):
    body = question("[[silent 0.3]] [[say late]]", stream=True)
    (record,) = await ask(write_rules(provider.base_url), tmp_path, body, detour_keep_alive="0.05")
    assert record.first_token_ms >= 300


async def test_a_price_that_nobody_knows_is_not_nothing(provider, tmp_path):
    office = {
        "base_url": f"{provider.base_url}/v1",
        "formats": ["openai-chat"],
        "api_key": PROVIDER_KEY,
    }
    rules = write_rules(use="office:claude-sonnet-5-5", providers={"office": office})
    (record,) = await ask(rules, tmp_path, question())
    assert record.output_tokens > 0
    assert record.cost_usd is None


async def test_a_chain_is_recorded_with_its_attempts_and_who_answered(provider, tmp_path):
    rules = write_rules(
        provider.base_url,
        use=["zai:glm-5.3", "anthropic:claude-sonnet-5-5"],
        providers={"zai": {"base_url": "http://127.0.0.1:1/v1", "api_key": PROVIDER_KEY}},
    )
    (record,) = await ask(rules, tmp_path, question())
    assert (record.status, record.error) == (200, None)
    assert (record.actual_provider, record.target_format) == ("anthropic", "anthropic")
    failed, answered = record.attempts
    assert (failed["provider"], failed["model"]) == ("zai", "glm-5.3")
    assert failed["error"].startswith("unreachable: ")
    assert (answered["provider"], answered.get("error")) == ("anthropic", None)
    assert record.cost_usd > 0


async def test_an_error_is_recorded_without_any_key(provider, tmp_path):
    rules = write_rules(
        provider.base_url,
        providers={"anthropic": {"base_url": provider.base_url, "api_key": "bad-key-0123456789"}},
    )
    (record,) = await ask(rules, tmp_path, question())
    assert record.status == 401
    assert record.error.startswith("authentication: ")
    assert (record.output_tokens, record.cost_usd) == (None, None)
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        assert AGENT_KEY.encode() not in path.read_bytes()
        assert b"bad-key-0123456789" not in path.read_bytes()


async def test_a_blocked_call_is_recorded(tmp_path):
    rules = write_rules(use="block", name="never")
    (record,) = await ask(rules, tmp_path, question())
    assert (record.rule, record.status, record.requested_model) == ("never", 403, "gpt-5.1")
    assert record.error.startswith("permission: ")
    assert (record.actual_provider, record.attempts) == (None, [])


async def test_a_call_without_rules_is_recorded(tmp_path):
    (record,) = await ask("no rules", tmp_path, question())
    assert record.status >= 400
    assert record.error


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_passes_tells_its_tokens(tmp_path, stream):
    context = server_context("api.openai.com")
    body = question(stream=stream)
    if stream:
        body["stream_options"] = {"include_usage": True}
    async with EmbeddedProvider(certificate=context) as openai_itself:
        port = int(openai_itself.base_url.rpartition(":")[2])
        (record,) = await ask(
            write_default("pass"),
            tmp_path,
            body,
            hosts={"api.openai.com": ("127.0.0.1", port)},
        )
    assert (record.rule, record.actual_provider, record.model) == ("default", "openai", "gpt-5.1")
    assert (record.requested_model, record.stream, record.status) == ("gpt-5.1", stream, 200)
    assert record.input_tokens > 0
    assert record.output_tokens > 0
    assert 0 < record.first_byte_ms <= record.duration_ms


async def test_an_agent_that_leaves_is_recorded_with_what_was_known(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_home=str(tmp_path)) as proxy:
        async with proxy.openai() as client:
            stream = await client.chat.completions.create(
                **question("[[events 40]] [[slow 0.05]] [[say a b c d e f g h]]"), stream=True
            )
            await anext(aiter(stream))
            await stream.close()
        await proxy.quiet()
    (record,) = entries(tmp_path)
    assert record.error.startswith("disconnected: ")
    assert record.input_tokens > 0
    assert (record.status, record.model) == (200, "claude-sonnet-5-5")


async def test_counts_cost_nothing_that_is_unknown(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_home=str(tmp_path)) as proxy,
        proxy.client(headers={"x-api-key": AGENT_KEY, "anthropic-version": "2023-06-01"}) as client,
    ):
        await client.post(
            "https://api.anthropic.com/v1/messages/count_tokens",
            json={"model": "claude-x", "messages": [{"role": "user", "content": "Hi"}]},
        )
    (record,) = entries(tmp_path)
    assert (record.endpoint, record.status, record.input_tokens) == ("count", 200, None)
    reader = Reader(tmp_path)
    assert [row.unpriced for row in reader.usage()] == [0]
    reader.close()


async def test_a_background_response_is_recorded_when_it_is_done(provider, tmp_path):
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_home=str(tmp_path)) as proxy,
        proxy.openai() as client,
        asyncio.timeout(10),
    ):
        begun = await client.responses.create(model="gpt-5.1", input=SAY, background=True)
        async for _ in await client.responses.retrieve(begun.id, stream=True):
            pass
    made = [record for record in entries(tmp_path) if record.endpoint == "responses"]
    assert [(record.status, record.rule) for record in made] == [(200, "all to Claude")]
    assert made[0].output_tokens > 0


async def test_events_are_written_as_json_lines_on_request(provider, tmp_path):
    events = tmp_path / "events.jsonl"
    rules = write_rules(provider.base_url)
    await ask(rules, tmp_path / "home", question(), question(), detour_events=str(events))
    first, second = map(json.loads, events.read_text().splitlines())
    assert first["model"] == second["model"] == "claude-sonnet-5-5"
    assert AGENT_KEY not in events.read_text()


async def test_a_thousand_exchanges_agree_to_the_token(provider, tmp_path, monkeypatch):
    reported = {"input": 0, "read": 0, "written": 0, "output": 0, "answers": 0}
    final_usage = AnthropicAnswer._final_usage

    def counting(self):
        usage = final_usage(self)
        reported["read"] += usage["cache_read_input_tokens"]
        reported["written"] += usage["cache_creation_input_tokens"]
        reported["input"] += usage["input_tokens"]
        reported["output"] += usage["output_tokens"]
        reported["answers"] += 1
        return usage

    monkeypatch.setattr(AnthropicAnswer, "_final_usage", counting)
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_home=str(tmp_path)) as proxy,
        proxy.client(headers=KEY) as client,
    ):

        async def work(worker):
            for turn in range(125):
                words = " ".join(str(number) for number in range((worker * 125 + turn) % 17))
                body = question(f"{worker} {turn} [[say {words} done]]", stream=turn % 2 == 0)
                response = await client.post(URL, json=body)
                assert response.status_code == 200

        await asyncio.gather(*(work(worker) for worker in range(8)))
    reader = Reader(tmp_path)
    (total,) = reader.usage()
    reader.close()
    assert total.requests == reported["answers"] == 1000
    assert total.output_tokens == reported["output"]
    assert total.cache_read_tokens == reported["read"]
    assert total.cache_write_tokens == reported["written"]
    everything = reported["input"] + reported["read"] + reported["written"]
    assert total.input_tokens == everything
    assert total.unpriced == total.errors == 0


async def test_a_failure_to_record_harms_nobody(provider, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.write_text("a file where a folder should be")
    rules = write_rules(provider.base_url)
    async with running_proxy(rules, detour_home=str(home)) as proxy, proxy.openai() as client:
        answer = await client.chat.completions.create(**question())
        assert answer.choices[0].message.content == "Hello there!"
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(model="gpt-5.1", messages=[])
    assert any("The ledger is incomplete" in line for line in proxy.logs.lines)


async def test_nothing_is_recorded_where_nobody_wants_it(provider, tmp_path):
    rules = write_rules(provider.base_url)
    events = tmp_path / "events.jsonl"
    settings = {"detour_home": str(tmp_path / "home"), "detour_events": str(events)}
    async with (
        running_proxy(rules, detour_ledger_size="0", **settings) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        for stream in (True, False):
            answer = await client.post(URL, json=question(stream=stream))
            assert answer.status_code == 200
    assert not events.exists()
    assert not (tmp_path / "home" / "detour.db").exists()
    assert not (tmp_path / "home" / "unwritten").exists()
