"""Nothing that a provider or an agent sends brings the format down."""

import json

from hypothesis import given
from hypothesis import strategies as st

from addon.formats import FORMATS
from addon.formats.base import Reply, RequestLine
from addon.formats.openai_responses.stream_decoder import ResponsesDecoder
from addon.neutral import (
    ClientRequestError,
    EventChecker,
    ProviderResponseError,
    Response,
    UnsupportedFeature,
    fold,
    unfold,
)
from tests.support.recordings import captured_bodies, needs_recordings
from tests.support.strategies import cuts, event_streams, merged

FORMAT = FORMATS["openai-responses"]
LINE = RequestLine()

kinds = st.sampled_from([
    "response.created", "response.output_item.added", "response.output_item.done",
    "response.content_part.done", "response.output_text.delta", "response.refusal.delta",
    "response.reasoning_summary_text.delta", "response.reasoning_text.delta",
    "response.function_call_arguments.delta", "response.function_call_arguments.done",
    "response.custom_tool_call_input.delta", "response.output_text.annotation.added",
    "response.completed", "response.incomplete", "response.failed", "error",
    "message", "reasoning", "function_call", "custom_tool_call", "web_search_call",
    "function_call_output", "local_shell_call", "local_shell_call_output", "shell_call",
    "tool_search_call", "tool_search_output", "additional_tools", "output_text", "input_text",
    "input_image", "input_file", "refusal", "summary_text", "function", "custom", "namespace",
    "web_search", "shell", "tool_search", "allowed_tools", "json_schema", "user", "assistant",
])  # fmt: skip
keys = st.sampled_from([
    "type", "item", "part", "delta", "output_index", "content_index", "summary_index", "item_id",
    "response", "output", "status", "content", "summary", "text", "refusal", "arguments", "input",
    "call_id", "name", "id", "role", "encrypted_content", "annotations", "annotation", "error",
    "message", "code", "usage", "input_tokens", "tools", "tool_choice", "namespace", "action",
    "image_url", "file_data", "format", "reasoning", "effort", "instructions", "execution",
])  # fmt: skip
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 5), st.floats(allow_nan=False), st.text(max_size=6),
    kinds, st.sampled_from(["call_1", "dt1.xx", "completed", "failed", "data:image/png;base64,"]),
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=8)
typed = st.builds(lambda kind, wire: {**wire, "type": kind}, kinds, objects)


def decode(chunks):
    decoder = ResponsesDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    events += decoder.feed_eof()
    checker = EventChecker()
    for event in events:
        checker.check(event)
    assert checker.ended
    assert decoder.feed(b"data: {}\n\n") == decoder.feed_eof() == []
    return events


def frames(wires):
    return b"".join(b"data: " + json.dumps(wire).encode() + b"\n\n" for wire in wires)


@given(st.lists(typed, max_size=8), st.data())
def test_events_of_any_shape_make_a_legal_stream(wires, data):
    stream = frames(wires)
    whole = decode([stream])
    assert merged(decode(data.draw(cuts(stream)))) == merged(whole)
    fold(whole)


@given(event_streams(), st.data())
def test_a_stream_with_broken_types_is_still_legal(events, data):
    encoder = FORMAT.encoder(Reply(created=1))
    wires = [
        json.loads(line[6:])
        for line in b"".join(map(encoder.encode, events)).splitlines()
        if line.startswith(b"data: ")
    ]
    for _ in range(data.draw(st.integers(1, 3))):
        wire = data.draw(st.sampled_from(wires))
        holder = data.draw(st.sampled_from(
            [wire, *(value for value in wire.values() if isinstance(value, dict) and value)]
        ))  # fmt: skip
        holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(values)
    decode([frames(wires)])


@given(st.binary(max_size=200))
def test_any_bytes_make_a_legal_stream(junk):
    decode([junk, b"\n\ndata: " + junk + b"\n\n"])


@given(objects)
def test_a_plain_answer_of_any_shape_is_read_or_refused(wire):
    body = json.dumps(wire).encode()
    FORMAT.find_error(body)
    FORMAT.parse_error(500, (), body)
    try:
        answer, _ = FORMAT.parse_response(body)
    except ProviderResponseError:
        return
    assert isinstance(answer, Response)
    FORMAT.render_response(answer, Reply())


@given(event_streams())
def test_an_answer_written_and_read_is_the_same(events):
    encoder = FORMAT.encoder(Reply(created=1))
    folded = fold(decode([b"".join(map(encoder.encode, events))]))
    if isinstance(folded, Response):
        body, _ = FORMAT.render_response(folded, Reply(created=1))
        again, _ = FORMAT.parse_response(body)
        assert again.parts == folded.parts
        assert again.usage == folded.usage
        assert fold(unfold(again)) == again


@given(st.fixed_dictionaries(
    {"model": st.just("m"), "input": st.lists(typed, max_size=4) | values},
    optional={"tools": st.lists(typed, max_size=3), "tool_choice": values, "text": values,
              "reasoning": values, "include": values, "instructions": values},
))  # fmt: skip
def test_a_request_of_any_shape_is_read_or_refused(wire):
    body = json.dumps(wire).encode()
    FORMAT.encoder(FORMAT.reply(body, LINE))
    try:
        request = FORMAT.parse_request(body, LINE)
    except ClientRequestError:
        return
    for target, model in (("anthropic", "claude-opus-5-5"), ("openai-chat", "gpt-4.1"),
                          ("openai-responses", "gpt-5.5")):  # fmt: skip
        try:
            FORMATS[target].render_request(request, model, "openai")
        except (UnsupportedFeature, ClientRequestError):
            continue


@given(st.binary(max_size=80))
def test_the_reply_never_complains(junk):
    FORMAT.reply(junk, LINE)
    FORMAT.reply(b'{"input":' + junk, LINE)


@needs_recordings
def test_every_captured_body_names_the_routes_of_its_tools():
    bodies = captured_bodies("/v1/responses")
    assert len(bodies) > 10
    for name, body in bodies:
        reply = FORMAT.reply(body, LINE)
        request = FORMAT.parse_request(body, LINE)
        assert reply.model == request.model
        custom = {tool.name for tool in request.tools if getattr(tool, "kind", "") == "custom"}
        assert reply.custom_tools == custom, name
