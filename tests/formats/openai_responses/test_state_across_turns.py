"""What a provider signs comes back to it through an agent that knows nothing of it (S1, S4, R6)."""

import json

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.translation import StreamTranslator
from addon.wire.sse import SseDecoder

LINE = RequestLine()
TURNS = 5


def claude_stream(turn):
    """One answer of Claude: thought, redacted thought, words, thought, two calls."""
    blocks = [
        ({"type": "thinking", "thinking": "", "signature": ""},
         [{"type": "thinking_delta", "thinking": f"thöught {turn}"},
          {"type": "signature_delta", "signature": f"sig-{turn}-a"}]),
        ({"type": "redacted_thinking", "data": f"hidden-{turn}"}, []),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": f"step {turn}"}]),
        ({"type": "thinking", "thinking": "", "signature": ""},
         [{"type": "signature_delta", "signature": f"sig-{turn}-b"}]),
        ({"type": "tool_use", "id": f"toolu_{turn}a", "name": "run", "input": {}},
         [{"type": "input_json_delta", "partial_json": f'{{"n":{turn}}}'}]),
        ({"type": "tool_use", "id": f"toolu_{turn}b", "name": "patch", "input": {}},
         [{"type": "input_json_delta", "partial_json": f'{{"input":"*** {turn}"}}'}]),
    ]  # fmt: skip
    events = [{"type": "message_start", "message": {"id": f"msg_{turn}", "usage": {}}}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta}
                   for delta in deltas]  # fmt: skip
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}})
    events.append({"type": "message_stop"})
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def request_body(items, **fields):
    tools = [{"type": "function", "name": "run", "parameters": {"type": "object"}},
             {"type": "custom", "name": "patch"}]  # fmt: skip
    body = {"model": "gpt-6", "input": items, "tools": tools, "stream": True, **fields}
    return json.dumps(body).encode()


def as_codex_returns_it(item):
    """Codex keeps finished items and takes their ids off."""
    return {key: value for key, value in item.items() if key not in ("id", "status")}


def converse(**fields):
    items = [{"role": "user", "content": "go"}]
    for turn in range(TURNS):
        body = request_body(items, **fields)
        translator = StreamTranslator("anthropic", "openai-responses", body)
        output = translator.feed(claude_stream(turn)) + translator.close()
        wires = [json.loads(event.data) for event in SseDecoder().feed(output)]
        done = [wire["item"] for wire in wires if wire["type"] == "response.output_item.done"]
        assert done == wires[-1]["response"]["output"]
        items += map(as_codex_returns_it, done)
        for item in done:
            if item["type"] in ("function_call", "custom_tool_call"):
                items.append({"type": f"{item['type']}_output", "call_id": item["call_id"],
                              "output": "ok"})  # fmt: skip
    return request_body(items, **fields)


def test_signatures_survive_five_turns_in_place_and_to_the_letter():
    for fields in ({}, {"include": ["reasoning.encrypted_content"], "store": False}):
        request = FORMATS["openai-responses"].parse_request(converse(**fields), LINE)
        rendered = FORMATS["anthropic"].render_request(request, "claude-opus-5-5", "anthropic")
        turns = json.loads(rendered.body)["messages"]
        answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
        assert len(answers) == TURNS
        for turn, blocks in enumerate(answers):
            assert [block for block in blocks if "thinking" in block["type"]] == [
                {"type": "thinking", "thinking": f"thöught {turn}", "signature": f"sig-{turn}-a"},
                {"type": "redacted_thinking", "data": f"hidden-{turn}"},
                {"type": "thinking", "thinking": "", "signature": f"sig-{turn}-b"},
            ]
            assert [block["type"] for block in blocks] == [
                "thinking", "redacted_thinking", "text", "thinking", "tool_use", "tool_use",
            ]  # fmt: skip
            assert blocks[4]["input"] == {"n": turn}
            assert blocks[5]["input"] == {"input": f"*** {turn}"}


def test_each_turn_begins_with_the_bytes_of_the_last():
    body = json.loads(converse())
    items = body["input"]
    ends = [length for length in range(1, len(items) + 1)
            if length == len(items) or (items[length]["type"] == "reasoning"
            and items[length - 1].get("type", "").endswith("_output"))]  # fmt: skip
    assert len(ends) == TURNS
    earlier = []
    for length in ends:
        cut = json.dumps({**body, "input": items[:length]}).encode()
        request = FORMATS["openai-responses"].parse_request(cut, LINE)
        rendered = FORMATS["anthropic"].render_request(request, "claude-opus-5-5", "anthropic")
        turns = json.loads(rendered.body)["messages"]
        assert turns[: len(earlier)] == earlier
        earlier = turns


def test_another_provider_never_sees_foreign_state():
    body = converse()
    request = FORMATS["openai-responses"].parse_request(body, LINE)
    for target, model, dialect in (
        ("openai-responses", "gpt-5.5", "openai"),
        ("openai-chat", "gpt-4.1", "openai"),
        ("openai-chat", "deepseek-v4-pro", "deepseek"),
    ):
        rendered = FORMATS[target].render_request(request, model, dialect).body
        assert b"sig-" not in rendered
        assert b"hidden-" not in rendered
        assert b"dt1." not in rendered
    assert b"dt1." not in FORMATS["openai-responses"].rewrite_request(
        body, LINE, "gpt-6", "openai"
    ).body  # fmt: skip


def test_thoughts_of_openai_never_reach_anthropic():
    items = [
        {"role": "user", "content": "go"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}],
         "encrypted_content": "gAAAA"},
        {"type": "function_call", "call_id": "c", "name": "run", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
    ]  # fmt: skip
    request = FORMATS["openai-responses"].parse_request(request_body(items), LINE)
    rendered = FORMATS["anthropic"].render_request(request, "claude-opus-5-5", "anthropic")
    assert b"gAAAA" not in rendered.body
    assert b'"thinking":"hm"' not in rendered.body
    assert "reasoning" in {loss.field for loss in rendered.losses}


def test_open_thoughts_come_back_to_those_who_need_them():
    """DeepSeek signs nothing but wants its words back; an agent may return the envelope only."""
    translator = StreamTranslator("openai-chat", "openai-responses", request_body("x"))
    delta = {"choices": [{"index": 0, "delta": {"reasoning_content": "deep"}}]}
    call = {"index": 0, "id": "c", "function": {"name": "run", "arguments": "{}"}}
    chunks = [delta, {"choices": [{"index": 0, "delta": {"tool_calls": [call]},
                                   "finish_reason": "tool_calls"}]}]  # fmt: skip
    data = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    output = translator.feed(data + b"data: [DONE]\n\n") + translator.close()
    wires = [json.loads(event.data) for event in SseDecoder().feed(output)]
    items = [{**item, "summary": []} if item["type"] == "reasoning" else item
             for item in wires[-1]["response"]["output"]]  # fmt: skip
    items.append({"type": "function_call_output", "call_id": "c", "output": "ok"})
    request = FORMATS["openai-responses"].parse_request(request_body(items), LINE)
    rendered = FORMATS["openai-chat"].render_request(request, "deepseek-v4-pro", "deepseek")
    (assistant,) = (turn for turn in json.loads(rendered.body)["messages"]
                    if turn["role"] == "assistant")  # fmt: skip
    assert assistant["reasoning_content"] == "deep"


def test_a_damaged_envelope_is_left_out():
    items = [
        {"role": "user", "content": "go"},
        {"type": "reasoning", "summary": [], "encrypted_content": "dt1.broken"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "b"},
    ]
    request = FORMATS["openai-responses"].parse_request(request_body(items), LINE)
    assert [len(message.parts) for message in request.messages] == [1, 1, 1]
