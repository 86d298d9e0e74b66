import json

import pytest

from addon import translate_response
from addon.formats import FORMATS
from addon.formats.base import Reply
from addon.neutral import Response, TextPart, ToolCallPart, Usage
from addon.translation import answer_from_stream, stream_from_answer, translate_response_for

ANSWER = Response(
    id="msg_1",
    model="theirs",
    parts=(TextPart("hi"), ToolCallPart("call_1", "ls", '{"p":1}')),
    finish_reason="tool_calls",
    usage=Usage(5, 2, None, 3, None),
)
PAIRS = [(source, target) for source in FORMATS for target in FORMATS]


def write(name):
    return FORMATS[name].render_response(ANSWER, Reply(created=1))[0]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_whole_answer(source, target):
    status, headers, body = translate_response(
        200, [("content-type", "application/json")], write(source), source, target, b'{"model":"m"}'
    )
    parsed, _ = FORMATS[target].parse_response(body)
    assert status == 200
    assert dict(headers)["content-type"] == "application/json"
    assert parsed.parts == ANSWER.parts
    assert (parsed.usage.input_tokens, parsed.usage.output_tokens) == (5, 3)
    if target == "gemini":  # the agent's name of the model stands in its request line
        assert json.loads(body)["modelVersion"] == "theirs"
    else:
        assert json.loads(body)["model"] == ("theirs" if source == target else "m")


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_format_is_untouched(name):
    body = b" " + write(name).replace(b":", b" : ")
    headers = [("x-a", "b"), ("Content-Length", "3"), ("content-encoding", "gzip")]
    assert translate_response(200, headers, body, name, name) == (200, [("x-a", "b")], body)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_an_error_keeps_its_words_and_becomes_the_agents(source, target, status):
    error = b'{"error":{"type":"x","message":"what went wrong"}}'
    answer = translate_response_for(status, (("retry-after", "3"),), error, source, target)
    assert answer.status >= 400
    assert answer.response is None
    assert "what went wrong" in json.dumps(json.loads(answer.body))
    assert dict(answer.headers)["retry-after"] == "3"


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_error_inside_a_success_is_an_error(source, target):
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    assert translate_response(200, [], body, source, target)[0] >= 500


@pytest.mark.parametrize(("source", "target"), [pair for pair in PAIRS if pair[0] != pair[1]])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"x":1}'])
def test_an_answer_that_cannot_be_read_is_an_error(source, target, body):
    status, _, body = translate_response(200, [], body, source, target)
    assert status >= 500
    assert json.loads(body)["error"]["message"]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_answer_can_be_streamed_and_a_stream_gathered(source, target):
    stream, _ = stream_from_answer(ANSWER, source, Reply(created=1))
    answer = answer_from_stream(stream, source, target, Reply(created=1))
    assert FORMATS[target].parse_response(answer.body)[0].parts == ANSWER.parts


def test_a_code_fence_is_taken_off_where_json_was_asked_for():
    fenced = Response(id="r", model="m", parts=(TextPart('```json\n{"a":1}\n```'),))
    body, _ = FORMATS["anthropic"].render_response(fenced, Reply())
    request = b'{"model":"m","response_format":{"type":"json_object"}}'
    _, _, answer = translate_response(200, [], body, "anthropic", "openai-chat", request)
    assert json.loads(answer)["choices"][0]["message"]["content"] == '{"a":1}'


def test_a_providers_dialect_is_mended_where_the_agent_speaks_the_format():
    body = (
        b'{"id":"x","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant",'
        b'"tool_calls":[{"id":"","function":{"name":"ls","arguments":{}}}]}}]}'
    )
    name = "openai-chat"
    untouched = translate_response_for(200, (), body, name, name, b'{"model":"m"}')
    mended = translate_response_for(200, (), body, name, name, b'{"model":"m"}', dialect="mistral")
    assert untouched.body == body
    (choice,) = json.loads(mended.body)["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["id"]
    assert call["function"]["arguments"] == "{}"
    assert choice["finish_reason"] == "tool_calls"
