import json

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.base import Reply
from addon.formats.openai_chat import FORMAT
from addon.neutral import ErrorInfo, fold
from tests.support.official import chat_facts, read_chat_answer, read_chat_stream
from tests.support.strategies import cuts, event_streams

ASKED = Reply(model="asked-for", created=7, include_usage=True, stream=True)
UNASKED = Reply(model="asked-for", created=7, include_usage=False, stream=True)
DONE = b"data: [DONE]\n\n"


def chunk(delta=None, finish_reason=None, *, index=0, **fields):
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish_reason}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m1"}
    return head | {"choices": [choice]} | fields


def sse(*chunks, done=True):
    return b"".join(b"data: " + json.dumps(item).encode() + b"\n\n" for item in chunks) + (
        DONE if done else b""
    )


def mend(wire, reply=UNASKED, dialect="local"):
    mender = FORMAT.repairer(dialect, reply)
    pieces = wire if isinstance(wire, list) else [wire]
    output = b"".join([*map(mender.feed, pieces), mender.close()])
    assert mender.feed(b"data: {}\n\n") == b""
    assert mender.close() == b""
    return output


def mended(*chunks, reply=UNASKED, done=True):
    lines = mend(sse(*chunks, done=done), reply).decode().split("\n\n")[:-1]
    return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]


ROLE = {"role": "assistant", "content": ""}


def test_openai_needs_no_mending():
    assert FORMAT.repairer("openai", ASKED) is None


@given(event_streams(), st.data())
def test_a_stream_in_order_passes_byte_for_byte(stream, data):
    encoder = FORMAT.encoder(ASKED)
    wire = b"".join(map(encoder.encode, stream))
    assert mend(data.draw(cuts(wire)), ASKED) == wire


def test_extra_fields_and_spacing_pass():
    wire = sse(chunk(ROLE | {"padding": "x"}, timings={"n": 1}), chunk({"content": "A"}, "stop"))
    assert mend(wire) == wire


def test_the_head_is_kept_the_same():
    output = mended(
        chunk(ROLE, id="", object="", created=None, model=""),
        chunk({"content": "A"}, id="x", model="other"),
        chunk({}, "stop", created=9),
    )
    heads = {json.dumps([item[key] for key in HEAD]) for item in output[:-1]}
    assert heads == {'["chatcmpl-7", "chat.completion.chunk", 7, "asked-for"]'}


HEAD = ("id", "object", "created", "model")


def test_the_role_comes_once():
    output = mended(chunk({"content": "A"}), chunk({"role": "assistant", "content": "B"}, "stop"))
    deltas = [item["choices"][0]["delta"] for item in output[:-1]]
    assert deltas == [{"content": "A", "role": "assistant"}, {"content": "B"}]


def test_content_lists_are_taken_apart():
    blocks = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "text", "text": "A"},
    ]
    output = mended(chunk({"role": "assistant", "content": blocks}, "stop"))
    assert output[0]["choices"][0]["delta"] == {
        "role": "assistant",
        "content": "A",
        "reasoning_content": "Hm",
    }


def test_calls_are_put_in_order():
    whole = {"id": "", "function": {"name": "f", "arguments": {"x": 1}}}
    repeated = {"index": 5, "id": "b", "function": {"name": "g", "arguments": '{"y"'}}
    rest = {
        "index": 5,
        "id": "b",
        "type": "function",
        "function": {"name": "g", "arguments": ":2}"},
    }
    output = mended(
        chunk(ROLE | {"tool_calls": [whole]}),
        chunk({"tool_calls": [repeated]}),
        chunk({"tool_calls": [rest]}),
        chunk({}, "stop"),
    )
    calls = [item["choices"][0]["delta"].get("tool_calls") for item in output[:3]]
    assert calls[0][0]["index"] == 0
    assert calls[0][0]["id"].startswith("call_")
    assert calls[0][0]["function"] == {"name": "f", "arguments": '{"x":1}'}
    assert calls[1] == [
        {"index": 1, "id": "b", "type": "function", "function": repeated["function"]}
    ]
    assert calls[2] == [{"index": 1, "type": "function", "function": {"arguments": ":2}"}}]
    assert output[3]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("nothing", [None, "", "null"])
def test_calls_without_arguments_get_an_empty_object(nothing):
    call = {
        "index": 0,
        "id": "a",
        "type": "function",
        "function": {"name": "f", "arguments": nothing},
    }
    wire = mend(sse(chunk(ROLE), chunk({"tool_calls": [call]}), chunk({}, "tool_calls")))
    assert chat_facts(read_chat_stream(wire))["calls"] == [("a", "f", "{}")]


def test_an_end_that_came_too_early_is_put_off():
    first = {
        "index": 0,
        "id": "a",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
    }
    second = first | {"index": 1, "id": "b"}
    output = mended(
        chunk(ROLE | {"tool_calls": [first]}, "tool_calls"),
        chunk({"tool_calls": [second]}, "tool_calls"),
        chunk({}, "tool_calls"),
    )
    reasons = [item["choices"][0]["finish_reason"] for item in output[:-1]]
    assert reasons == [None, None, "tool_calls"]


@pytest.mark.parametrize(
    ("wire", "right"), [("eos", "stop"), ("model_length", "length"), ("", None)]
)
def test_finish_reasons_are_put_in_openai_s_words(wire, right):
    output = mended(chunk(ROLE, wire), chunk({}, "stop") if not wire else chunk({"content": ""}))
    assert {item["choices"][0]["finish_reason"] for item in output[:-1]} <= {right, "stop", None}


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "own": 1.5}


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(ROLE), chunk({}, "stop", usage=USAGE)],
        [chunk(ROLE, usage=USAGE), chunk({}, "stop", usage=USAGE)],
        [chunk(ROLE), chunk({}, "stop"), chunk(choices=[], usage=USAGE)],
        [
            chunk(ROLE),
            chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]),
        ],
    ],
)
def test_usage_comes_once_at_the_end_and_only_if_asked_for(chunks):
    output = mended(*chunks, reply=ASKED)
    assert [bool(item.get("usage")) for item in output[:-1]] == [False] * (len(output) - 2) + [True]
    assert output[-2]["choices"] == []
    assert output[-2]["usage"] == USAGE
    without = mended(*chunks, reply=UNASKED)
    assert not any("usage" in item and item["usage"] for item in without[:-1])
    assert all(item["choices"] for item in without[:-1])


def test_empty_chunks_and_comments_are_left_out():
    wire = b": PROCESSING\n\n" + sse(
        {"id": "", "choices": [], "prompt_filter_results": []}, chunk(ROLE, "stop")
    )
    assert mend(wire) == sse(chunk(ROLE, "stop"))


def test_all_choices_are_kept():
    wire = sse(
        chunk(ROLE),
        chunk(ROLE, index=1),
        chunk({"content": "A"}),
        chunk({"content": "B"}, index=1),
        chunk({}, "stop"),
        chunk({}, "length", index=1),
    )
    assert mend(wire) == wire


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error":{"message":"Busy","code":503}}\n\n',
        b'event: error\ndata: {"message":"Busy","code":503}\n\n',
        b'data: {"error":"Busy","choices":[]}\n\n',
    ],
)
def test_errors_become_error_frames(frame):
    output = mend(sse(chunk(ROLE), chunk({"content": "A"}), done=False) + frame + DONE)
    assert DONE not in output
    with pytest.raises(openai.APIError, match="Busy"):
        read_chat_stream(output)


def test_a_finish_reason_may_be_an_error():
    output = mend(sse(chunk(ROLE), chunk({"content": "A"}, "insufficient_system_resource")))
    assert b'"content":"A"' in output
    assert DONE not in output
    assert b"server_is_overloaded" in output


def test_the_end_is_completed_or_the_cut_told():
    orderly = mend(sse(chunk(ROLE), chunk({}, "stop"), done=False))
    assert orderly.endswith(DONE)
    unsaid = mended(chunk(ROLE))
    assert unsaid[-2]["choices"][0]["finish_reason"] == "stop"
    cut = mend(sse(chunk(ROLE), chunk({"content": "A"}), done=False))
    assert DONE not in cut
    assert b"upstream_cut" in cut
    half = mend(sse(chunk(ROLE), chunk(ROLE, index=1), chunk({}, "stop"), done=False))
    assert b"upstream_cut" in half
    assert b"upstream_cut" in mend(b"")


def test_the_last_blank_line_may_be_missing():
    wire = sse(chunk(ROLE), chunk({}, "stop"))
    assert mend(wire.removesuffix(b"\n\n")) == wire


def test_plain_answers_become_streams():
    message = {"role": "assistant", "content": "A"}
    body = {"id": "c1", "model": "m1", "choices": [{"message": message, "finish_reason": "stop"}]}
    wire = mend([b"\n ", json.dumps(body).encode()], ASKED)
    assert chat_facts(read_chat_stream(wire))["text"] == "A"
    assert b"loading" in mend(b'{"error":"model is loading"}')


def test_lists_without_numbers_get_some_for_clients_put_them_together():
    first, second = {"type": "a", "text": "x"}, {"type": "b", "text": "y"}
    output = mended(
        chunk(ROLE | {"annotations": [first]}), chunk({"annotations": [second]}), chunk({}, "stop")
    )
    assert output[1]["choices"][0]["delta"]["annotations"] == [second | {"index": 1}]
    read_chat_stream(sse(*output[:-1]))


def test_agents_of_another_age_are_translated_for():
    reply = Reply(legacy_functions=True, created=7)
    call = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    wire = mend(sse(chunk(ROLE | {"tool_calls": [call]}), chunk({}, "tool_calls")), reply, "groq")
    assert read_chat_stream(wire).choices[0].message.function_call.name == "f"
    wrapped = call | {"function": {"name": "patch", "arguments": '{"input":"x"}'}}
    reply = Reply(custom_tools=frozenset(["patch"]), created=7)
    wire = mend(sse(chunk(ROLE | {"tool_calls": [wrapped]}), chunk({}, "tool_calls")), reply)
    assert b'"custom":{"input":"x"}' in wire


@given(st.binary(max_size=200))
def test_no_bytes_whatsoever_make_it_raise(junk):
    output = mend(junk)
    assert output.count(b"[DONE]") + output.count(b'"error"') == 1


odd_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", "stop", "error"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("choices", "delta", "index", "tool_calls", "function", "name", "id", "usage"),
                    *("arguments", "content", "finish_reason", "type", "message", "custom"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(odd_values, max_size=5), st.data())
def test_nor_do_any_chunks_and_the_cuts_do_not_matter(values, data):
    wire = sse(*({"choices": [value]} for value in values))
    output = mend(wire, ASKED)
    assert output == mend(data.draw(cuts(wire)), ASKED)
    assert output.endswith(DONE) or b'"error"' in output
    FORMAT.decoder().feed(output)


def plain(message, finish_reason="stop", **fields):
    choice = {"index": 0, "message": message, "finish_reason": finish_reason} | fields
    return json.dumps({"id": "c1", "created": 7, "model": "m1", "choices": [choice]}).encode()


def test_whole_answers_in_order_pass_byte_for_byte():
    body = b"\n " + plain({"role": "assistant", "content": "A", "extra": 1})
    assert FORMAT.repair_response(body, "local", UNASKED) == body
    odd = plain({"content": [{"type": "text", "text": "A"}]})
    assert FORMAT.repair_response(odd, "openai", UNASKED) == odd


def test_whole_answers_are_mended():
    call = {"function": {"name": "f", "arguments": {"x": 1}}}
    bare = {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}
    thinking = {"type": "thinking", "thinking": "Hm"}
    body = plain({"content": [thinking], "tool_calls": [call, bare]}, "stop", index=None, seed=3)
    wire = json.loads(FORMAT.repair_response(body, "local", UNASKED))
    choice = wire["choices"][0]
    assert (choice["index"], choice["finish_reason"], choice["seed"]) == (0, "tool_calls", 3)
    message = choice["message"]
    assert (message["role"], message["content"]) == ("assistant", None)
    assert message["reasoning_content"] == "Hm"
    assert message["tool_calls"][0]["id"].startswith("call_")
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == ['{"x":1}', "{}"]
    folded = FORMAT.parse_response(body)[0]
    assert chat_facts(read_chat_answer(json.dumps(wire).encode()))["calls"][0][0] == (
        folded.parts[1].call_id
    )


def test_whole_answers_are_translated_for_agents_of_another_age():
    call = {
        "id": "a",
        "type": "function",
        "function": {"name": "patch", "arguments": '{"input":"x"}'},
    }
    reply = Reply(custom_tools=frozenset(["patch"]))
    body = FORMAT.repair_response(plain({"tool_calls": [call]}), "groq", reply)
    assert json.loads(body)["choices"][0]["message"]["tool_calls"][0]["type"] == "custom"
    assert FORMAT.repair_response(b"<html>", "groq", reply) == b"<html>"


def test_mending_keeps_the_meaning():
    wire = sse(chunk({"content": "A"}, "eos"), done=False)
    before = FORMAT.decoder()
    after = FORMAT.decoder()
    first = fold(before.feed(wire) + before.feed_eof())
    second = fold(after.feed(mend(wire)) + after.feed_eof())
    assert not isinstance(first, ErrorInfo)
    assert (first.parts, first.finish_reason) == (second.parts, second.finish_reason)
