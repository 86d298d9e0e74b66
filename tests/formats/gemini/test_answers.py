import json
from base64 import b64decode, urlsafe_b64encode

import pytest
from hypothesis import given

from addon.formats.base import Reply, RequestLine
from addon.formats.gemini import FORMAT
from addon.neutral import (
    Citation,
    ErrorInfo,
    EventChecker,
    OpaqueState,
    PartEnd,
    PartStart,
    ProviderResponseError,
    ReasoningPart,
    RefusalPart,
    Response,
    ResponseEnd,
    ResponseStart,
    StreamError,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    Usage,
    fold,
    unfold,
)
from tests.support.strategies import event_streams

STATE = OpaqueState("gemini", "Uw==")
ANSWER = Response(
    id="R1",
    model="theirs",
    parts=(
        ReasoningPart("hm", STATE),
        TextPart("üa", citations=(Citation("https://a", "A", "a", 1, 2),), state=STATE),
        ToolCallPart("c1", "ls", '{"p":1}', state=STATE),
        ToolCallPart("c2", "ls", "{}"),
    ),
    finish_reason="tool_calls",
    raw_finish_reason="STOP",
    usage=Usage(9, 4, None, 44, 30),
)


def encode(events, **reply):
    encoder = FORMAT.encoder(Reply(**reply))
    return [encoder.encode(event) for event in events], encoder.losses


def chunks(pieces):
    return [json.loads(piece.removeprefix(b"data: ")) for piece in pieces if piece]


def read(data):
    decoder = FORMAT.decoder()
    return decoder.feed(data) + decoder.feed_eof()


def test_a_whole_answer():
    body, losses = FORMAT.render_response(ANSWER, Reply(model="asked"))
    assert losses == ()
    segment = {"startIndex": 2, "endIndex": 3, "text": "a"}
    assert json.loads(body) == {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "hm", "thought": True, "thoughtSignature": "Uw=="},
                        {"text": "üa", "thoughtSignature": "Uw=="},
                        {
                            "functionCall": {"id": "c1", "name": "ls", "args": {"p": 1}},
                            "thoughtSignature": "Uw==",
                        },
                        {"functionCall": {"id": "c2", "name": "ls", "args": {}}},
                    ],
                },
                "finishReason": "STOP",
                "index": 0,
                "groundingMetadata": {
                    "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
                    "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
                },
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 9,
            "cachedContentTokenCount": 4,
            "candidatesTokenCount": 14,
            "thoughtsTokenCount": 30,
            "totalTokenCount": 53,
        },
        "modelVersion": "asked",
        "responseId": "R1",
    }


def test_a_whole_answer_returns_as_it_was():
    simple = Response(id="R1", model="m", parts=(TextPart("x"),), raw_finish_reason="STOP")
    assert FORMAT.parse_response(FORMAT.render_response(simple, Reply())[0]) == (simple, ())


def test_an_array_of_chunks_is_a_whole_answer():
    pieces, _ = encode(unfold(ANSWER), stream_type="application/json")
    found, _ = FORMAT.parse_response(b"".join(pieces))
    assert found.parts[2:] == ANSWER.parts[2:]
    assert found.usage == ANSWER.usage


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b'{"x":1}', b'{"choices":[]}'])
def test_what_is_no_answer_is_refused(body):
    with pytest.raises(ProviderResponseError):
        FORMAT.parse_response(body)


def test_every_chunk_is_a_whole_response():
    pieces, _ = encode(unfold(ANSWER), model="asked")
    assert all(piece.endswith(b"}\r\n\r\n") for piece in pieces if piece)
    found = chunks(pieces)
    assert all(chunk["modelVersion"] == "asked" for chunk in found)
    assert all(chunk["candidates"][0]["content"]["role"] == "model" for chunk in found)
    assert "finishReason" in found[-1]["candidates"][0]
    assert "usageMetadata" in found[-1]
    assert not any("usageMetadata" in chunk for chunk in found[:-1])


def test_calls_are_written_whole():
    pieces, losses = encode(
        [
            ResponseStart("r", "m"),
            PartStart(0, "tool_call", "a", "f"),
            PartStart(1, "tool_call", "b", "g"),
            ToolCallDelta(1, "["),
            ToolCallDelta(0, '{"x"'),
            ToolCallDelta(0, ":1}"),
            PartEnd(1),
            PartEnd(0),
            ResponseEnd("tool_calls"),
        ]
    )
    assert pieces[:-1] == [b""] * 8
    (candidate,) = json.loads(pieces[-1].removeprefix(b"data: "))["candidates"]
    assert candidate["finishReason"] == "STOP"
    call, other = candidate["content"]["parts"]
    assert call["functionCall"] == {"id": "a", "name": "f", "args": {"x": 1}}
    assert other["functionCall"]["args"] == {"_raw": "["}
    assert [loss.action for loss in losses] == ["approximated"]


@pytest.mark.parametrize(
    "following",
    [
        [PartStart(1, "text"), TextDelta(1, "Then."), PartEnd(1)],
        [StreamError(ErrorInfo("overloaded", "Gone."))],
    ],
    ids=["text", "error"],
)
def test_calls_that_do_not_end_the_answer_come_before_what_follows(following):
    call = [PartStart(0, "tool_call", "a", "f"), ToolCallDelta(0, "{}"), PartEnd(0)]
    pieces, _ = encode([ResponseStart("r", "m"), *call, *following])
    first, second = map(json.loads, b"".join(pieces).replace(b"data: ", b"").split(b"\r\n\r\n")[:2])
    (part,) = first["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["name"] == "f"
    assert "finishReason" not in first["candidates"][0]
    assert "Then." in str(second) or "Gone." in str(second)


def test_foreign_state_comes_home_on_the_next_call():
    state = OpaqueState("anthropic", "S", origin="anthropic:claude-opus-5-5")
    response = Response(
        id="r",
        model="m",
        parts=(
            ReasoningPart("hm", state),
            ToolCallPart("a", "x", "{}"),
            ReasoningPart("", state),
            ToolCallPart("b", "y", "{}"),
        ),
    )
    body, losses = FORMAT.render_response(response, Reply())
    assert losses == ()
    parts = [
        part
        for part in json.loads(body)["candidates"][0]["content"]["parts"]
        if not part.get("thought")
    ]
    for part in parts:  # the SDK holds bytes
        part["thoughtSignature"] = urlsafe_b64encode(b64decode(part["thoughtSignature"])).decode()
    contents = [{"role": "user", "parts": [{"text": "?"}]}, {"role": "model", "parts": parts}]
    request = FORMAT.parse_request(json.dumps({"contents": contents}).encode(), RequestLine())
    assert request.messages[1].parts == response.parts


def test_a_refusal_is_text():
    refusal = Response(
        id="r", model="m", parts=(RefusalPart("No."),), finish_reason="content_filter"
    )
    wire = json.loads(FORMAT.render_response(refusal, Reply())[0])["candidates"][0]
    assert wire["content"]["parts"] == [{"text": "No."}]
    assert wire["finishReason"] == "SAFETY"


def test_a_stream_may_be_an_array():
    events = [ResponseStart("r", "m"), PartStart(0, "text"), TextDelta(0, "a"), TextDelta(0, "b")]
    whole, _ = encode([*events, PartEnd(0), ResponseEnd("stop")], stream_type="application/json")
    assert len(json.loads(b"".join(whole))) == 3
    error = StreamError(ErrorInfo("overloaded", "busy", retry_after=3))
    broken, _ = encode([*events, error], stream_type="application/json")
    assert json.loads(b"".join(broken))[-1]["error"]["status"] == "UNAVAILABLE"
    at_once, _ = encode([error], stream_type="application/json")
    assert json.loads(b"".join(at_once))[0]["error"]["details"][0]["retryDelay"] == "3s"


@given(events=event_streams(state_format="gemini"))
@pytest.mark.parametrize("stream_type", ["text/event-stream", "application/json"])
def test_what_is_written_can_be_read(stream_type, events):
    pieces, _ = encode(events, stream_type=stream_type)
    found = read(b"".join(pieces))
    checker = EventChecker()
    for event in found:
        checker.check(event)
    written, again = fold(events), fold(found)
    if isinstance(written, ErrorInfo):
        assert (again.kind, again.message) == (written.kind, written.message)
        return
    assert sorted(calls(again)) == sorted(calls(written))
    assert again.finish_reason == written.finish_reason
    assert again.usage.output_tokens == written.usage.output_tokens
    assert len(b"".join(pieces)) >= len(words(written).encode())
    assert sorted(words(again)) == sorted(words(written))


def calls(answer):
    return [
        (part.call_id, part.name, part.arguments)
        for part in answer.parts
        if isinstance(part, ToolCallPart)
    ]


def words(answer):
    return "".join(part.text for part in answer.parts if isinstance(part, TextPart | ReasoningPart))


ERRORS = [
    (400, "INVALID_ARGUMENT", "bad", "invalid_request"),
    (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "authentication"),
    (
        400,
        "INVALID_ARGUMENT",
        "The input token count (9) exceeds the maximum number of tokens allowed (8).",
        "context_length",
    ),
    (400, "FAILED_PRECONDITION", "User location is not supported", "permission"),
    (403, "PERMISSION_DENIED", "no", "permission"),
    (404, "NOT_FOUND", "no such model", "not_found"),
    (429, "RESOURCE_EXHAUSTED", "slow down", "rate_limit"),
    (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", "billing"),
    (503, "UNAVAILABLE", "busy", "overloaded"),
    (504, "DEADLINE_EXCEEDED", "late", "timeout"),
    (500, "INTERNAL", "oops", "server_error"),
]


@pytest.mark.parametrize(("status", "word", "message", "kind"), ERRORS)
@pytest.mark.parametrize("array", [False, True])
def test_errors_are_understood(status, word, message, kind, array):
    wire = {"error": {"code": status, "message": message, "status": word}}
    error = FORMAT.parse_error(status, (), json.dumps([wire] if array else wire).encode())
    assert (error.kind, error.message, error.code) == (kind, message, word)
    inside = FORMAT.find_error(json.dumps(wire).encode())
    assert (inside.kind, inside.message) == (kind, message)


def test_the_time_to_wait_is_found_and_tells_a_short_limit_from_an_empty_purse():
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}
    wire = {
        "code": 429,
        "message": "You exceeded your current quota",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "x"}, retry],
    }
    error = FORMAT.parse_error(429, (), json.dumps({"error": wire}).encode())
    assert (error.kind, error.retry_after) == ("rate_limit", 17.5)
    assert FORMAT.parse_error(429, (("Retry-After", "3"),), b"").retry_after == 3


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[1]", b'{"error":7}', b'{"error":"x"}'])
def test_any_body_is_an_error(body):
    assert FORMAT.parse_error(502, (), body).message


def test_an_error_is_written_as_google_writes_it():
    rendered = FORMAT.render_error(ErrorInfo("rate_limit", "slow", retry_after=17, request_id="q"))
    assert rendered.status == 429
    assert dict(rendered.headers)["retry-after"] == "17"
    wire = json.loads(rendered.body)["error"]
    assert (wire["code"], wire["status"], wire["message"]) == (429, "RESOURCE_EXHAUSTED", "slow")
    again = FORMAT.parse_error(429, rendered.headers, rendered.body)
    assert (again.kind, again.retry_after, again.request_id) == ("rate_limit", 17, "q")


def test_a_real_answer_holds_no_error():
    assert FORMAT.find_error(b'{"candidates":[{"finishReason":"STOP"}]}') is None
    assert FORMAT.find_error(b"no json") is None
    botched = b'{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"oh"}]}'
    assert FORMAT.find_error(botched).message == "oh"
