"""Answers that a provider suspends, asked for to their end behind the agent's back."""

from __future__ import annotations

import json

import openai
import pytest

from tests.support.proxy import PROVIDER_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.servers import ScriptedServer
from tests.support.streams import frames

SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search"}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://a.example", "title": "A"}],
}
THOUGHT = {"type": "thinking", "thinking": "Let me look.", "signature": "sig=="}
CITED = {
    "type": "text",
    "text": "I found it.",
    "citations": [{"type": "web_search_result_location", "url": "https://a.example", "title": "A"}],
}
FIRST = [THOUGHT, {**SEARCH, "input": {"query": "weather"}}, FOUND, CITED]
LAST = [{"type": "text", "text": "It rains."}]


def message(content, stop_reason):
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 4},
    }


def deltas_of(block):
    """Write a block as its beginning and its deltas, as the API streams it."""
    match block["type"]:
        case "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in block["text"]]
            cited = block.get("citations", [])
            deltas += [{"type": "citations_delta", "citation": one} for one in cited]
            begin = {"type": "text", "text": ""}
        case "thinking":
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
            begin = {"type": "thinking", "thinking": "", "signature": ""}
        case "server_tool_use":
            words = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *words)]
            begin = {**block, "input": {}}
        case _:
            deltas, begin = [], block
    return begin, deltas


def streamed(content, stop_reason):
    events = [{"type": "message_start", "message": message([], None)}]
    for index, block in enumerate(content):
        begin, deltas = deltas_of(block)
        events.append({"type": "content_block_start", "index": index, "content_block": begin})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": stop_reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": 4}})
    return frames(*events, {"type": "message_stop"})


class Claude:
    """Pauses a number of times, then answers; or fails at some round."""

    def __init__(self, pauses=1, failing_round=None):
        self.pauses = pauses
        self.failing_round = failing_round
        self.requests = []

    async def __call__(self, exchange):
        body = json.loads(exchange.body)
        self.requests.append(body)
        number = len(self.requests)
        if number == self.failing_round:
            error = {"type": "overloaded_error", "message": "Overloaded"}
            await exchange.answer(json.dumps({"type": "error", "error": error}).encode(), 529)
            return
        paused = number <= self.pauses
        content, reason = (FIRST, "pause_turn") if paused else (LAST, "end_turn")
        if not body.get("stream"):
            await exchange.answer(json.dumps(message(content, reason)).encode())
            return
        await exchange.begin()
        for frame in streamed(content, reason):
            await exchange.chunk(frame)
        await exchange.end()


def rules(server, format="anthropic", model="claude-sonnet-5-5"):
    provider = {"base_url": server.url, "formats": [format], "api_key": PROVIDER_KEY}
    return write_rules(providers={"mine": provider}, use=f"mine:{model}")


QUESTION = {
    "model": "gpt-5",
    "messages": [{"role": "user", "content": "Weather?"}],
    "web_search_options": {},
}


async def ask_chat(client, stream):
    """Return text, thoughts, usage and finish reason of a Chat answer."""
    if not stream:
        answer = await client.chat.completions.create(**QUESTION)
        return answer.choices[0].message, answer.usage, answer.choices[0].finish_reason
    options = {"stream_options": {"include_usage": True}}
    async with client.chat.completions.stream(**QUESTION, **options) as events:
        answer = await events.get_final_completion()
    return answer.choices[0].message, answer.usage, answer.choices[0].finish_reason


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("pauses", [1, 2])
async def test_a_paused_turn_goes_on(stream, pauses):
    claude = Claude(pauses)
    async with ScriptedServer(claude) as server, running_proxy(rules(server)) as proxy:
        async with proxy.openai() as client:
            said, usage, finish_reason = await ask_chat(client, stream)
        (flow,) = proxy.flows
    assert said.content.endswith("It rains.")
    assert said.content.count("I found it.") == pauses
    assert finish_reason == "stop"
    assert usage.prompt_tokens == 10 * (pauses + 1)
    assert usage.completion_tokens == 4 * (pauses + 1)
    first, *more = claude.requests
    assert len(more) == pauses
    for number, request in enumerate(more, 1):
        *before, last = request["messages"]
        assert before == first["messages"]
        assert last == {"role": "assistant", "content": FIRST * number}
        assert {**request, "messages": 0} == {**first, "messages": 0}
    losses = flow.metadata["detour.summary"]["losses"]
    assert any("asked to go on" in loss["reason"] for loss in losses)


@pytest.mark.parametrize("stream", [False, True])
async def test_agents_of_responses_get_one_response(stream):
    claude = Claude()
    question = {"model": "gpt-5", "input": "Weather?", "tools": [{"type": "web_search"}]}
    async with (
        ScriptedServer(claude) as server,
        running_proxy(rules(server)) as proxy,
        proxy.openai() as client,
    ):
        if stream:
            async with client.responses.stream(**question) as events:
                kinds = [event.type async for event in events]
                response = await events.get_final_response()
            assert kinds.count("response.created") == kinds.count("response.completed") == 1
        else:
            response = await client.responses.create(**question)
    assert response.output_text.endswith("It rains.")
    assert response.usage.output_tokens == 8


async def test_agents_of_anthropic_go_on_by_themselves():
    claude = Claude()
    async with ScriptedServer(claude) as server, running_proxy(rules(server)) as proxy:
        tools = [{"type": "web_search_20250305", "name": "web_search"}]
        body = {**QUESTION, "max_tokens": 100, "tools": tools}
        del body["web_search_options"]
        async with proxy.client() as client:
            answer = await client.post("https://api.anthropic.com/v1/messages", json=body)
    assert answer.json() == message(FIRST, "pause_turn")
    assert len(claude.requests) == 1


async def test_what_fails_on_the_way_is_an_error():
    for stream in (False, True):
        claude = Claude(failing_round=2)
        async with (
            ScriptedServer(claude) as server,
            running_proxy(rules(server)) as proxy,
            proxy.openai() as client,
        ):
            with pytest.raises(openai.APIError, match="Overloaded"):
                await ask_chat(client, stream)
        assert len(claude.requests) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_there_is_an_end_to_it(stream):
    claude = Claude(pauses=1000)
    async with (
        ScriptedServer(claude) as server,
        running_proxy(rules(server)) as proxy,
        proxy.openai() as client,
    ):
        said, _, finish_reason = await ask_chat(client, stream)
    assert len(claude.requests) == 11
    assert said.content.count("I found it.") == 11
    assert finish_reason == "stop"


class Gemini:
    """Gives an answer in three parts, cut within a word."""

    def __init__(self):
        self.requests = []

    async def __call__(self, exchange):
        body = json.loads(exchange.body)
        self.requests.append(body)
        token = body.get("continuationToken", "0")
        words = ("A very lo", "ng ans", "wer.")[int(token)]
        ends = (
            {"finishReason": "STOP"}
            if token == "2"
            else {"finishReason": "CONTINUATION", "continuationToken": str(int(token) + 1)}
        )
        usage = {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}}
        more = {"content": {"role": "model", "parts": [{"text": words[:3]}]}}
        rest = {"content": {"role": "model", "parts": [{"text": words[3:]}]}}
        if "stream" not in exchange.path:
            whole = {"content": {"role": "model", "parts": [{"text": words}]}, **ends}
            await exchange.answer(json.dumps({"candidates": [whole], **usage}).encode())
            return
        await exchange.begin()
        for chunk in ({"candidates": [more]}, {"candidates": [{**rest, **ends}], **usage}):
            await exchange.chunk(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n")
        await exchange.end()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_very_long_answer_comes_in_one_piece(stream):
    gemini = Gemini()
    question = {"model": "gpt-5", "input": "Write."}
    async with (
        ScriptedServer(gemini) as server,
        running_proxy(rules(server, "gemini", "gemini-4-argon")) as proxy,
        proxy.openai() as client,
    ):
        if stream:
            async with client.responses.stream(**question) as events:
                response = await events.get_final_response()
        else:
            response = await client.responses.create(**question)
    (item,) = response.output
    assert [part.text for part in item.content] == ["A very long answer."]
    assert response.usage.output_tokens == 9
    first, second, third = gemini.requests
    assert second == {**first, "continuationToken": "1"}
    assert third == {**first, "continuationToken": "2"}
