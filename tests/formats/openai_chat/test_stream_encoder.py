import json

import openai
import pytest
from hypothesis import given

from addon.formats.base import Reply
from addon.formats.openai_chat import FORMAT
from addon.neutral import (
    Citation,
    ErrorInfo,
    OpaqueState,
    PartEnd,
    PartStart,
    ReasoningDelta,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from tests.support.official import chat_facts, read_chat_stream
from tests.support.strategies import event_streams

START = ResponseStart("r1", "provider-model")
END = ResponseEnd("stop", usage=Usage(10, 4, 2, 5, 3))
REPLY = Reply(model="asked-for", created=7, include_usage=True)


def encode(*events, reply=REPLY):
    encoder = FORMAT.encoder(reply)
    return b"".join(map(encoder.encode, events))


def chunks(wire):
    frames = wire.decode().removesuffix("\n\n").split("\n\n")
    assert all(frame.startswith("data: ") for frame in frames)
    return [frame[6:] if frame == "data: [DONE]" else json.loads(frame[6:]) for frame in frames]


def deltas(wire):
    bodies = [chunk for chunk in chunks(wire) if isinstance(chunk, dict)]
    return [chunk["choices"][0]["delta"] for chunk in bodies if chunk.get("choices")]


def text(index=0, *words):
    return [PartStart(index, "text"), *(TextDelta(index, word) for word in words), PartEnd(index)]


def call(index, name, *arguments, kind="function"):
    start = PartStart(index, "tool_call", f"call_{index}", name, kind)
    return [start, *(ToolCallDelta(index, piece) for piece in arguments), PartEnd(index)]


def test_the_grammar_of_a_stream():
    output = chunks(encode(START, *text(0, "Hel", "lo"), END))
    usage = output[-2]["usage"]
    assert [chunk["choices"] for chunk in output[:-1]] == [
        [finish({"role": "assistant", "content": ""})],
        [finish({"content": "Hel"})],
        [finish({"content": "lo"})],
        [finish({}, "stop")],
        [],
    ]
    assert [chunk.get("usage", "absent") for chunk in output[:-2]] == [None] * 4
    assert output[-1] == "[DONE]"
    assert {json.dumps([chunk[key] for key in HEAD]) for chunk in output[:-1]} == {
        '["chatcmpl-r1", "chat.completion.chunk", 7, "asked-for"]'
    }
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (
        10,
        5,
        15,
    )
    assert usage["prompt_tokens_details"]["cached_tokens"] == 4
    assert usage["prompt_tokens_details"]["cache_write_tokens"] == 2
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 3


HEAD = ("id", "object", "created", "model")


def finish(delta, reason=None):
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def test_usage_is_told_only_when_asked_for():
    output = chunks(encode(START, *text(0, "A"), END, reply=Reply(include_usage=False)))
    assert all("usage" not in chunk for chunk in output[:-1])
    assert output[-2]["choices"]


def test_unknown_usage_is_not_invented():
    output = chunks(encode(START, *text(0, "A"), ResponseEnd("stop")))
    assert output[-2]["choices"]


def test_without_a_wish_the_provider_s_model_is_shown():
    assert chunks(encode(START, reply=Reply()))[0]["model"] == "provider-model"


def test_ids_get_their_prefix_once():
    assert chunks(encode(ResponseStart("chatcmpl-x", "m")))[0]["id"] == "chatcmpl-x"
    assert chunks(encode(ResponseStart("", "m")))[0]["id"] == "chatcmpl-7"


def test_calls_are_numbered_and_named_once():
    events = [
        START,
        *text(0, "A"),
        PartStart(1, "tool_call", "call_a", "read"),
        PartStart(2, "tool_call", "call_b", "list"),
        ToolCallDelta(2, '{"y"'),
        ToolCallDelta(1, "{}"),
        ToolCallDelta(2, ":2}"),
        PartEnd(1),
        PartEnd(2),
        ResponseEnd("tool_calls"),
    ]
    calls = [delta["tool_calls"] for delta in deltas(encode(*events)) if "tool_calls" in delta]
    start = {"type": "function"}
    assert calls == [
        [start | {"index": 0, "id": "call_a", "function": {"name": "read", "arguments": ""}}],
        [start | {"index": 1, "id": "call_b", "function": {"name": "list", "arguments": ""}}],
        [{"index": 1, "function": {"arguments": '{"y"'}}],
        [{"index": 0, "function": {"arguments": "{}"}}],
        [{"index": 1, "function": {"arguments": ":2}"}}],
    ]


def test_a_call_without_arguments_gets_an_empty_object():
    completion = read_chat_stream(encode(START, *call(0, "now"), ResponseEnd("tool_calls")))
    assert chat_facts(completion)["calls"] == [("call_0", "now", "{}")]


def test_thoughts_are_kept_apart():
    events = [
        START,
        PartStart(0, "reasoning"),
        ReasoningDelta(0, "One"),
        SignatureDelta(0, OpaqueState("anthropic", "sig")),
        PartEnd(0),
        PartStart(1, "reasoning"),
        ReasoningDelta(1, "Two"),
        PartEnd(1),
        END,
    ]
    wire = encode(*events)
    assert [d["reasoning_content"] for d in deltas(wire)[1:-1]] == ["One", "\n\nTwo"]
    assert b"sig" not in wire


def test_a_refusal_has_a_field_of_its_own():
    events = [START, PartStart(0, "refusal"), TextDelta(0, "No."), PartEnd(0), END]
    facts = chat_facts(read_chat_stream(encode(*events)))
    assert (facts["text"], facts["refusal"]) == ("", "No.")


def test_sources_come_in_one_chunk_with_places_in_the_whole_text():
    events = [
        START,
        PartStart(0, "text"),
        TextDelta(0, "äb"),
        PartEnd(0, (Citation("https://a", "A"),)),
        PartStart(1, "text"),
        TextDelta(1, "cd"),
        PartEnd(1, (Citation("https://b", "B", "quote", 1, 2),)),
        END,
    ]
    wire = encode(*events)
    (annotations,) = [delta["annotations"] for delta in deltas(wire)[:-1] if "annotations" in delta]
    assert [entry["url_citation"] for entry in annotations] == [
        {"start_index": 0, "end_index": 2, "title": "A", "url": "https://a"},
        {"start_index": 3, "end_index": 4, "title": "B", "url": "https://b"},
    ]
    assert read_chat_stream(wire).choices[0].message.annotations


def test_an_error_ends_the_stream_without_done():
    wire = encode(START, PartStart(0, "text"), StreamError(ErrorInfo("overloaded", "Busy")), END)
    assert chunks(wire)[-1] == {
        "error": {
            "message": "Busy",
            "type": "server_error",
            "param": None,
            "code": "server_is_overloaded",
        }
    }
    with pytest.raises(openai.APIError, match="Busy"):
        read_chat_stream(wire)


def test_an_answer_that_failed_is_no_success():
    with pytest.raises(openai.APIError, match="MALFORMED"):
        read_chat_stream(encode(START, ResponseEnd("error", "MALFORMED_FUNCTION_CALL")))


def test_nothing_follows_the_end():
    encoder = FORMAT.encoder(REPLY)
    assert encoder.encode(START)
    assert encoder.encode(END).endswith(b"data: [DONE]\n\n")
    assert encoder.encode(StreamError(ErrorInfo("cut", "late"))) == b""


def test_an_unknown_end_is_listed():
    encoder = FORMAT.encoder(REPLY)
    encoder.encode(START)
    assert b'"finish_reason":"stop"' in encoder.encode(ResponseEnd("other", "weird"))
    assert "weird" in encoder.losses[0].reason


def test_old_agents_get_one_function_call():
    encoder = FORMAT.encoder(Reply(legacy_functions=True, include_usage=False))
    events = [START, *call(0, "read", '{"x"', ":1}"), *call(1, "list", "{}")]
    wire = b"".join(map(encoder.encode, [*events, ResponseEnd("tool_calls")]))
    message = read_chat_stream(wire).choices[0]
    assert message.finish_reason == "function_call"
    assert message.message.function_call.name == "read"
    assert message.message.function_call.arguments == '{"x":1}'
    assert b"tool_calls" not in wire
    assert [loss.field for loss in encoder.losses] == ["tool_calls"]


def test_custom_tools_get_their_input_unwrapped_as_it_comes():
    reply = Reply(custom_tools=frozenset(["patch"]))
    wire = encode(
        START,
        *call(0, "patch", '{"inp', 'ut":"a\\', 'nb"}'),
        *call(1, "other", "{}"),
        ResponseEnd("tool_calls"),
        reply=reply,
    )
    calls = [delta["tool_calls"][0] for delta in deltas(wire) if "tool_calls" in delta]
    assert calls[0]["type"] == "custom"
    assert calls[0]["custom"] == {"name": "patch", "input": ""}
    assert [entry["custom"]["input"] for entry in calls[1:3]] == ["a", "\nb"]
    assert calls[3]["type"] == "function"


def test_native_custom_calls_pass_as_they_are():
    wire = encode(START, *call(0, "patch", "{raw", kind="custom"), ResponseEnd("tool_calls"))
    inputs = [d["tool_calls"][0]["custom"]["input"] for d in deltas(wire) if "tool_calls" in d]
    assert inputs == ["", "{raw"]


@given(event_streams())
def test_the_official_client_understands_every_stream(stream):
    wire = encode(*stream)
    if isinstance(stream[-1], StreamError):
        with pytest.raises(openai.APIError):
            read_chat_stream(wire)
    else:
        assert wire.count(b"[DONE]") == 1
        facts = chat_facts(read_chat_stream(wire))
        calls = [event for event in stream if isinstance(event, PartStart)]
        assert len(facts["calls"]) == sum(start.kind == "tool_call" for start in calls)
        assert facts["finish_reason"] == stream[-1].finish_reason
