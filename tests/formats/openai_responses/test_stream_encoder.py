"""What agents of this format read, event by event."""

import json

import openai
import pytest
from hypothesis import given

from addon.formats import FORMATS
from addon.formats.base import Reply, RequestLine
from addon.formats.openai_responses.stream_encoder import ResponsesEncoder
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
    fold,
)
from addon.wire import carrier
from addon.wire.carrier import Carried
from addon.wire.sse import SseDecoder
from tests.support.official import (
    read_responses_answer,
    read_responses_stream,
    responses_facts,
)
from tests.support.strategies import event_streams

FORMAT = FORMATS["openai-responses"]
START = ResponseStart("msg_1", "claude")
STATE = OpaqueState("anthropic", "sig")


def reply(**request):
    return FORMAT.reply(json.dumps({"model": "gpt-6", "input": "x", **request}).encode(),
                        RequestLine())  # fmt: skip


def write(*events, **request):
    encoder = FORMAT.encoder(reply(**request))
    return b"".join(encoder.encode(event) for event in events)


def read(data):
    events = SseDecoder().feed(data)
    wires = [json.loads(event.data) for event in events]
    assert [wire["type"].encode() for wire in wires] == [event.name for event in events]
    assert [wire["sequence_number"] for wire in wires] == list(range(len(wires)))
    return wires


def kinds(wires):
    return [wire["type"].removeprefix("response.") for wire in wires]


def text(index, *words, citations=()):
    return [PartStart(index, "text"), *(TextDelta(index, word) for word in words),
            PartEnd(index, citations)]  # fmt: skip


def call(index, name, *pieces, kind="function", call_id="call_1"):
    return [PartStart(index, "tool_call", call_id, name, kind),
            *(ToolCallDelta(index, piece) for piece in pieces), PartEnd(index)]  # fmt: skip


def test_the_whole_sequence_of_thought_words_and_call():
    thought = [PartStart(0, "reasoning"), ReasoningDelta(0, "Need "), ReasoningDelta(0, "it."),
               SignatureDelta(0, STATE), PartEnd(0)]  # fmt: skip
    usage = Usage(120, 100, 0, 40, 22)
    wires = read(
        write(START, *thought, *text(1, "Reading", "."), *call(2, "read", '{"p"', ':"a"}'),
              ResponseEnd("tool_calls", usage=usage))
    )  # fmt: skip
    assert kinds(wires) == [
        "created", "in_progress",
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.delta", "reasoning_summary_text.done",
        "reasoning_summary_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.delta",
        "function_call_arguments.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    assert wires[2]["item"] == {"type": "reasoning", "id": wires[2]["item"]["id"], "summary": []}
    assert wires[16]["item"]["arguments"] == ""
    assert wires[16]["item"]["status"] == "in_progress"
    response = wires[-1]["response"]
    done = [wire["item"] for wire in wires if wire["type"] == "response.output_item.done"]
    assert response["output"] == done
    assert [wire["output_index"] for wire in wires if "output_index" in wire] == (
        [0] * 7 + [1] * 7 + [2] * 5
    )
    assert carrier.read(done[0]["encrypted_content"]) == (Carried("Need it.", STATE),)
    assert done[1]["content"][0]["text"] == "Reading."
    assert done[2]["arguments"] == '{"p":"a"}'
    assert done[2]["call_id"] == "call_1"
    assert response["status"] == "completed"
    assert response["model"] == "gpt-6"
    assert response["usage"] == {
        "input_tokens": 120,
        "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 0},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 22},
        "total_tokens": 160,
    }
    assert {wire["response"]["id"] for wire in wires if "response" in wire} == {"resp_msg_1"}


def test_the_same_answer_has_the_same_ids_and_no_two_items_share_one():
    events = [START, *text(0, "a"), *call(1, "f", "{}"), *text(2, "b"), ResponseEnd("stop")]
    first, second = (read(write(*events))[-1]["response"]["output"] for _ in range(2))
    assert first == second
    assert len({item["id"] for item in first}) == 3


def test_text_in_pieces_is_one_message_with_sources_in_place():
    source = Citation("https://a", "A")
    part = Citation("https://b", "B", start=1, end=2)
    wires = read(
        write(START, *text(0, "one "), *text(1, "two", citations=(source, part)),
              *text(2, " three"), ResponseEnd("stop"))
    )  # fmt: skip
    (message,) = wires[-1]["response"]["output"]
    (content,) = message["content"]
    assert content["text"] == "one two three"
    assert [
        (note["url"], note["start_index"], note["end_index"]) for note in content["annotations"]
    ] == [("https://a", 4, 7), ("https://b", 5, 6)]
    added = [wire for wire in wires if wire["type"].endswith("annotation.added")]
    assert [wire["annotation_index"] for wire in added] == [0, 1]


def test_parts_that_overlap_come_one_after_the_other():
    events = [
        START,
        PartStart(0, "tool_call", "a", "f"),
        PartStart(1, "tool_call", "b", "g"),
        ToolCallDelta(1, "{"),
        ToolCallDelta(0, "{}"),
        PartEnd(0),
        ToolCallDelta(1, "}"),
        PartEnd(1),
        ResponseEnd("tool_calls"),
    ]
    wires = read(write(*events))
    places = [wire["output_index"] for wire in wires if "output_index" in wire]
    assert places == sorted(places)
    assert [item["arguments"] for item in wires[-1]["response"]["output"]] == ["{}", "{}"]


def test_a_function_without_arguments_gets_an_empty_object_and_one_delta():
    wires = read(write(START, *call(0, "f"), ResponseEnd("tool_calls")))
    deltas = [wire["delta"] for wire in wires if wire["type"].endswith("arguments.delta")]
    assert deltas == ["{}"]


@pytest.mark.parametrize(
    ("kind", "pieces"),
    [
        ("function", ['{"inp', 'ut":"*** Be', "gin\\n\\u00", 'fc"}']),
        ("custom", ["*** Be", "gin\nü"]),
    ],
)
def test_a_custom_tool_is_told_as_one(kind, pieces):
    tools = [{"type": "custom", "name": "apply_patch"}]
    events = [START, *call(0, "apply_patch", *pieces, kind=kind), ResponseEnd("tool_calls")]
    wires = read(write(*events, tools=tools))
    deltas = [wire["delta"] for wire in wires if wire["type"].endswith("input.delta")]
    assert "".join(deltas) == "*** Begin\nü"
    assert len(deltas) > 1
    (item,) = wires[-1]["response"]["output"]
    assert (item["type"], item["name"], item["input"]) == (
        "custom_tool_call", "apply_patch", "*** Begin\nü")  # fmt: skip


def test_a_namespace_is_restored():
    inner = {"type": "function", "name": "find", "parameters": {}}
    tools = [{"type": "namespace", "name": "crm", "tools": [inner]}]
    late = {
        "type": "additional_tools",
        "role": "developer",
        "tools": [
            {
                "type": "namespace",
                "name": "functions",
                "tools": [{"type": "custom", "name": "exec"}],
            }
        ],
    }
    events = [START, *call(0, "crm__find", "{}"),
              *call(1, "functions__exec", '{"input":"x"}', call_id="call_2"),
              ResponseEnd("tool_calls")]  # fmt: skip
    wires = read(write(*events, tools=tools, input=[late]))
    found, ran = wires[-1]["response"]["output"]
    assert (found["type"], found["namespace"], found["name"]) == ("function_call", "crm", "find")
    assert (ran["type"], ran["namespace"], ran["name"], ran["input"]) == (
        "custom_tool_call", "functions", "exec", "x")  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "name", "arguments", "expected"),
    [
        ({"type": "local_shell"}, "local_shell", '{"command":["ls","-l"]}',
         {"type": "local_shell_call",
          "action": {"type": "exec", "command": ["ls", "-l"], "env": {}}}),
        ({"type": "shell"}, "shell", '{"commands":["ls"]}',
         {"type": "shell_call", "action": {
             "commands": ["ls"], "timeout_ms": None, "max_output_length": None}}),
        ({"type": "apply_patch"}, "apply_patch",
         '{"operation":{"type":"delete_file","path":"a"}}',
         {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}}),
        ({"type": "tool_search", "execution": "client"}, "tool_search", '{"query":"q"}',
         {"type": "tool_search_call", "execution": "client", "arguments": {"query": "q"}}),
    ],
)  # fmt: skip
def test_built_in_tools_are_told_in_their_own_shape(tool, name, arguments, expected):
    events = [START, *call(0, name, arguments[:5], arguments[5:]), ResponseEnd("tool_calls")]
    wires = read(write(*events, tools=[tool]))
    (item,) = wires[-1]["response"]["output"]
    assert item == {**expected, "id": item["id"], "call_id": "call_1", "status": "completed"}
    assert kinds(wires)[2:4] == ["output_item.added", "output_item.done"]
    read_responses_stream(write(*events, tools=[tool]))


def test_a_refusal_is_a_message_of_its_own_and_text_for_codex():
    refusal = [PartStart(1, "refusal"), TextDelta(1, "I will not."), PartEnd(1)]
    events = [START, *text(0, "Hm."), *refusal, ResponseEnd("content_filter")]
    wires = read(write(*events))
    said, refused = wires[-1]["response"]["output"]
    assert said["content"][0]["type"] == "output_text"
    assert refused["content"] == [{"type": "refusal", "refusal": "I will not."}]
    assert wires[-1]["type"] == "response.completed"
    wires = read(write(*events, client_metadata={"x-codex-window-id": "1"}))
    said, refused = wires[-1]["response"]["output"]
    assert refused["content"][0]["type"] == "output_text"
    assert refused["content"][0]["text"] == "I will not."


@pytest.mark.parametrize(
    ("finish_reason", "reason"),
    [("length", "max_output_tokens"), ("content_filter", "content_filter")],
)
def test_an_answer_cut_short_is_incomplete(finish_reason, reason):
    last = read(write(START, *text(0, "a"), ResponseEnd(finish_reason)))[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["status"] == "incomplete"
    assert last["response"]["incomplete_details"] == {"reason": reason}


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ErrorInfo("context_length", "prompt is too long"), "context_length_exceeded", "too long"),
        (ErrorInfo("billing", "no money"), "insufficient_quota", "no money"),
        (ErrorInfo("overloaded", "busy"), "server_is_overloaded", "busy"),
        (ErrorInfo("rate_limit", "Slow down.", retry_after=17.0), "rate_limit_exceeded",
         "Slow down. Please try again in 17s."),
        (ErrorInfo("authentication", "bad key"), "invalid_prompt", "bad key"),
        (ErrorInfo("cut", "gone"), "server_error", "gone"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("started", [True, False])
def test_a_failure_is_told_to_every_kind_of_client(started, error, code, words):
    begin = [START, *text(0, "half")] if started else []
    data = write(*begin, StreamError(error))
    *_, plain, failed = read(data)
    assert plain["type"] == "error"
    assert plain["error"]["message"] == error.message
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"]["code"] == code
    assert words in failed["response"]["error"]["message"]
    with pytest.raises(openai.APIError):
        read_responses_stream(data)


def test_the_response_repeats_what_was_asked():
    asked = {
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "store": False,
        "instructions": "Be.",
        "reasoning": {"effort": "low"},
        "prompt_cache_key": "k",
        "service_tier": "auto",
    }
    response = read(write(START, ResponseEnd("stop"), **asked))[-1]["response"]
    assert {**asked, "service_tier": "default"}.items() <= response.items()
    assert response["parallel_tool_calls"] is True
    assert response["tool_choice"] == "auto"
    assert response["tools"] == []


def test_signatures_of_words_and_calls_are_carried_by_thoughts_of_their_own():
    signed_call = call(1, "f", "{}")
    signed_call.insert(1, SignatureDelta(1, OpaqueState("gemini", "s2")))
    events = [START, PartStart(0, "text"), TextDelta(0, "a"),
              SignatureDelta(0, OpaqueState("gemini", "s1")), PartEnd(0), *signed_call,
              ResponseEnd("tool_calls")]  # fmt: skip
    output = read(write(*events))[-1]["response"]["output"]
    assert [item["type"] for item in output] == [
        "message", "reasoning", "function_call", "reasoning"]  # fmt: skip
    body = {"model": "m", "input": [{"role": "user", "content": "q"}, *output]}
    request = FORMAT.parse_request(json.dumps(body).encode(), RequestLine())
    words, ran = request.messages[1].parts
    assert words.state == OpaqueState("gemini", "s1")
    assert ran.state == OpaqueState("gemini", "s2")


@given(event_streams())
def test_streamed_equals_plain_and_the_strict_reader_accepts_it(events):
    encoder = ResponsesEncoder(Reply(created=1))
    data = b"".join(encoder.encode(event) for event in events)
    folded = fold(events)
    if isinstance(folded, ErrorInfo):
        with pytest.raises(openai.APIError):
            read_responses_stream(data)
        return
    body, _ = FORMAT.render_response(folded, Reply(created=1))
    assert responses_facts(read_responses_stream(data)) == responses_facts(
        read_responses_answer(body)
    )
    read(data)
