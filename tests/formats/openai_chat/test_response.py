import json

import pytest
from hypothesis import given

from addon.formats.base import Reply
from addon.formats.openai_chat import FORMAT
from addon.neutral import (
    Citation,
    ErrorInfo,
    NativePart,
    ProviderResponseError,
    ReasoningPart,
    RefusalPart,
    Response,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from tests.support.official import chat_facts, read_chat_answer, read_chat_stream
from tests.support.strategies import event_streams

REPLY = Reply(model="asked-for", created=7)


def body(message, finish_reason="stop", **fields):
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return json.dumps({"id": "c1", "model": "m1", "choices": [choice], **fields}).encode()


def parse(message, finish_reason="stop", **fields):
    return FORMAT.parse_response(body(message, finish_reason, **fields))[0]


def render(*parts, reply=REPLY, **fields):
    response = Response(id="r1", model="m1", parts=parts, **fields)
    wire, losses = FORMAT.render_response(response, reply)
    return json.loads(wire), losses


def test_a_whole_answer_is_read():
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    response = parse(
        {"role": "assistant", "content": "A", "reasoning_content": "Hm", "tool_calls": [call]},
        "tool_calls",
        usage={"prompt_tokens": 3, "completion_tokens": 2},
    )
    assert response == Response(
        id="c1",
        model="m1",
        parts=(ReasoningPart("Hm"), TextPart("A"), ToolCallPart("a", "f", '{"x":1}')),
        finish_reason="tool_calls",
        raw_finish_reason="tool_calls",
        usage=Usage(3, None, None, 2, None),
    )


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"tool_calls": None}, ()),
        ({"content": None, "refusal": "No."}, (RefusalPart("No."),)),
        ({"content": {"a": 1}}, (TextPart('{"a":1}'),)),
        ({"content": "<think>Hm</think>A"}, (ReasoningPart("Hm"), TextPart("A"))),
        (
            {"content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "A"}]},
            (ReasoningPart("Hm"), TextPart("A")),
        ),
    ],
)
def test_messages_have_dialects(message, parts):
    assert parse(message).parts == parts


def test_blanks_may_stand_before_the_answer():
    assert FORMAT.parse_response(b"\n   \n" + body({"content": "A"}))[0].parts == (TextPart("A"),)


def test_a_stream_is_read_though_none_was_asked_for():
    wire = b'data: {"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}]}\n\n'
    assert FORMAT.parse_response(wire)[0].parts == (TextPart("A"),)


def test_other_choices_are_listed_as_lost():
    wire = json.loads(body({"content": "A"}))
    wire["choices"].append({"index": 1, "message": {"content": "B"}, "finish_reason": "stop"})
    response, losses = FORMAT.parse_response(json.dumps(wire).encode())
    assert response.parts == (TextPart("A"),)
    assert [loss.field for loss in losses] == ["choices"]


@pytest.mark.parametrize("wire", [b"", b"<html>", b"{}", b'{"choices":[]}', b"[1]", b"data: x\n\n"])
def test_what_is_no_answer_is_refused(wire):
    with pytest.raises(ProviderResponseError):
        FORMAT.parse_response(wire)


def test_an_answer_that_failed_keeps_its_words():
    response = parse({"content": "half"}, "error")
    assert response.finish_reason == "error"
    assert response.parts == (TextPart("half"),)


def test_a_whole_answer_is_written():
    wire, losses = render(
        ReasoningPart("One"),
        ReasoningPart("Two"),
        TextPart("A", (Citation("https://a", "A"),)),
        ToolCallPart("a", "f", ""),
        finish_reason="tool_calls",
        usage=Usage(3, None, None, 2, None),
    )
    assert not losses
    assert wire["id"] == "chatcmpl-r1"
    assert wire["model"] == "asked-for"
    assert wire["choices"][0] == {
        "index": 0,
        "logprobs": None,
        "finish_reason": "tool_calls",
        "message": {
            "role": "assistant",
            "content": "A",
            "refusal": None,
            "annotations": [
                {
                    "type": "url_citation",
                    "url_citation": {
                        "start_index": 0,
                        "end_index": 1,
                        "title": "A",
                        "url": "https://a",
                    },
                }
            ],
            "reasoning_content": "One\n\nTwo",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
    }
    assert wire["usage"]["total_tokens"] == 5


def test_content_is_null_beside_calls_and_empty_without():
    wire, _ = render(ToolCallPart("a", "f", "{}"))
    assert wire["choices"][0]["message"]["content"] is None
    wire, _ = render()
    assert wire["choices"][0]["message"]["content"] == ""
    assert "tool_calls" not in wire["choices"][0]["message"]


def test_custom_calls_are_unwrapped():
    reply = Reply(custom_tools=frozenset(["patch"]))
    wire, _ = render(ToolCallPart("a", "patch", '{"input":"x\\ny"}'), reply=reply)
    (call,) = wire["choices"][0]["message"]["tool_calls"]
    assert call == {"id": "a", "type": "custom", "custom": {"name": "patch", "input": "x\ny"}}


def test_old_agents_get_a_function_call():
    calls = (ToolCallPart("a", "f", "{}"), ToolCallPart("b", "g", "{}"))
    wire, losses = render(*calls, reply=Reply(legacy_functions=True), finish_reason="tool_calls")
    choice = wire["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert [loss.field for loss in losses] == ["tool_calls"]


def test_what_has_no_place_is_listed():
    wire, losses = render(NativePart("anthropic", "web_search_tool_result", {}), TextPart("A"))
    assert wire["choices"][0]["message"]["content"] == "A"
    assert [loss.field for loss in losses] == ["web_search_tool_result"]


@given(event_streams())
def test_a_stream_and_a_whole_answer_say_the_same(stream):
    folded = fold(stream)
    if isinstance(folded, ErrorInfo):
        return
    encoder = FORMAT.encoder(REPLY)
    streamed = b"".join(map(encoder.encode, stream))
    whole, _ = FORMAT.render_response(folded, REPLY)
    assert chat_facts(read_chat_stream(streamed)) == chat_facts(read_chat_answer(whole))
    decoder = FORMAT.decoder()
    reread = fold(decoder.feed(streamed) + decoder.feed_eof())
    assert normalised(reread) == normalised(FORMAT.parse_response(whole)[0])


def normalised(response):
    """Order among kinds is lost in a whole message, and so are the borders between texts."""
    kinds = (ReasoningPart, TextPart, RefusalPart)
    words = [
        "".join(part.text for part in response.parts if isinstance(part, kind)) for kind in kinds
    ]
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    return words, calls, response.finish_reason, response.usage, response.id


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"prompt_tokens": 3.0, "completion_tokens": 2}, Usage(3, None, None, 2, None)),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 15}
            | {"completion_tokens_details": {"reasoning_tokens": 5}},
            Usage(9, None, None, 6, 5),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}
            | {"completion_tokens_details": {"reasoning_tokens": 5}},
            Usage(9, None, None, 6, 5),
        ),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}, Usage(9, 4, None, None, None)),
        ({"prompt_tokens": 9, "cached_tokens": 4}, Usage(9, 4, None, None, None)),
        (
            {"prompt_tokens": 9, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2},
            Usage(9, 4, 2, None, None),
        ),
        ({"prompt_tokens": "9"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_usage_has_dialects(wire, usage):
    assert parse({"content": "A"}, usage=wire).usage == usage
