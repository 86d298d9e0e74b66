"""Providers of the same format that know plain functions only."""

import json

import pytest

from addon.formats import FORMATS
from addon.formats.base import Reply, RequestLine
from addon.formats.openai_responses.retelling import needs_retelling
from addon.neutral import (
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    ToolCallDelta,
    fold,
)
from addon.translation import StreamTranslator, translate_response_for
from addon.wire.sse import SseDecoder
from tests.support.recordings import captured_bodies, needs_recordings
from tests.support.responses_requests import check_responses

FORMAT = FORMATS["openai-responses"]
LINE = RequestLine()
EXEC = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]}
BODY = json.dumps({
    "model": "gpt-6", "stream": True, "prompt_cache_key": "k",
    "input": [
        {"type": "additional_tools", "role": "developer", "tools": [EXEC]},
        {"role": "user", "content": "go"},
        {"type": "custom_tool_call", "namespace": "functions", "name": "exec", "call_id": "c",
         "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "a"},
    ],
}).encode()  # fmt: skip
ANSWER = [
    ResponseStart("r", "deepseek"),
    PartStart(0, "tool_call", "c2", "functions__exec"),
    ToolCallDelta(0, '{"input":"cat a"}'),
    PartEnd(0),
    ResponseEnd("tool_calls"),
]


def provider_stream():
    encoder = FORMAT.encoder(Reply(created=1))
    return b"".join(map(encoder.encode, ANSWER))


def told(wire):
    (item,) = wire["output"]
    return item["type"], item.get("namespace"), item["name"], item.get("input")


def test_the_request_goes_out_with_plain_functions():
    wire = json.loads(FORMAT.rewrite_request(BODY, LINE, "deepseek-v4-pro", "deepseek").body)
    assert [tool["name"] for tool in wire["tools"]] == ["functions__exec"]
    assert [item["type"] for item in wire["input"]] == [
        "message", "function_call", "function_call_output"]  # fmt: skip
    assert json.loads(wire["input"][1]["arguments"]) == {"input": "ls"}
    assert "prompt_cache_key" not in wire


def test_the_answer_comes_back_with_the_agents_own_tools():
    stream = provider_stream()
    for cut in range(0, len(stream), 97):
        translator = StreamTranslator(
            "openai-responses", "openai-responses", BODY, dialect="deepseek"
        )
        output = translator.feed(stream[:cut]) + translator.feed(stream[cut:]) + translator.close()
        last = json.loads(SseDecoder().feed(output)[-1].data)
        assert last["type"] == "response.completed"
        expected = ("custom_tool_call", "functions", "exec", "cat a")
        assert told(last["response"]) == expected
    plain, _ = FORMAT.render_response(fold(ANSWER), Reply(created=1))
    answer = translate_response_for(
        200, (), plain, "openai-responses", "openai-responses", BODY, dialect="deepseek"
    )
    assert told(json.loads(answer.body)) == expected


def test_a_cut_stream_ends_in_an_error():
    translator = StreamTranslator("openai-responses", "openai-responses", BODY, dialect="deepseek")
    stream = provider_stream()
    output = translator.feed(stream[: len(stream) // 2]) + translator.close()
    assert json.loads(SseDecoder().feed(output)[-1].data)["type"] == "response.failed"
    assert translator.ended


@pytest.mark.parametrize("dialect", ["openai", "azure"])
def test_openai_itself_gets_and_gives_every_byte(dialect):
    assert FORMAT.rewrite_request(BODY, LINE, "gpt-6", dialect).body == BODY
    assert FORMAT.repairer(dialect, FORMAT.reply(BODY, LINE)) is None
    assert FORMAT.repair_response(b"{}", dialect, FORMAT.reply(BODY, LINE)) == b"{}"


def test_plain_functions_need_no_retelling():
    tools = [{"type": "function", "name": "f", "parameters": {}}]
    body = json.dumps({"model": "m", "input": "x", "tools": tools}).encode()
    assert FORMAT.rewrite_request(body, LINE, "m", "deepseek").body == body
    assert FORMAT.repairer("deepseek", FORMAT.reply(body, LINE)) is None


def test_an_answer_that_cannot_be_read_is_left_as_it_is():
    reply = FORMAT.reply(BODY, LINE)
    assert FORMAT.repair_response(b"no json", "deepseek", reply) == b"no json"


@needs_recordings
@pytest.mark.parametrize("dialect", ["deepseek", "xai", "groq"])
def test_every_captured_body_goes_out_in_plain_terms(dialect):
    plain = {"function", "web_search"}
    for name, body in captured_bodies("/v1/responses"):
        rendered = FORMAT.rewrite_request(body, LINE, "m", dialect).body
        if not needs_retelling(FORMAT.reply(body, LINE), dialect):
            continue
        wire = json.loads(rendered)
        assert {tool["type"] for tool in wire.get("tools", ())} <= plain, name
        check_responses(rendered)
