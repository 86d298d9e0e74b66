"""Pitfalls S1 to S6: what has to come back to a provider, turn after turn."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon import StreamTranslator, UnsupportedFeature, translate_request
from addon.formats.anthropic.call_ids import legal_call_id
from addon.formats.openai_responses.item_rendering import legal_call_id as short_call_id
from addon.neutral import ClientRequestError
from tests.support.chat_chunks import DONE, calling, chunk, piece
from tests.support.gemini_rules import check_gemini_request
from tests.support.streams import data_of, frames

TOOL = {"type": "function", "name": "run", "parameters": {"type": "object"}}
ASKED = {
    "model": "gpt-6",
    "tools": [TOOL],
    "stream": True,
    "input": [{"role": "user", "content": "go"}],
}
CALLED = {"type": "tool_use", "id": "toolu_1", "name": "run", "input": {}}


def items_of(stream, source):
    """The items that an agent of Responses keeps of a provider's stream."""
    translator = StreamTranslator(source, "openai-responses", json.dumps(ASKED).encode())
    output = translator.feed(stream) + translator.close()
    return data_of(output)[-1]["response"]["output"]


def claude_stream(*blocks):
    """A stream of Claude that holds these blocks, whole."""
    events = [{"type": "message_start", "message": {"id": "msg_1", "usage": {}}}]
    for index, block in enumerate(blocks):
        start = {"type": "content_block_start", "index": index, "content_block": block}
        events += [start, {"type": "content_block_stop", "index": index}]
    end = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}}
    return b"".join(frames(*events, end, {"type": "message_stop"}))


def next_request(items, target, model):
    """What the provider gets when the agent returns the items with the result of its call."""
    call = next(item for item in items if item["type"] == "function_call")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "done"}
    returned = [{key: value for key, value in item.items() if key != "id"} for item in items]
    body = {**ASKED, "input": [*ASKED["input"], *returned, result]}
    rendered = translate_request(json.dumps(body).encode(), "openai-responses", target, model)
    return json.loads(rendered.body)


@pytest.mark.parametrize(
    "thoughts",
    [
        [{"type": "thinking", "thinking": "Hm.", "signature": "sig"}],
        [{"type": "thinking", "thinking": "", "signature": "sig"}],
        [{"type": "redacted_thinking", "data": "hidden"}],
        [
            {"type": "thinking", "thinking": "a", "signature": "sig-a"},
            {"type": "redacted_thinking", "data": "hidden"},
            {"type": "thinking", "thinking": "b", "signature": "sig-b"},
        ],
    ],
)
def test_s01_signed_thoughts_come_back_as_they_were(thoughts):
    """Claude refuses a tool loop whose thoughts are missing, changed or signed by others."""
    items = items_of(claude_stream(*thoughts, CALLED), "anthropic")
    sent = next_request(items, "anthropic", "claude-opus-5-5")
    (turn,) = [turn for turn in sent["messages"] if turn["role"] == "assistant"]
    assert turn["content"][:-1] == thoughts
    other = next_request(items, "gemini", "gemini-3.8-flash")
    assert "sig" not in json.dumps(other["contents"]).replace("thoughtSignature", "")


def test_s02_signed_calls_come_back_as_they_were():
    """Gemini refuses a call whose thought signature is gone, or was made up."""
    parts = [
        {"functionCall": {"id": "f1", "name": "run", "args": {}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "f2", "name": "run", "args": {"a": 1}}},
    ]
    content = {"role": "model", "parts": parts}
    answer = {"candidates": [{"content": content, "finishReason": "STOP"}], "responseId": "r"}
    items = items_of(b"data: %s\r\n\r\n" % json.dumps(answer).encode(), "gemini")
    sent = next_request(items, "gemini", "gemini-3.8-flash")
    (turn,) = [content for content in sent["contents"] if content["role"] == "model"]
    assert [part.get("thoughtSignature") for part in turn["parts"]] == ["c2ln", None]
    check_gemini_request(sent, generation=3)
    foreign = next_request(items, "anthropic", "claude-opus-5-5")
    assert "c2ln" not in json.dumps(foreign)


def test_s02_a_call_without_its_signature_gets_the_documented_word():
    """Calls that another model made have no signature; Google documents what to send instead."""
    items = items_of(claude_stream(CALLED), "anthropic")
    sent = next_request(items, "gemini", "gemini-3.8-flash")
    check_gemini_request(sent, generation=3)


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("deepseek", "deepseek-v4-pro", " "),
        ("moonshot", "kimi-k3", " "),
        ("openai", "gpt-4.1", None),
    ],
)
@pytest.mark.parametrize("thoughts", [None, "Hm."])
def test_s03_thoughts_are_echoed_where_they_are_demanded(thoughts, provider, model, expected):
    """DeepSeek and Kimi refuse a history of calls without thoughts; OpenAI knows no such field."""
    call = {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": "{}"}}
    assistant = {"role": "assistant", "content": None, "tool_calls": [call]}
    if thoughts is not None:
        assistant["reasoning_content"] = thoughts
    messages = [{"role": "user", "content": "go"}, assistant]
    messages.append({"role": "tool", "tool_call_id": "call_1", "content": "done"})
    body = json.dumps({"model": "m", "messages": messages}).encode()
    rendered = translate_request(body, "openai-chat", "openai-chat", model, provider)
    echoed = json.loads(rendered.body)["messages"][1].get("reasoning_content")
    if expected is not None:
        assert echoed == (thoughts or expected)
    elif thoughts is None:
        assert echoed is None


@pytest.mark.parametrize("target", ["openai-chat", "anthropic", "gemini"])
def test_s04_what_lives_at_openai_goes_to_nobody_else(target):
    """Ids, stored things and encrypted thoughts of OpenAI mean nothing to other providers."""
    thought = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "gAAAAAopaque",
    }
    body = {**ASKED, "store": True, "input": [*ASKED["input"], thought]}
    rendered = translate_request(json.dumps(body).encode(), "openai-responses", target)
    assert b"gAAAAA" not in rendered.body
    assert "store" not in json.loads(rendered.body)
    for held in (
        {"type": "item_reference", "id": "msg_1"},
        {"type": "compaction", "encrypted_content": "x"},
    ):
        body = {**ASKED, "input": [*ASKED["input"], held]}
        with pytest.raises((UnsupportedFeature, ClientRequestError)):
            translate_request(json.dumps(body).encode(), "openai-responses", target)


def test_s04_an_envelope_of_ours_does_not_reach_openai():
    """OpenAI refuses encrypted thoughts that it did not make."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
    items = items_of(claude_stream(thought, CALLED), "anthropic")
    assert items[0]["encrypted_content"]
    sent = json.dumps(next_request(items, "openai-chat", "gpt-4.1"))
    assert items[0]["encrypted_content"] not in sent


IDS = st.text(min_size=1, max_size=500)


@given(st.lists(IDS, min_size=2, max_size=20, unique=True))
def test_s05_call_ids_fit_everybody(ids):
    """Ids may be hundreds of characters with odd signs; a session with a refused one is lost."""
    for rename, pattern in (
        (legal_call_id, r"[a-zA-Z0-9_-]{1,128}"),
        (short_call_id, r"(?s).{1,64}"),
    ):
        renamed = [rename(one) for one in ids]
        assert all(re.fullmatch(pattern, one) for one in renamed)
        assert len(set(renamed)) == len(ids)
        assert [rename(one) for one in renamed] == renamed


@pytest.mark.parametrize("identifier", ["functions.read:0", "x" * 446, "call|ümlaut"])
def test_s05_call_and_result_are_renamed_alike(identifier):
    """A result whose call has another name is an orphan."""
    stream = calling(piece(0, "{}", name="run", call_id=identifier))
    items = items_of(stream + chunk(finish="tool_calls") + DONE, "openai-chat")
    sent = next_request(items, "anthropic", "claude-opus-5-5")
    called = sent["messages"][1]["content"][-1]
    assert sent["messages"][2]["content"][0]["tool_use_id"] == called["id"]


def chat_history(call_id):
    call = {"id": call_id, "type": "function", "function": {"name": "run", "arguments": "{}"}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"messages": [said, {"role": "tool", "tool_call_id": call_id, "content": "ok"}]}


def anthropic_history(call_id):
    call = {"type": "tool_use", "id": call_id, "name": "run", "input": {"a": 1.0}}
    result = {"type": "tool_result", "tool_use_id": call_id, "content": "ok"}
    messages = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    return {"max_tokens": 9, "messages": messages}


def responses_history(call_id):
    call = {"type": "function_call", "call_id": call_id, "name": "run", "arguments": "{}"}
    return {"input": [call, {"type": "function_call_output", "call_id": call_id, "output": "ok"}]}


@given(IDS, IDS)
def test_s05_a_history_in_the_providers_own_format_gets_ids_that_it_takes(one, other):
    """Ids of a provider that answered earlier come back from an agent of any format."""
    for format, model, history, pattern in (
        ("openai-chat", "gpt-5.5", chat_history, r"(?s).{1,40}"),
        ("openai-responses", "gpt-5.5", responses_history, r"(?s).{1,64}"),
        ("anthropic", "claude-opus-5-5", anthropic_history, r"[a-zA-Z0-9_-]+"),
    ):
        new = []
        for call_id in (one, other):
            body = json.dumps({"model": model, **history(call_id)}).encode()
            sent = translate_request(body, format, format, model).body
            pair = _ids_in(json.loads(sent))
            assert len(pair) == 2
            assert pair[0] == pair[1]
            assert re.fullmatch(pattern, pair[0])
            if re.fullmatch(pattern, call_id) and len(call_id) <= 40:
                assert sent == body
            new.append(pair[0])
        assert (new[0] == new[1]) == (one == other)


def _ids_in(value):
    fields = ("id", "call_id", "tool_call_id", "tool_use_id")
    if isinstance(value, dict):
        own = [value[field] for field in fields if field in value]
        return own + [found for item in value.values() for found in _ids_in(item)]
    return [found for item in value for found in _ids_in(item)] if isinstance(value, list) else []


def test_s05_ids_stay_where_whoever_made_them_answers():
    """A model may count on ids of its own kind, and a changed byte costs its provider's cache."""
    body = json.dumps({"model": "kimi-k3", **anthropic_history("functions.run:0")}).encode()
    sent = translate_request(body, "anthropic", "anthropic", "kimi-k3", "moonshot").body
    assert sent == body


@pytest.mark.parametrize("target", ["openai-chat", "anthropic", "gemini"])
def test_s06_a_longer_conversation_begins_with_the_same_bytes(target):
    """A prompt whose beginning changes is paid for anew in every turn."""
    model = {"openai-chat": "gpt-4.1", "anthropic": "claude-opus-5-5", "gemini": "gemini-3.8-flash"}
    history = [{"role": "user", "content": "go"}]
    earlier = None
    for turn in range(4):
        body = {**ASKED, "input": history}
        rendered = translate_request(
            json.dumps(body).encode(), "openai-responses", target, model[target]
        )
        wire = json.loads(rendered.body)
        turns = wire.get("contents") or wire["messages"]
        if earlier is not None:
            assert turns[: len(earlier)] == earlier
        earlier = turns
        call = {"type": "function_call", "call_id": f"c{turn}", "name": "run", "arguments": "{}"}
        history = [
            *history,
            call,
            {"type": "function_call_output", "call_id": f"c{turn}", "output": "x"},
        ]
        again = translate_request(
            json.dumps(body).encode(), "openai-responses", target, model[target]
        )
        assert again.body == rendered.body


def test_s06_the_same_format_is_not_written_anew():
    """Other blanks, another order or other escapes are another prompt."""
    body = b'{ "messages":[ {"content":"\\u00e9" , "role":"user"}],\n "model" : "gpt-5" }'
    rendered = translate_request(body, "openai-chat", "openai-chat", "gpt-4.1")
    assert rendered.body == body.replace(b'"gpt-5"', b'"gpt-4.1"')
