import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.base import Reply, RequestLine
from addon.formats.openai_chat import FORMAT
from addon.neutral import (
    Citation,
    ErrorInfo,
    EventChecker,
    PartEnd,
    PartStart,
    ReasoningPart,
    RefusalPart,
    ResponseEnd,
    ResponseStart,
    StreamError,
    TextDelta,
    TextPart,
    ToolCallPart,
    Usage,
    fold,
)
from tests.support.strategies import cuts, event_streams, merged


def chunk(delta=None, finish_reason=None, *, index=0, **fields):
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish_reason}
    return {"id": "c1", "created": 7, "model": "m1", "choices": [choice], **fields}


def sse(*chunks, done=True, newline="\n"):
    lines = [f"data: {json.dumps(item)}{newline}{newline}" for item in chunks]
    return "".join([*lines, f"data: [DONE]{newline}{newline}" if done else ""]).encode()


def decode(data, decoder=None):
    decoder = decoder or FORMAT.decoder()
    pieces = data if isinstance(data, list) else [data]
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.feed_eof()
    checker = EventChecker()
    for event in events:
        checker.check(event)
    assert checker.ended
    assert decoder.feed(b"data: {}\n\n") == []
    assert decoder.feed_eof() == []
    return events


def answer(*chunks, done=True):
    return fold(decode(sse(*chunks, done=done)))


def test_a_plain_stream_becomes_events():
    events = decode(
        sse(
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "Hel"}),
            chunk({"content": "lo"}),
            chunk({}, "stop"),
            {"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        )
    )
    assert events == [
        ResponseStart("c1", "m1"),
        PartStart(0, "text"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartEnd(0),
        ResponseEnd("stop", "stop", None, Usage(3, None, None, 2, None)),
    ]


@given(event_streams(), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_cuts_and_line_ends_do_not_matter(stream, newline, data):
    encoder = FORMAT.encoder(Reply(model="m", created=1))
    wire = b"".join(map(encoder.encode, stream)).replace(b"\n", newline)
    whole = decode(wire)
    assert merged(decode(data.draw(cuts(wire)))) == merged(whole)


@given(st.binary(max_size=300), st.data())
def test_no_bytes_whatsoever_make_it_raise_or_break_the_grammar(junk, data):
    decode(data.draw(cuts(junk)))


@pytest.mark.parametrize("depth", [900, 5000, 200_000])
@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"choices":[{"delta":{"content":%b}}]}\n\n',
        b'data: {"choices":[{"delta":{"annotations":%b}}]}\n\n',
        b'data: {"error":%b}\n\n',
        b'{"choices":[{"message":{"content":%b}}]}',
        b'{"error":%b}',
    ],
)
def test_nor_does_any_depth(depth, frame):
    thinking = b'[{"type":"thinking","thinking":' * depth + b"1" + b"}]" * depth
    for nested in (
        b"[" * depth + b"]" * depth,
        b'{"error":' * depth + b"1" + b"}" * depth,
        thinking,
    ):
        wire = frame % nested
        decode(wire)
        mender = FORMAT.repairer("local", Reply())
        assert mender.feed(wire) + mender.close()
        assert FORMAT.parse_error(400, (), wire).message
        FORMAT.find_error(wire)
        FORMAT.repair_response(wire, "local", Reply())
        assert FORMAT.reply(wire, RequestLine()).model is None


fragments = st.sampled_from(
    [
        b"data: ",
        b"\n\n",
        b"event: error\n",
        b'{"choices":[{"delta":{"content":"x"}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":{}}}]}}]}',
        b'{"choices":[{"index":2,"delta":{"content":[{"type":"thinking","thinking":[{}]}]}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"id":3,"function":{"name":"f"}},null,7]}}]}',
        b'{"choices":{},"usage":[],"id":4}',
        b'{"choices":[null,1,{"finish_reason":"stop"}]}',
        b"[DONE]",
        b"{",
        b'{"error":',
        b"\xff\xfe",
        b": comment\n",
    ]
)


@given(st.lists(fragments, max_size=20))
def test_nor_does_any_order_of_odd_events(pieces):
    whole = b"".join(pieces)
    assert merged(decode(pieces)) == merged(decode(whole))


@given(event_streams())
def test_what_was_written_is_read_again(stream):
    encoder = FORMAT.encoder(Reply(model="m", created=1))
    reread = fold(decode(b"".join(map(encoder.encode, stream))))
    original = fold(stream)
    if isinstance(original, ErrorInfo):
        assert isinstance(reread, ErrorInfo)
        return
    assert reread.usage == original.usage
    assert reread.finish_reason == original.finish_reason
    assert texts(reread, TextPart) == texts(original, TextPart)
    thoughts = [part.text for part in original.parts if isinstance(part, ReasoningPart)]
    assert texts(reread, ReasoningPart) == "\n\n".join(filter(None, thoughts))
    assert [
        (part.call_id, part.name, part.arguments)
        for part in reread.parts
        if isinstance(part, ToolCallPart)
    ] == [
        (part.call_id, part.name, part.arguments)
        for part in original.parts
        if isinstance(part, ToolCallPart)
    ]


def texts(response, kind):
    return "".join(part.text for part in response.parts if isinstance(part, kind))


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_have_two_names(field):
    response = answer(chunk({field: "Hm", "content": None}), chunk({"content": "A"}, "stop"))
    assert response.parts == (ReasoningPart("Hm"), TextPart("A"))


def test_thoughts_given_under_both_names_are_read_once():
    response = answer(chunk({"reasoning_content": "Hm", "reasoning": "Hm"}), chunk({}, "stop"))
    assert response.parts == (ReasoningPart("Hm"),)


def test_details_come_home_as_they_were():
    first = {"type": "reasoning.text", "index": 0, "text": "H", "signature": None}
    more = {"type": "reasoning.text", "index": 0, "text": "m", "signature": "S"}
    secret = {"type": "reasoning.encrypted", "index": 1, "data": "opaque", "id": "r1"}
    decoder = FORMAT.decoder()
    chunks = (chunk({"reasoning_details": [piece]}) for piece in (first, more, secret))
    events = decode(sse(*chunks, chunk({}, "stop")), decoder)
    (part,) = fold(events).parts
    assert part.text == "Hm"
    assert json.loads(part.state.data) == [{**first, "text": "Hm", "signature": "S"}, secret]
    assert decoder.losses == ()


def test_mistral_puts_thoughts_into_the_content():
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    response = answer(
        chunk({"content": [thinking]}),
        chunk({"content": [{"type": "text", "text": "A"}]}),
        chunk({"content": "B"}, "stop"),
    )
    assert response.parts == (ReasoningPart("Hm"), TextPart("AB"))


def test_a_refusal_is_a_part_of_its_own():
    response = answer(chunk({"refusal": "I "}), chunk({"refusal": "won't"}), chunk({}, "stop"))
    assert response.parts == (RefusalPart("I won't"),)


def test_azure_begins_without_choices_and_id():
    response = answer(
        {"id": "", "model": "", "choices": [], "prompt_filter_results": []},
        chunk({"content": "A"}),
        chunk({}, "stop"),
    )
    assert (response.id, response.model) == ("c1", "m1")


@pytest.mark.parametrize(
    "last",
    [
        {"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        chunk({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 2}),
        chunk({}, "stop", x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
        {
            "choices": [
                {"delta": {}, "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "index": 0}
            ]
        },
    ],
)
def test_usage_may_stand_anywhere(last):
    response = answer(chunk({"content": "A"}, "stop"), last)
    assert response.usage == Usage(3, None, None, 2, None)


def test_cumulative_usage_counts_once_and_gaps_are_filled():
    response = answer(
        chunk({"content": "A"}, usage={"prompt_tokens": 3, "completion_tokens": 1}),
        chunk({}, "stop", usage={"prompt_tokens": None, "completion_tokens": 2}),
    )
    assert response.usage == Usage(3, None, None, 2, None)


def test_only_one_of_several_choices_is_followed():
    decoder = FORMAT.decoder()
    events = decode(
        sse(
            chunk({"content": "A"}),
            chunk({"content": "other"}, index=1),
            chunk({}, "stop"),
            chunk({}, "length", index=1),
        ),
        decoder,
    )
    assert fold(events).parts == (TextPart("A"),)
    assert fold(events).finish_reason == "stop"
    assert [loss.field for loss in decoder.losses] == ["choices"]


@pytest.mark.parametrize(
    ("wire", "called", "reason"),
    [
        ("stop", False, "stop"),
        ("stop", True, "tool_calls"),
        ("", True, "tool_calls"),
        (None, False, "stop"),
        ("eos", False, "stop"),
        ("length", True, "length"),
        ("model_length", False, "length"),
        ("function_call", True, "tool_calls"),
        ("sensitive", False, "content_filter"),
        ("MAX_TOKENS", False, "length"),
        ("whatever", False, "other"),
    ],
)
def test_finish_reasons_have_dialects(wire, called, reason):
    call = {"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}
    delta = {"tool_calls": [call]} if called else {"content": "A"}
    response = answer(chunk(delta), chunk({}, wire))
    assert response.finish_reason == reason
    assert response.raw_finish_reason == (wire or None)


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        ("error", "server_error"),
        ("insufficient_system_resource", "overloaded"),
        ("abort", "server_error"),
    ],
)
def test_some_finish_reasons_are_errors(wire, kind):
    error = answer(chunk({"content": "A"}), chunk({}, wire))
    assert isinstance(error, ErrorInfo)
    assert error.kind == kind


def test_a_cut_is_an_error_unless_the_end_was_announced():
    cut = answer(chunk({"content": "A"}), done=False)
    assert isinstance(cut, ErrorInfo)
    assert cut.kind == "cut"
    assert answer(chunk({"content": "A"}), chunk({}, "stop"), done=False).parts == (TextPart("A"),)
    assert answer(chunk({"content": "A"})).finish_reason == "stop"  # `[DONE]` alone will do


def test_an_end_without_beginning_is_a_cut():
    for wire in (b"", b"data: [DONE]\n\n", b"<html>bad gateway</html>", b": ping\n\n"):
        (event,) = decode(wire)
        assert isinstance(event, StreamError)


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error":{"message":"Slow down","code":429}}\n\n',
        b'event: error\ndata: {"error":{"message":"Slow down","status_code":429}}\n\n',
        b'event: error\ndata: {"message":"Slow down","code":429}\n\n',
        b'data: {"object":"error","message":"Slow down","code":429}\n\n',
        b'data: {"error":{"message":"Slow down","code":429},'
        b'"choices":[{"delta":{"content":""},"finish_reason":"error"}]}\n\n',
    ],
)
def test_an_error_may_come_in_the_stream(frame):
    events = decode(sse(chunk({"content": "A"}), done=False) + frame + b"data: [DONE]\n\n")
    last = events[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind == "rate_limit"
    assert last.error.message == "Slow down"


def test_a_broken_event_is_an_error_for_words_are_missing():
    events = decode(sse(chunk({"content": "A"}), done=False) + b'data: {"choices":[{\n\n')
    assert isinstance(events[-1], StreamError)
    assert events[-1].error.code == "unreadable_response"


@pytest.mark.parametrize("blanks", [b"", b"\n         \n", b"\xef\xbb\xbf"])
def test_a_plain_answer_is_read_though_a_stream_was_asked_for(blanks):
    message = {"role": "assistant", "content": "A", "tool_calls": None}
    body = {"id": "c1", "model": "m1", "choices": [{"message": message, "finish_reason": "stop"}]}
    wire = blanks + json.dumps(body, indent=1).encode()
    response = fold(decode([wire[:9], wire[9:]]))
    assert response.parts == (TextPart("A"),)
    assert response.finish_reason == "stop"


def test_a_plain_error_is_read_though_a_stream_was_asked_for():
    error = fold(decode(b'{"error":"model is loading"}'))
    assert isinstance(error, ErrorInfo)
    assert error.message == "model is loading"


def test_lone_surrogates_do_not_get_through():
    wire = b'data: {"choices":[{"delta":{"content":"a\\ud83d"},"finish_reason":"stop"}]}\n\n'
    assert fold(decode(wire)).parts == (TextPart("a\ufffd"),)


def test_sources_come_with_the_text():
    source = {"url": "https://a", "title": "A", "start_index": 0, "end_index": 1}
    annotation = {"type": "url_citation", "url_citation": source}
    cited = answer(chunk({"content": "A"}), chunk({"annotations": [annotation]}), chunk({}, "stop"))
    assert cited.parts == (TextPart("A", (Citation("https://a", "A", "", 0, 1),)),)
    listed = answer(
        chunk({"content": "A"}, citations=["https://a"]),
        chunk({}, "stop", citations=["https://a"]),
    )
    assert listed.parts == (TextPart("A", (Citation("https://a"),)),)


def test_sources_that_come_with_a_call_belong_to_the_words_before_it():
    annotation = {"type": "url_citation", "url_citation": {"url": "https://a"}}
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    cited = answer(
        chunk({"content": "A"}),
        chunk({"annotations": [annotation], "tool_calls": [call]}, "tool_calls"),
    )
    assert cited.parts[0] == TextPart("A", (Citation("https://a"),))


def test_sources_that_are_files_are_listed():
    decoder = FORMAT.decoder()
    note = {"type": "file_citation", "file_citation": {"file_id": "file-1"}}
    decode(sse(chunk({"content": "A", "annotations": [note]}, "stop")), decoder)
    assert [loss.field for loss in decoder.losses] == ["annotations"]


def test_perplexity_repeats_the_message_beside_the_delta():
    first, second = chunk({"content": "A"}), chunk({"content": "B"}, "stop")
    first["choices"][0]["message"] = {"content": "A"}
    second["choices"][0]["message"] = {"content": "AB"}
    assert answer(first, second).parts == (TextPart("AB"),)


def test_what_cannot_be_told_is_listed():
    decoder = FORMAT.decoder()
    decode(sse(chunk({"audio": {"id": "a"}}), chunk({"content": "A"}, "stop")), decoder)
    assert [loss.field for loss in decoder.losses] == ["audio"]
