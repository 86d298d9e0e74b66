import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.openai_chat import FORMAT
from addon.formats.openai_chat.tool_call_matching import JsonProgress
from addon.neutral import (
    EventChecker,
    OpaqueState,
    PartEnd,
    PartStart,
    TextPart,
    ToolCallPart,
    fold,
)


def events_of(*deltas):
    chunks = [{"id": "c1", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    wire = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    events = FORMAT.decoder().feed(wire.encode())
    checker = EventChecker()
    for event in events:
        checker.check(event)
    return events


def calls_of(*lists):
    response = fold(events_of(*({"tool_calls": entries} for entries in lists)))
    assert response.finish_reason == "tool_calls"
    return [
        (part.call_id, part.name, part.arguments)
        for part in response.parts
        if isinstance(part, ToolCallPart)
    ]


def piece(index=None, id=None, name=None, arguments=None):
    entry = {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}
    entry["function"] = {k: v for k, v in entry["function"].items() if v is not None}
    return {k: v for k, v in entry.items() if v is not None}


A, B = ("a", "read", '{"x":1}'), ("b", "list", '{"y":2}')


@pytest.mark.parametrize(
    "lists",
    [
        pytest.param(
            [
                [piece(0, "a", "read", "")],
                [piece(0, arguments='{"x"')],
                [piece(0, arguments=":1}")],
                [piece(1, "b", "list", "")],
                [piece(1, arguments='{"y":2}')],
            ],
            id="as OpenAI does",
        ),
        pytest.param(
            [
                [piece(0, "a", "read", ""), piece(1, "b", "list", "")],
                [piece(1, arguments='{"y"'), piece(0, arguments='{"x":')],
                [piece(0, arguments="1}"), piece(1, arguments=":2}")],
            ],
            id="interleaved",
        ),
        pytest.param(
            [[piece(0, "a", "read", '{"x":1}')], [piece(0, "b", "list", '{"y":2}')]],
            id="whole calls, all numbered 0",
        ),
        pytest.param(
            [[piece(None, "a", "read", '{"x":1}'), piece(None, "b", "list", '{"y":2}')]],
            id="whole calls without number",
        ),
        pytest.param(
            [
                [piece(None, "a", "read", '{"x"')],
                [piece(None, arguments=":1}")],
                [piece(None, "b", "list", "")],
                [piece(None, arguments='{"y":2}')],
            ],
            id="pieces without number",
        ),
        pytest.param(
            [
                [piece(0, "a", "read", '{"x"')],
                [piece(0, "a", "read", ":1}")],
                [piece(1, "b", "list", '{"y"')],
                [piece(1, "b", "list", ":2}")],
            ],
            id="id and name repeated",
        ),
        pytest.param(
            [
                [piece(0, "a", "read", '{"x"')],
                [piece(0, "other", arguments=":1}")],
                [piece(1, "b", "list", '{"y"')],
                [piece(1, "", "", ":2}")],
            ],
            id="other and empty ids later",
        ),
        pytest.param(
            [
                [{"id": "a", "function": {"name": "read", "arguments": {"x": 1}}}],
                [{"id": "b", "function": {"name": "list", "arguments": {"y": 2}}}],
            ],
            id="arguments as objects",
        ),
        pytest.param(
            [
                [piece(0, "a", arguments='{"x"')],
                [piece(0, name="read", arguments=":1}")],
                [piece(1, "b", "list", '{"y":2}')],
            ],
            id="name after the first arguments",
        ),
        pytest.param(
            [
                [piece(0, "a", "read", '{"x":1}')],
                [piece(1, "b", "list", '{"y":2}')],
                [piece(0, "a", "read", '{"x":1}'), piece(1, "b", "list", '{"y":2}')],
            ],
            id="everything repeated at the end",
        ),
        pytest.param(
            [{"id": "a", "function": {"name": "read", "arguments": '{"x":1}'}}, [piece(1, *B)]],
            id="an object in the place of the list",
        ),
    ],
)
def test_two_calls_are_told_apart(lists):
    assert calls_of(*lists) == [A, B]


def test_missing_ids_are_derived_and_stay_the_same():
    lists = [[piece(None, None, "read", '{"x":1}'), piece(None, "", "list", '{"y":2}')]]
    (first, _, _), (second, _, _) = calls_of(*lists)
    assert first.startswith("call_")
    assert first != second
    assert calls_of(*lists)[0][0] == first


@pytest.mark.parametrize("nothing", [None, "", "null"])
def test_no_arguments_are_no_arguments(nothing):
    assert calls_of([piece(0, "a", "read", nothing)]) == [("a", "read", "")]


def test_a_null_within_arguments_stays():
    lists = [[piece(0, "a", "f", '{"x":')], [piece(0, arguments="null")], [piece(0, arguments="}")]]
    assert calls_of(*lists) == [("a", "f", '{"x":null}')]


def test_a_complete_call_ends_when_the_next_begins():
    events = events_of(
        {"tool_calls": [piece(0, "a", "read", '{"x":1}')]},
        {"tool_calls": [piece(1, "b", "list", "{")]},
        {"tool_calls": [piece(1, arguments="}")]},
    )
    kinds = [
        (type(event), event.index) for event in events if isinstance(event, PartStart | PartEnd)
    ]
    assert kinds == [(PartStart, 0), (PartEnd, 0), (PartStart, 1), (PartEnd, 1)]


def test_words_may_follow_a_call():
    response = fold(
        events_of(
            {"tool_calls": [piece(0, "a", "read", "{}")]}, {"content": "and "}, {"content": "so"}
        )
    )
    assert response.parts == (ToolCallPart("a", "read", "{}"), TextPart("and so"))


def test_the_old_function_call_is_a_call():
    response = fold(
        events_of(
            {"function_call": {"name": "read", "arguments": ""}},
            {"function_call": {"arguments": '{"x":1}'}},
        )
    )
    (call,) = response.parts
    assert (call.name, call.arguments) == ("read", '{"x":1}')
    assert call.call_id


def test_custom_calls_hold_plain_text():
    response = fold(
        events_of(
            {"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "p"}}]},
            {"tool_calls": [{"index": 0, "custom": {"input": "{not"}}]},
            {"tool_calls": [{"index": 0, "custom": {"input": "} json"}}]},
        )
    )
    assert response.parts == (ToolCallPart("a", "p", "{not} json", "custom"),)


def test_google_signs_its_calls():
    signature = {"google": {"thought_signature": "sig"}}
    entry = piece(0, *A) | {"extra_content": signature}
    (call,) = fold(events_of({"tool_calls": [entry]})).parts
    assert call.state == OpaqueState("openai-chat", "sig")
    other = piece(1, *B)
    events_of({"tool_calls": [entry]}, {"tool_calls": [other]}, {"tool_calls": [entry, other]})


def test_an_empty_custom_beside_a_function_means_nothing():
    entry = piece(0, *A) | {"type": "function", "custom": {"name": "", "input": ""}}
    assert calls_of([entry]) == [A]


def test_empty_entries_are_listed_as_lost():
    decoder = FORMAT.decoder()
    chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [{}]}, "finish_reason": "stop"}]}
    events = decoder.feed(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
    assert fold(events).finish_reason == "stop"
    assert [loss.field for loss in decoder.losses] == ["tool_calls"]


def test_endless_calls_are_bounded():
    decoder = FORMAT.decoder()
    for index in range(5000):
        delta = {"tool_calls": [piece(index, f"i{index}", "f", "{}")]}
        decoder.feed(f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n".encode())
    assert any("more than" in loss.reason for loss in decoder.losses)


@given(
    st.recursive(
        st.one_of(st.none(), st.text('"\\{}[] a', max_size=6), st.integers()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict | list)),
    st.data(),
)
def test_json_is_complete_at_its_end_and_not_before(value, data):
    text = json.dumps(value)
    progress = JsonProgress()
    position = 0
    while position < len(text):
        assert not progress.complete
        step = data.draw(st.integers(1, 5))
        progress.feed(text[position : position + step])
        position += step
    assert progress.complete
