"""Streams as providers send them, with and without what the documentation promises."""

import json

import pytest

from addon.formats import FORMATS
from addon.formats.base import Reply
from addon.formats.openai_responses.stream_decoder import ResponsesDecoder
from addon.neutral import (
    Citation,
    ErrorInfo,
    EventChecker,
    FinishReason,
    HostedCallPart,
    OpaqueState,
    ReasoningPart,
    RefusalPart,
    StreamError,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from tests.support.recordings import needs_recordings, recordings

FORMAT = FORMATS["openai-responses"]
CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "gpt"}}
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 5,
}
DONE = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed",
                                                  "usage": USAGE}}  # fmt: skip
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""}


def decode(*wires):
    decoder = ResponsesDecoder()
    data = b"".join(
        wire if isinstance(wire, bytes) else b"data: " + json.dumps(wire).encode() + b"\n\n"
        for wire in wires
    )
    events = decoder.feed(data) + decoder.feed_eof()
    checker = EventChecker()
    for event in events:
        checker.check(event)
    assert checker.ended
    return fold(events), decoder.losses


def item(kind, index, wire):
    return {"type": f"response.output_item.{kind}", "output_index": index, "item": wire}


def delta(name, words, **fields):
    return {"type": f"response.{name}.delta", "output_index": 0, "content_index": 0,
            "delta": words, **fields}  # fmt: skip


def test_words_sources_and_usage():
    note = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0,
            "end_index": 2}  # fmt: skip
    part = {"type": "output_text", "text": "Hi", "annotations": [note]}
    answer, losses = decode(
        CREATED,
        item("added", 0, {"type": "message", "id": "m", "content": []}),
        {"type": "response.content_part.added", "output_index": 0, "part": {}},
        delta("output_text", "H"),
        delta("output_text", "i"),
        {"type": "response.output_text.done", "output_index": 0, "text": "Hi"},
        {"type": "response.content_part.done", "output_index": 0, "content_index": 0,
         "part": part},
        item("done", 0, {"type": "message", "id": "m", "content": [part]}),
        DONE,
    )  # fmt: skip
    assert answer.parts == (TextPart("Hi", (Citation("https://a", "A", start=0, end=2),)),)
    assert (answer.id, answer.model, answer.finish_reason) == ("resp_1", "gpt", "stop")
    assert answer.usage == Usage(3, 1, None, 2, 1)
    assert losses == ()


def test_sources_that_are_files_are_listed():
    note = {"type": "file_citation", "file_id": "file-1", "index": 0}
    part = {"type": "output_text", "text": "Hi", "annotations": [note]}
    message = {"type": "message", "id": "m", "content": [part]}
    _, losses = decode(CREATED, item("added", 0, {**message, "content": []}),
                       item("done", 0, message), DONE)  # fmt: skip
    assert [loss.field for loss in losses] == ["annotations"]


def test_the_output_may_come_in_the_last_event_only():
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}],
         "encrypted_content": "gAAA"},
        {"type": "message", "content": [{"type": "output_text", "text": "a"},
                                        {"type": "refusal", "refusal": "b"}]},
        {**CALL, "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "x"},
    ]  # fmt: skip
    answer, _ = decode({**DONE, "response": {"status": "completed", "output": output}})
    assert answer.parts == (
        ReasoningPart("hm", OpaqueState("openai-responses", "gAAA")),
        TextPart("a"),
        RefusalPart("b"),
        ToolCallPart("call_1", "f", "{}"),
        ToolCallPart("c2", "p", "x", kind="custom"),
    )
    assert answer.finish_reason == "tool_calls"


def test_items_may_come_finished_without_deltas():
    answer, _ = decode(
        item("done", 0, {**CALL, "arguments": '{"a":1}'}),
        item("done", 1, {"type": "message", "content": [{"type": "output_text", "text": "t"}]}),
        DONE,
    )
    assert answer.parts == (ToolCallPart("call_1", "f", '{"a":1}'), TextPart("t"))


def test_what_the_deltas_left_out_is_taken_from_the_finished_item():
    answer, _ = decode(
        item("added", 0, CALL),
        delta("function_call_arguments", '{"a"'),
        {"type": "response.function_call_arguments.done", "output_index": 0,
         "arguments": '{"a":1}'},
        item("done", 0, {**CALL, "arguments": '{"a":1}'}),
        DONE,
    )  # fmt: skip
    assert answer.parts == (ToolCallPart("call_1", "f", '{"a":1}'),)


def test_a_delta_needs_no_beginning():
    answer, _ = decode(delta("output_text", "a"), delta("output_text", "b"), DONE)
    assert answer.parts == (TextPart("ab"),)


def test_items_are_told_apart_without_any_index():
    first, second = {**CALL, "id": "a"}, {**CALL, "id": "b", "call_id": "call_2"}
    answer, _ = decode(
        {"type": "response.output_item.added", "item": first},
        {"type": "response.output_item.added", "item": second},
        {"type": "response.function_call_arguments.delta", "item_id": "a", "delta": "1"},
        {"type": "response.function_call_arguments.delta", "item_id": "b", "delta": "2"},
        {"type": "response.output_item.done", "item": {**first, "arguments": "1"}},
        {"type": "response.output_item.done", "item": {**second, "arguments": "2"}},
        DONE,
    )
    assert [(part.call_id, part.arguments) for part in answer.parts] == [
        ("call_1", "1"), ("call_2", "2")]  # fmt: skip


def test_ids_may_change_with_every_event():
    answer, _ = decode(
        item("added", 0, {**CALL, "id": "x1"}),
        delta("function_call_arguments", "{}", item_id="x2"),
        item("done", 0, {**CALL, "id": "x3", "arguments": "{}"}),
        {"type": "response.completed", "response": {"output": [{**CALL, "id": "x4",
                                                               "arguments": "{}"}]}},
    )  # fmt: skip
    assert answer.parts == (ToolCallPart("call_1", "f", "{}"),)


def test_sections_of_a_summary_are_set_apart_and_raw_thoughts_are_not_doubled():
    def summary(section, words):
        return {"type": "response.reasoning_summary_text.delta", "output_index": 0,
                "summary_index": section, "delta": words}  # fmt: skip

    done = {"type": "reasoning", "summary": [{"text": "ab"}, {"text": "c"}],
            "content": [{"text": "raw"}], "encrypted_content": "gAAA"}  # fmt: skip
    answer, _ = decode(
        item("added", 0, {"type": "reasoning", "summary": []}),
        summary(0, "a"), summary(0, "b"), summary(1, "c"),
        delta("reasoning_text", "raw"),
        item("done", 0, done),
        DONE,
    )  # fmt: skip
    assert answer.parts == (ReasoningPart("ab\n\nc", OpaqueState("openai-responses", "gAAA")),)


def test_raw_thoughts_without_summary():
    answer, _ = decode(
        delta("reasoning_text", "deep"),
        item("done", 0, {"type": "reasoning", "content": [{"text": "deep"}]}),
        DONE,
    )
    assert answer.parts == (ReasoningPart("deep"),)


def test_work_of_the_provider_is_told_and_what_nobody_knows_is_lost():
    answer, losses = decode(
        item("added", 0, {"type": "web_search_call", "id": "ws"}),
        {"type": "response.web_search_call.searching", "output_index": 0},
        item("done", 0, {"type": "web_search_call", "id": "ws"}),
        {"type": "response.brand_new", "x": 1},
        delta("output_text", "a", output_index=1),
        DONE,
    )
    assert answer.parts == (HostedCallPart("ws", "web_search"), TextPart("a"))
    assert [loss.field for loss in losses] == [
        "stream.response.brand_new",
    ]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), (None, "other")],
)
def test_an_incomplete_answer_ends_open_calls(reason: str | None, expected: FinishReason):
    response = {"status": "incomplete", "incomplete_details": reason and {"reason": reason}}
    answer, _ = decode(
        item("added", 0, CALL),
        delta("function_call_arguments", '{"a'),
        {"type": "response.incomplete", "response": response},
    )
    assert answer.parts == (ToolCallPart("call_1", "f", '{"a'),)
    assert answer.finish_reason == expected


@pytest.mark.parametrize(
    ("wire", "kind", "message"),
    [
        ({"type": "response.failed", "response": {"status": "failed", "error": {
            "code": "rate_limit_exceeded", "message": "slow"}}}, "rate_limit", "slow"),
        ({"type": "response.failed", "response": {"error": {
            "code": "context_length_exceeded", "message": "m"}}}, "context_length", "m"),
        ({"type": "error", "error": {"code": "server_is_overloaded", "message": "m"}},
         "overloaded", "m"),
        ({"type": "error", "code": "insufficient_quota", "message": "m", "param": None},
         "billing", "m"),
        ({"error": {"message": "bad", "type": "invalid_request_error", "code": None}},
         "server_error", "bad"),
        ({"type": "error"}, "server_error", "the provider failed without saying why"),
        ({"type": "response.completed", "response": {"status": "failed", "error": {
            "code": "server_error", "message": "m"}}}, "server_error", "m"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [(), (CREATED, delta("output_text", "half"))])
def test_errors_of_every_form(before, wire, kind, message):
    error, _ = decode(*before, wire, delta("output_text", "ignored"))
    assert isinstance(error, ErrorInfo)
    assert (error.kind, error.message) == (kind, message)


def test_an_end_without_a_terminal_event_is_a_cut():
    error, _ = decode(CREATED, delta("output_text", "half"), b"data: [DONE]\n\n")
    assert error.kind == "cut"


def test_comments_and_the_mark_of_other_formats_are_passed_over():
    answer, losses = decode(
        b": keepalive\n\n", b"event: keepalive\ndata: {}\n\n", b"data: [DONE]\n\n",
        delta("output_text", "a"), DONE,
    )  # fmt: skip
    assert answer.parts == (TextPart("a"),)
    assert losses == ()


@needs_recordings
def test_every_recorded_answer_is_read_and_written():
    count = 0
    for recording in recordings("openai-responses", stream=False):
        if not recording.succeeded:
            continue
        error = FORMAT.find_error(recording.answer)
        assert error is None, recording.name
        wire = json.loads(recording.answer)
        if wire["object"] != "response":  # a count of tokens
            continue
        answer, _ = FORMAT.parse_response(recording.answer)
        texts = [
            part.get("text") or part.get("refusal") or ""
            for found in wire["output"] if found["type"] == "message"
            for part in found["content"]
        ]  # fmt: skip
        said = [part.text for part in answer.parts if isinstance(part, (TextPart, RefusalPart))]
        assert said == [text for text in texts if text], recording.name
        for target in FORMATS.values():
            target.render_response(answer, Reply(created=1))
        count += 1
    assert count > 100


@needs_recordings
def test_every_recorded_failure_is_an_error():
    for recording in recordings("openai-responses"):
        if recording.status >= 400 and recording.answer is not None:
            error = FORMAT.parse_error(recording.status, (), recording.answer)
            assert error.message, recording.name
            assert error.status == recording.status


def test_an_oversized_event_ends_the_stream_in_an_error(monkeypatch):
    monkeypatch.setattr("addon.wire.sse.LIMIT", 10)
    (event,) = ResponsesDecoder().feed(b"data: " + b"x" * 100)
    assert isinstance(event, StreamError)
    assert event.error.code == "event_too_large"


def test_deltas_are_told_from_everything_else_at_a_glance():
    text = b'event: response.output_text.delta\ndata: {"delta":"event: x"}\n\n'
    plain = text.replace(b"event: x", b"x")
    end = b"event: response.completed\ndata: {}\n\n"
    assert FORMAT.only_deltas(plain * 3)
    for other in (b"", end, plain + end, text, plain + b'data: {"type":"error"}\n\n', b": c\n\n"):
        assert not FORMAT.only_deltas(other)
    assert not FORMAT.only_deltas(b'data: {"type":"error"}\n\n' + plain)
