"""The decoder and the encoder, against each other and against hostile bytes."""

import copy
import json

import anthropic
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.anthropic import FORMAT
from addon.formats.base import Reply, RequestLine
from addon.neutral import (
    Citation,
    ErrorInfo,
    EventChecker,
    OpaqueState,
    PartEnd,
    PartStart,
    ReasoningDelta,
    ReasoningPart,
    RefusalPart,
    ResponseEnd,
    ResponseStart,
    SignatureDelta,
    StreamError,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    Usage,
    fold,
)
from tests.support.strategies import cuts, event_streams, merged


def sse(*events):
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def decode(stream, chunks=None):
    decoder = FORMAT.decoder()
    events = [event for chunk in chunks or [stream] for event in decoder.feed(chunk)]
    events += decoder.feed_eof()
    checker = EventChecker()
    for event in events:
        checker.check(event)
    assert checker.ended
    assert decoder.feed(b"data: {}\n\n") == []
    assert decoder.feed_eof() == []
    return events, decoder.losses


def encode(events, reply=Reply()):  # noqa: B008 - immutable
    encoder = FORMAT.encoder(reply)
    return b"".join(encoder.encode(event) for event in events)


START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "model": "claude-x",
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 10, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}


def block(index, content, *deltas):
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def ending(reason, **usage):
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


TEXT = {"type": "text", "text": ""}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
WHOLE = sse(
    START,
    {"type": "ping"},
    *block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "Hm\u2026"},
        {"type": "signature_delta", "signature": "sig"},
    ),
    *block(1, {"type": "redacted_thinking", "data": "xx"}),
    *block(
        2,
        TEXT,
        {"type": "text_delta", "text": "Grüße "},
        {
            "type": "citations_delta",
            "citation": {
                "type": "web_search_result_location",
                "url": "https://e.org",
                "title": "t",
            },
        },
        {"type": "text_delta", "text": "\U0001f600"},
    ),
    *block(
        3,
        TOOL,
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"p":'},
        {"type": "input_json_delta", "partial_json": '"a"}'},
    ),
    *block(4, {**TOOL, "id": "toolu_2", "name": "noop"}),
    *block(5, {"type": "server_tool_use", "id": "s", "name": "web_fetch", "input": {}}),
    ending("tool_use", output_tokens=40, output_tokens_details={"thinking_tokens": 7}),
    STOP,
)


def test_a_whole_answer():
    events, losses = decode(WHOLE)
    response = fold(events)
    assert response.parts == (
        ReasoningPart("Hm\u2026", OpaqueState("anthropic", "sig")),
        ReasoningPart("", OpaqueState("anthropic", "xx", "redacted")),
        TextPart("Grüße \U0001f600", (Citation("https://e.org", "t"),)),
        ToolCallPart("toolu_1", "read", '{"p":"a"}'),
        ToolCallPart("toolu_2", "noop", "{}"),
    )
    assert response.usage == Usage(13, 10, None, 40, 7)
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "tool_use")
    assert [loss.field for loss in losses] == ["content.server_tool_use"]


@given(st.data(), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_cuts_and_line_ends_do_not_matter(data, end):
    stream = WHOLE.replace(b"\n", end)
    events, losses = decode(stream, data.draw(cuts(stream)))
    expected, expected_losses = decode(WHOLE)
    assert merged(events) == merged(expected)
    assert losses == expected_losses


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_tiny_chunks_do_not_matter(size):
    chunks = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    assert merged(decode(WHOLE, chunks)[0]) == merged(decode(WHOLE)[0])


def test_a_stream_cut_anywhere_ends_in_an_error():
    for cut in range(0, WHOLE.index(b"event: message_delta"), 5):
        events, _ = decode(WHOLE[:cut])
        assert isinstance(events[-1], StreamError)
        assert events[-1].error.kind == "cut"


def test_an_end_that_was_announced_is_an_end():
    events, _ = decode(WHOLE[: WHOLE.index(b"event: message_stop")])
    assert isinstance(events[-1], ResponseEnd)


def test_an_error_event_ends_the_stream():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    events, _ = decode(sse(START, *block(0, TEXT), error, *block(1, TEXT), STOP))
    assert events[-1].error.kind == "overloaded"
    assert events[-1].error.message == "Overloaded"


def test_a_refusal_brings_its_explanation():
    end = ending("refusal")
    end["delta"]["stop_details"] = {"category": "cyber", "explanation": "I will not."}
    response = fold(decode(sse(START, end, STOP))[0])
    assert response.parts == (RefusalPart("I will not."),)
    assert response.finish_reason == "content_filter"


def test_a_stop_sequence_is_named():
    end = ending("stop_sequence")
    end["delta"]["stop_sequence"] = "END"
    response = fold(decode(sse(START, end, STOP))[0])
    assert (response.finish_reason, response.stop_sequence) == ("stop", "END")


@pytest.mark.parametrize("mutation", ["no start", "two starts", "no block start", "no block stop"])
def test_spliced_streams_are_mended(mutation):
    body = block(0, TEXT, {"type": "text_delta", "text": "a"})
    streams = {
        "no start": [*body, ending("end_turn"), STOP],
        "two starts": [START, body[0], START, *body[1:], ending("end_turn"), STOP],
        "no block start": [START, *body[1:], ending("end_turn"), STOP],
        "no block stop": [START, *body[:-1], ending("end_turn"), STOP],
    }
    assert fold(decode(sse(*streams[mutation]))[0]).parts == (TextPart("a"),)


def test_a_reused_index_is_a_new_part():
    body = block(0, TEXT, {"type": "text_delta", "text": "a"})[:-1]
    response = fold(decode(sse(START, *body, *body, ending("end_turn"), STOP))[0])
    assert response.parts == (TextPart("a"), TextPart("a"))


def test_the_tool_that_stands_for_structured_output_is_text():
    content = {**TOOL, "name": "detour_structured_output"}
    delta = {"type": "input_json_delta", "partial_json": '{"a":1}'}
    events, _ = decode(sse(START, *block(0, content, delta), ending("tool_use"), STOP))
    response = fold(events)
    assert response.parts == (TextPart('{"a":1}'),)
    assert response.finish_reason == "stop"


WRONG = st.sampled_from([None, 0, 1.5, "x", True, [], {}, [None], {"type": None}, "text_delta"])


@given(st.data())
def test_wrong_types_anywhere_raise_nothing(data):
    events = [json.loads(line[6:]) for line in WHOLE.splitlines() if line.startswith(b"data")]
    for _ in range(data.draw(st.integers(1, 4))):
        node = data.draw(st.sampled_from(events))
        while True:
            key = data.draw(st.sampled_from(sorted(node)))
            if isinstance(node[key], dict) and node[key] and data.draw(st.booleans()):
                node = node[key]
                continue
            if key != "type" or data.draw(st.booleans()):
                node[key] = copy.deepcopy(data.draw(WRONG))
            break
    stream = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    decode(stream)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing(data):
    decode(data)
    decode(b"data: " + data + b"\n\n")


@given(event_streams())
def test_what_is_encoded_is_decoded(events):
    decoded, _ = decode(encode(events))
    folded, expected = fold(decoded), fold(events)
    if isinstance(expected, ErrorInfo):
        assert (folded.kind, folded.message) == (expected.kind, expected.message)
        return
    assert sorted(folded.parts, key=repr) == sorted(
        (
            part
            if not isinstance(part, ToolCallPart) or part.arguments
            else ToolCallPart(part.call_id, part.name, "{}")
            for part in expected.parts
        ),
        key=repr,
    )
    assert folded.usage.input_tokens == expected.usage.input_tokens
    assert folded.usage.output_tokens == expected.usage.output_tokens


@given(event_streams())
def test_blocks_never_overlap(events):
    open_block = None
    for line in encode(events).splitlines():
        if not line.startswith(b"data: "):
            continue
        event = json.loads(line[6:])
        match event["type"]:
            case "content_block_start":
                assert open_block is None
                open_block = event["index"]
            case "content_block_delta":
                assert event["index"] == open_block
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = None
            case _:
                pass
    assert open_block is None or isinstance(events[-1], StreamError)


def sdk_client(stream):
    def answer(_request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)

    transport = httpx2.MockTransport(answer)
    return anthropic.Anthropic(
        api_key="k", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def sdk_message(stream):
    messages = [{"role": "user", "content": "x"}]
    with sdk_client(stream).messages.stream(
        model="claude-x", max_tokens=9, messages=messages
    ) as opened:
        return opened.get_final_message()


def test_the_official_sdk_accepts_the_encoded_stream():
    message = sdk_message(encode(decode(WHOLE)[0], Reply(model="mine")))
    assert message.model == "mine"
    assert [content.type for content in message.content] == [
        "thinking",
        "redacted_thinking",
        "text",
        "tool_use",
        "tool_use",
    ]
    assert message.content[3].input == {"p": "a"}
    assert message.stop_reason == "tool_use"
    assert message.usage.cache_read_input_tokens == 10


def test_the_official_sdk_raises_for_the_encoded_error():
    stream = encode([StreamError(ErrorInfo("overloaded", "Overloaded"))])
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        sdk_message(stream)


def test_state_of_another_provider_comes_home_in_the_stream():
    state = OpaqueState("gemini", "g", origin="google:gemini-3-pro")
    events = [
        ResponseStart("r", "m"),
        PartStart(0, "reasoning"),
        ReasoningDelta(0, "hm"),
        SignatureDelta(0, state),
        PartEnd(0),
        PartStart(1, "tool_call", "a", "x"),
        SignatureDelta(1, state),
        ToolCallDelta(1, "{}"),
        PartEnd(1),
        ResponseEnd("tool_calls"),
    ]
    encoder = FORMAT.encoder(Reply())
    stream = b"".join(map(encoder.encode, events))
    assert encoder.losses == ()
    content = sdk_message(stream).model_dump(mode="json")["content"]
    assert [block["type"] for block in content] == ["thinking", "redacted_thinking", "tool_use"]
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": content}]
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": messages}).encode()
    parts = FORMAT.parse_request(body, RequestLine()).messages[1].parts
    assert parts == (ReasoningPart("hm", state), ToolCallPart("a", "x", "{}", state=state))


def test_a_part_that_waited_is_written_once_the_open_one_ends():
    events = [
        PartStart(0, "tool_call", "a", "x"),
        PartStart(1, "tool_call", "b", "y"),
        PartEnd(1),
        PartEnd(0),
    ]
    encoder = FORMAT.encoder(Reply())
    outputs = [encoder.encode(event) for event in events]
    assert outputs[1] == outputs[2] == b""
    assert outputs[3].count(b"event: content_block_stop") == 2
