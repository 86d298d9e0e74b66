import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.gemini import FORMAT
from addon.neutral import (
    Citation,
    ErrorInfo,
    EventChecker,
    OpaqueState,
    ReasoningPart,
    RefusalPart,
    StreamError,
    TextPart,
    ToolCallPart,
    fold,
)
from tests.support.strategies import cuts, merged


def chunk(*parts, **candidate):
    content = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    return {
        "candidates": [{**content, **candidate}],
        "modelVersion": "gemini-3.8-flash",
        "responseId": "R1",
    }


def sse(*chunks):
    return b"".join(b"data: " + json.dumps(wire).encode() + b"\r\n\r\n" for wire in chunks)


def events(data):
    decoder = FORMAT.decoder()
    found = decoder.feed(data) + decoder.feed_eof()
    checker = EventChecker()
    for event in found:
        checker.check(event)
    assert checker.ended
    return found


def read(*chunks):
    return fold(events(sse(*chunks)))


STOP = chunk(finishReason="STOP")


def call(name=None, part=None, **fields):
    wire = {**({"name": name} if name else {}), **fields}
    return {"functionCall": wire, **(part or {})}


def test_words_and_thoughts_continue_across_chunks():
    answer = read(
        chunk({"text": "Pl", "thought": True}),
        chunk({"text": "an", "thought": True}),
        chunk({"text": "Hel"}),
        chunk({"text": "lo"}),
        STOP,
    )
    assert answer.parts == (ReasoningPart("Plan"), TextPart("Hello"))
    assert (answer.id, answer.model) == ("R1", "gemini-3.8-flash")
    assert (answer.finish_reason, answer.raw_finish_reason) == ("stop", "STOP")


def test_parallel_calls_keep_their_ids_and_the_signature_of_the_first():
    answer = read(
        chunk(
            call("ls", {"thoughtSignature": "S1"}, id="x1", args={}),
            call("read", id="x2", args={"p": "ü"}),
        ),
        STOP,
    )
    assert answer.parts == (
        ToolCallPart("x1", "ls", "{}", state=OpaqueState("gemini", "S1")),
        ToolCallPart("x2", "read", '{"p":"ü"}'),
    )
    assert answer.finish_reason == "tool_calls"


def test_missing_call_ids_are_made_and_differ():
    answer = read(chunk(call("ls", args={}), call("ls", args={})), STOP)
    first, second = (part.call_id for part in answer.parts)
    assert first != second
    assert first.startswith("call_")
    again = read(chunk(call("ls", args={}), call("ls", args={})), STOP)
    assert [part.call_id for part in again.parts] == [first, second]


def test_a_call_without_arguments_is_whole():
    assert read(chunk(call("now")), STOP).parts[0].arguments == "{}"


def test_streamed_arguments_are_put_together():
    answer = read(
        chunk(call("write", {"thoughtSignature": "S"}, willContinue=True)),
        chunk(
            call(
                partialArgs=[{"jsonPath": "$.path", "stringValue": "a", "willContinue": True}],
                willContinue=True,
            )
        ),
        chunk(
            call(
                partialArgs=[
                    {"jsonPath": "$.path", "stringValue": ".txt"},
                    {"jsonPath": "$.n[1]['k']", "numberValue": 2},
                    {"jsonPath": "$.yes", "boolValue": True},
                    {"jsonPath": "$.nothing", "nullValue": "NULL_VALUE"},
                ],
                willContinue=True,
            )
        ),
        chunk({"functionCall": {}}),
        chunk(call("ls", willContinue=True)),
        STOP,
    )
    write, ls = answer.parts
    assert json.loads(write.arguments) == {
        "path": "a.txt",
        "n": [None, {"k": 2}],
        "yes": True,
        "nothing": None,
    }
    assert write.state == OpaqueState("gemini", "S")
    assert (ls.name, ls.arguments) == ("ls", "{}")


def test_a_signature_on_an_empty_last_part_vouches_for_the_words_before():
    answer = read(chunk({"text": "Hi"}), chunk({"text": "", "thoughtSignature": "S"}), STOP)
    assert answer.parts == (TextPart("Hi", state=OpaqueState("gemini", "S")),)


def test_a_signature_after_a_call_gets_a_part_of_its_own():
    answer = read(chunk(call("ls")), chunk({"text": "", "thoughtSignature": "S"}), STOP)
    assert answer.parts[1] == TextPart("", state=OpaqueState("gemini", "S"))


def test_a_signed_part_is_never_joined_with_another():
    answer = read(
        chunk({"text": "a"}),
        chunk({"text": "b", "thoughtSignature": "S"}),
        chunk({"text": "c"}),
        STOP,
    )
    assert answer.parts == (
        TextPart("a"),
        TextPart("b", state=OpaqueState("gemini", "S")),
        TextPart("c"),
    )


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ("STOP", "stop"),
        (1, "stop"),
        ("MAX_TOKENS", "length"),
        (2, "length"),
        ("CONTINUATION", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        (8, "content_filter"),
        ("OTHER", "other"),
        ("SOMETHING_NEW", "other"),
        (99, "other"),
    ],
)
def test_finish_reasons(wire, reason):
    assert read(chunk({"text": "x"}), chunk(finishReason=wire)).finish_reason == reason


@pytest.mark.parametrize("wire", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", 10])
def test_a_botched_call_is_an_error(wire):
    answer = read(chunk({"text": "x"}), chunk(finishReason=wire, finishMessage="no such tool"))
    assert (answer.kind, answer.message) == ("server_error", "no such tool")


def test_the_finish_reason_may_come_early_and_twice():
    answer = read(chunk({"text": "a"}, finishReason="STOP"), chunk({"text": "b"}), STOP)
    assert answer.parts == (TextPart("ab"),)


def test_a_blocked_prompt_is_a_refusal():
    answer = read({"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "No."}})
    assert answer.finish_reason == "content_filter"
    assert answer.parts == (RefusalPart("No."),)


@pytest.mark.parametrize("candidate", [{"content": None}, {"content": {}}, {}])
def test_an_empty_answer_is_an_answer(candidate):
    wire = {"candidates": [{**candidate, "finishReason": "STOP"}]}
    assert read(wire).parts == ()
    assert read(wire).finish_reason == "stop"


def test_usage_is_cumulative_and_thoughts_are_output():
    counts = {"promptTokenCount": 9, "candidatesTokenCount": 14, "thoughtsTokenCount": 30}
    usage = read(
        {**chunk({"text": "a"}), "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}},
        {**STOP, "usageMetadata": {**counts, "totalTokenCount": 53}},
    ).usage
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (9, 44, 30)


def test_thoughts_that_the_answer_includes_are_not_counted_twice():
    counts = {"promptTokenCount": 9, "candidatesTokenCount": 44, "thoughtsTokenCount": 30}
    wire = {**STOP, "usageMetadata": {**counts, "totalTokenCount": 53}}
    assert read(wire).usage.output_tokens == 44


def test_sources_are_cited_by_characters():
    supports = [
        {"segment": {"startIndex": 3, "endIndex": 5}, "groundingChunkIndices": [1, 7]},
        {"segment": {"endIndex": 2, "text": "ü"}, "groundingChunkIndices": [0]},
        {"segment": {"startIndex": 90, "endIndex": 99}, "groundingChunkIndices": [0]},
    ]
    chunks = [{"web": {"uri": "https://a", "title": "A"}}, {"maps": {"uri": "https://b"}}]
    grounding = {"groundingChunks": chunks, "groundingSupports": supports}
    answer = read(chunk({"text": "ü ßx"}), chunk(groundingMetadata=grounding, finishReason="STOP"))
    assert answer.parts[0].citations == (
        Citation("https://b", "", "", 2, 3),
        Citation("https://a", "A", "ü", 0, 1),
    )


CALLED = {"functionCall": {"name": "f", "args": {}}}
CITED = {
    "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
    "groundingSupports": [
        {"segment": {"startIndex": start, "endIndex": start + 1}, "groundingChunkIndices": [0]}
        for start in (0, 2)
    ],
}


def test_sources_that_come_with_a_call_belong_to_the_words_before_it():
    answer = read(chunk({"text": "ab"}), chunk(CALLED, groundingMetadata=CITED), STOP)
    assert answer.parts[0].citations == (Citation("https://a", "A", "", 0, 1),)


@pytest.mark.parametrize(
    ("chunks", "cited"),
    [
        ([chunk({"text": "ab"}), chunk(CALLED), chunk(groundingMetadata=CITED)], 0),
        ([chunk(CALLED), chunk(groundingMetadata=CITED)], 0),
        ([chunk({"text": "ab"}), chunk(CALLED), chunk({"text": "c"}, groundingMetadata=CITED)], 1),
    ],
)
def test_sources_that_come_too_late_are_listed(chunks, cited):
    decoder = FORMAT.decoder()
    answer = fold(decoder.feed(sse(*chunks, STOP)) + decoder.feed_eof())
    assert sum(len(part.citations) for part in answer.parts if isinstance(part, TextPart)) == cited
    assert [loss.field for loss in decoder.losses] == ["groundingMetadata"]


def test_code_that_the_provider_ran_becomes_text():
    answer = read(
        chunk({"executableCode": {"language": "PYTHON", "code": "print(1)"}}),
        chunk({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}),
        chunk({"text": "One."}),
        STOP,
    )
    words = "".join(part.text for part in answer.parts)
    assert words == "\n```python\nprint(1)\n```\n\n```\n1\n```\nOne."


def test_what_has_no_place_is_listed():
    decoder = FORMAT.decoder()
    picture = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
    decoder.feed(sse(chunk(picture), {"candidates": [{"index": 1, "finishReason": "STOP"}]}))
    assert {loss.field for loss in decoder.losses} == {"parts.inlineData", "candidates"}


def test_an_error_within_the_stream_ends_it():
    error = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
    answer = read(chunk({"text": "a"}), error, STOP)
    assert (answer.kind, answer.message) == ("overloaded", "busy")


@pytest.mark.parametrize("before", [b"", sse(chunk({"text": "a"}))])
def test_an_error_as_bare_json_is_found(before):
    error = {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}
    answer = fold(events(before + json.dumps(error, indent=2).encode()))
    assert (answer.kind, answer.message) == ("rate_limit", "slow")


def test_a_cut_is_an_error_unless_the_end_had_been_announced():
    assert read(chunk({"text": "a"})).kind == "cut"
    assert fold(events(b"")).kind == "cut"
    assert fold(events(sse(chunk({"text": "a"}), STOP)[:-4])).finish_reason == "stop"


@given(data=st.data())
@pytest.mark.parametrize("ending", [b"\r\n\r\n", b"\n\n", b"\n", b"\r\r"])
def test_line_ends_and_cuts_do_not_matter(ending, data):
    stream = sse(chunk({"text": "ü"}), chunk(call("ls", args={"a": "}{"})), STOP)
    expected = merged(events(stream))
    decoder = FORMAT.decoder()
    pieces = data.draw(cuts(stream.replace(b"\r\n\r\n", ending)))
    found = [event for piece in pieces for event in decoder.feed(piece)] + decoder.feed_eof()
    assert merged(found) == expected


@given(data=st.data(), between=st.sampled_from([b"\n,\r\n", b",", b",\n"]))
def test_an_array_in_pieces_is_the_same_stream(data, between):
    chunks = [chunk({"text": 'ü"\\{['}), chunk(call("ls", args={"a": "}{\\"})), STOP]
    expected = merged(events(sse(*chunks)))
    array = b"[" + between.join(json.dumps(wire, indent=2).encode() for wire in chunks) + b"\n]\n"
    decoder = FORMAT.decoder()
    found = [event for piece in data.draw(cuts(array)) for event in decoder.feed(piece)]
    assert merged(found + decoder.feed_eof()) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
parts = st.fixed_dictionaries(
    {},
    optional={
        "text": json_values,
        "thought": json_values,
        "thoughtSignature": json_values,
        "executableCode": json_values,
        "codeExecutionResult": json_values,
        "functionCall": json_values
        | st.fixed_dictionaries(
            {},
            optional={
                "name": json_values,
                "id": json_values,
                "args": json_values,
                "willContinue": json_values,
                "partialArgs": json_values
                | st.lists(
                    st.fixed_dictionaries(
                        {"jsonPath": st.sampled_from(["$.a", "$.a[1]", "$[0]", "$['x'].y", "$"])},
                        optional={"stringValue": json_values, "numberValue": json_values},
                    ),
                    max_size=3,
                ),
            },
        ),
    },
)
wild_chunks = st.fixed_dictionaries(
    {},
    optional={
        "candidates": json_values
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "content": json_values
                    | st.fixed_dictionaries({"parts": json_values | st.lists(parts, max_size=4)}),
                    "finishReason": json_values | st.sampled_from(["STOP", "SAFETY"]),
                    "groundingMetadata": json_values
                    | st.fixed_dictionaries(
                        {"groundingChunks": json_values, "groundingSupports": json_values}
                    ),
                    "index": json_values,
                },
            ),
            max_size=2,
        ),
        "usageMetadata": json_values,
        "promptFeedback": json_values,
        "responseId": json_values,
        "error": st.none() | st.just({}),
    },
)


@given(chunks=st.lists(wild_chunks, max_size=5))
def test_no_type_is_trusted(chunks):
    events(sse(*chunks))


@given(
    data=st.binary(max_size=200), start=st.sampled_from([b"", b"data: ", b"[", b"{", b"data: {"])
)
def test_no_bytes_are_trusted(data, start):
    found = events(start + data)
    assert isinstance(found[-1], StreamError)
    assert isinstance(fold(found), ErrorInfo)
