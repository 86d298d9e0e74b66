"""Pitfalls C1 to C15: what Chat and Messages say, in streams and in requests."""

import itertools
import json

import pytest

from addon import StreamTranslator, translate_request, translate_response
from addon.formats import FORMATS
from addon.neutral import ToolCallPart, fold
from tests.support.chat_chunks import DONE, calling, chunk, piece, usage
from tests.support.gemini_rules import check_gemini_request
from tests.support.official import (
    anthropic_facts,
    chat_facts,
    gemini_facts,
    read_anthropic_stream,
    read_chat_stream,
    read_gemini_stream,
    read_responses_stream,
)
from tests.support.streams import data_of, frames, text_frames

ASKED = b'{"model":"asked","stream":true,"stream_options":{"include_usage":true}}'


def translate(stream, target="openai-chat", source="openai-chat", request=ASKED):
    """Translate a stream; OpenAI's own format is mended as for any compatible server."""
    dialect = "local" if source == target else None
    translator = StreamTranslator(source, target, request, dialect=dialect)
    return b"".join([translator.feed(stream), translator.close()])


def calls_seen(stream, target):
    """What the official client of a format makes of the calls in a stream."""
    output = translate(stream, target)
    match target:
        case "openai-chat":
            return [
                (name, json.loads(arguments))
                for _, name, arguments in chat_facts(read_chat_stream(output))["calls"]
            ]
        case "anthropic":
            found = anthropic_facts(read_anthropic_stream(output))["calls"]
            return [(name, arguments) for _, name, arguments in found]
        case "gemini":
            found = gemini_facts(read_gemini_stream(output))["calls"]
            return [(name, arguments) for _, name, arguments in found]
        case _:
            items = read_responses_stream(output).output
            calls = [item for item in items if item.type == "function_call"]
            return [(call.name, json.loads(call.arguments)) for call in calls]


FINISH = chunk(finish="tool_calls") + DONE
PARALLEL = {
    "by index": calling(piece(0, "", name="ls", call_id="a"))
    + calling(piece(1, "", name="cat", call_id="b"))
    + calling(piece(0, "{}"))
    + calling(piece(1, '{"p":1}')),
    "without index, by id": calling(piece(None, "{}", name="ls", call_id="a"))
    + calling(piece(None, '{"p":1}', name="cat", call_id="b")),
    "one index for all": calling(piece(0, "{}", name="ls", call_id="a"))
    + calling(piece(0, '{"p":1}', name="cat", call_id="b")),
    "in one chunk without index": calling(
        piece(None, "{}", name="ls", call_id="a"),
        piece(None, '{"p":1}', name="cat", call_id="b"),
    ),
    "interleaved": calling(
        piece(0, "", name="ls", call_id="a"), piece(1, "", name="cat", call_id="b")
    )
    + calling(piece(1, '{"p":'), piece(0, "{"))
    + calling(piece(0, "}"), piece(1, "1}")),
    "id and name again in each piece": calling(piece(0, "{", name="ls", call_id="a"))
    + calling(piece(0, "}", name="ls", call_id="a"))
    + calling(piece(1, '{"p":', name="cat", call_id="b"))
    + calling(piece(1, "1}", name="cat", call_id="b")),
    "blank ids later": calling(piece(0, "{", name="ls", call_id="a"))
    + calling(piece(0, "}", name="", call_id=""))
    + calling(piece(1, '{"p":', name="cat", call_id="b"))
    + calling(piece(1, "1}", call_id="")),
}


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("shape", PARALLEL)
def test_c01_parallel_calls_stay_apart(shape, target):
    """Calls that share an index, or have none, run together into one with broken arguments."""
    found = calls_seen(PARALLEL[shape] + FINISH, target)
    assert found == [("ls", {}), ("cat", {"p": 1})]


def test_c02_blocks_never_overlap():
    """Messages allow one open block; interleaved pieces must wait, not meet a closed one."""
    output = translate(PARALLEL["interleaved"] + FINISH, "anthropic")
    open_block = None
    for event in data_of(output):
        match event["type"]:
            case "content_block_start":
                assert open_block is None
                open_block = event["index"]
            case "content_block_delta":
                assert event["index"] == open_block
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = None
    assert open_block is None


@pytest.mark.parametrize("target", FORMATS)
def test_c03_words_and_a_call_in_one_chunk(target):
    """The call's name is lost where a chunk is taken for either words or calls."""
    call = piece(0, "{}", name="ls", call_id="a")
    stream = calling(call, content="Looking.") + FINISH
    assert calls_seen(stream, target) == [("ls", {})]
    assert "Looking." in translate(stream, target).decode()


def test_c04_a_block_s_index_is_not_a_choice_s():
    """Clients wait for the end of a choice that never was."""
    stream = frames(
        *(json.loads(frame.split(b"data: ")[1]) for frame in text_frames()[:1]),
        {"type": "content_block_start", "index": 4, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 4, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_stop", "index": 4},
    )
    output = translate(b"".join([*stream, *text_frames()[-2:]]), source="anthropic")
    chunks = [item for item in data_of(output) if item != "[DONE]"]
    assert {choice["index"] for item in chunks for choice in item["choices"]} == {0}
    output = translate(PARALLEL["interleaved"] + FINISH, "openai-chat")
    indexes = [
        call["index"]
        for item in data_of(output)
        if item != "[DONE]"
        for choice in item["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    assert set(indexes) == {0, 1}
    assert indexes[0] == 0


@pytest.mark.parametrize("reason", ["stop", "", "eos", "tool_calls", "function_call"])
@pytest.mark.parametrize("target", FORMATS)
def test_c05_an_answer_with_calls_ends_for_them(reason, target):
    """Agents run tools only when the finish reason tells them to; some providers say `stop`."""
    stream = calling(piece(0, "{}", name="ls", call_id="a")) + chunk(finish=reason) + DONE
    output = translate(stream, target)
    decoder = FORMATS[target].decoder()
    assert fold(decoder.feed(output) + decoder.feed_eof()).finish_reason == "tool_calls"


def test_c05_openai_itself_may_say_stop():
    """What passes untouched is not mended."""
    stream = calling(piece(0, "{}", name="ls", call_id="a")) + chunk(finish="stop") + DONE
    translator = StreamTranslator("openai-chat", "openai-chat", ASKED)
    assert translator.feed(stream) + translator.close() == stream


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("arguments", [{"p": 1}, '{"p":1}'])
@pytest.mark.parametrize("identifier", ["", None])
def test_c06_arguments_as_an_object_and_no_id(arguments, identifier, target):
    """Some servers send the arguments decoded and forget the id."""
    stream = calling(piece(None, arguments, name="ls", call_id=identifier)) + FINISH
    assert calls_seen(stream, target) == [("ls", {"p": 1})]
    output = translate(stream, target)
    decoder = FORMATS[target].decoder()
    answer = fold(decoder.feed(output) + decoder.feed_eof())
    assert all(part.call_id for part in answer.parts if isinstance(part, ToolCallPart))


def test_c07_one_start_and_no_thoughts_among_the_words():
    """A second start resets the agent; a thought inside a text block is shown as an answer."""
    stream = (
        chunk({"role": "assistant", "content": ""})
        + chunk({"role": "assistant", "reasoning_content": "Hm."})
        + chunk({"role": "assistant", "content": "Yes."})
        + chunk(finish="stop")
        + DONE
    )
    events = data_of(translate(stream, "anthropic"))
    assert [event["type"] for event in events].count("message_start") == 1
    blocks = [event for event in events if event["type"] == "content_block_start"]
    assert [block["content_block"]["type"] for block in blocks] == ["thinking", "text"]
    assert anthropic_facts(read_anthropic_stream(translate(stream, "anthropic")))["text"] == "Yes."


USAGES = {
    "a chunk of its own": chunk(finish="stop") + chunk(choices=[], usage=usage()),
    "with the finish": chunk(finish="stop", usage=usage()),
    "in every chunk": chunk({"content": "x"}, usage=usage(10, 1))
    + chunk(finish="stop", usage=usage()),
    "in the choice": chunk(
        choices=[{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage()}]
    ),
    "at Groq's place": chunk(finish="stop", x_groq={"usage": usage()}),
}


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("place", USAGES)
def test_c08_usage_is_told_once(place, target):
    """Clients add up what comes twice, and count nothing where it is missed."""
    stream = chunk({"role": "assistant", "content": "x"}) + USAGES[place] + DONE
    output = translate(stream, target)
    decoder = FORMATS[target].decoder()
    answer = fold(decoder.feed(output) + decoder.feed_eof())
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10, 5)
    if target == "openai-chat":
        chunks = [item for item in data_of(output) if item != "[DONE]"]
        assert [bool(item.get("usage")) for item in chunks].count(True) == 1


@pytest.mark.parametrize("place", USAGES)
def test_c08_usage_that_nobody_asked_for_is_not_told(place):
    """A chunk without choices breaks agents that did not ask for one."""
    stream = chunk({"role": "assistant", "content": "x"}) + USAGES[place] + DONE
    output = translate(stream, request=b'{"model":"asked","stream":true}')
    chunks = [item for item in data_of(output) if item != "[DONE]"]
    assert all(item["choices"] and not item.get("usage") for item in chunks)


THOUGHTS = {
    "reasoning_content": {"reasoning_content": "Hm."},
    "reasoning": {"reasoning": "Hm."},
    "details": {"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
    "both": {"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
    "a list": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]},
    "tags": {"content": "<think>Hm.</think>"},
}


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("dialect", THOUGHTS)
def test_c09_thoughts_have_many_names(dialect, target):
    """Each server has its own field for thoughts; unread ones vanish, double ones stutter."""
    stream = chunk(THOUGHTS[dialect]) + chunk({"content": "Yes."}) + chunk(finish="stop") + DONE
    output = translate(stream, target)
    decoder = FORMATS[target].decoder()
    parts = fold(decoder.feed(output) + decoder.feed_eof()).parts
    assert [part.text for part in parts] == ["Hm.", "Yes."]


@pytest.mark.parametrize(
    ("content", "thoughts", "words"),
    [
        ("<think>a</think>b", "a", "b"),
        ("<think>a", "a", ""),
        ("The tag <think> is literal.", "", "The tag <think> is literal."),
        ("b </think> c", "", "b </think> c"),
        ("<thin", "", "<thin"),
    ],
)
@pytest.mark.parametrize("target", ["openai-responses", "anthropic", "gemini"])
def test_c10_think_tags_may_be_cut_anywhere(target, content, thoughts, words):
    """A tag in two pieces is shown to the user, and a literal one must not be eaten."""
    for size in (1, 2, 3, len(content)):
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        stream = b"".join(chunk({"content": text}) for text in pieces)
        output = translate(stream + chunk(finish="stop") + DONE, target)
        decoder = FORMATS[target].decoder()
        parts = fold(decoder.feed(output) + decoder.feed_eof()).parts
        assert [part.text for part in parts] == [text for text in (thoughts, words) if text]


PICTURE = "iVBORw0KGgo="


@pytest.mark.parametrize("target", ["openai-chat", "openai-responses", "gemini"])
@pytest.mark.parametrize("kind", ["image/png", "application/pdf"])
def test_c11_pictures_in_results_reach_the_model(kind, target):
    """A model that is not shown what a tool saw makes something up."""
    block = "image" if kind == "image/png" else "document"
    source = {"type": "base64", "media_type": kind, "data": PICTURE}
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "Look."},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "see", "input": {}}],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": block, "source": source}],
                    }
                ],
            },
        ],
        "tools": [{"name": "see", "input_schema": {"type": "object"}}],
    }
    rendered = translate_request(json.dumps(body).encode(), "anthropic", target)
    assert PICTURE in rendered.body.decode()


def test_c12_an_emulated_shape_does_not_swallow_real_calls():
    """Where a tool stands in for a shape, other tools are still called."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    shape = {"type": "json_schema", "json_schema": {"name": "out", "schema": schema}}
    tool = {"type": "function", "function": {"name": "ls", "parameters": schema}}
    question = {"role": "user", "content": "x"}
    request = {"model": "m", "messages": [question], "response_format": shape, "tools": [tool]}
    body = json.dumps(request).encode()
    for model in ("claude-sonnet-5-5", "claude-haiku-4-5", "claude-3-5-haiku-latest"):
        sent = json.loads(translate_request(body, "openai-chat", "anthropic", model).body)
        assert "ls" in [tool["name"] for tool in sent["tools"]]
    content = [{"type": "tool_use", "id": "t1", "name": "ls", "input": {"a": "b"}}]
    answer = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    answer |= {"content": content, "stop_reason": "tool_use", "usage": {}}
    _, _, plain = translate_response(
        200, (), json.dumps(answer).encode(), "anthropic", "openai-chat", body
    )
    message = json.loads(plain)["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["name"] == "ls"


HISTORIES = {
    "results out of order": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "ls", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "ls", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "b", "content": "B"},
        {"role": "user", "content": "and?"},
        {"role": "tool", "tool_call_id": "a", "content": "A"},
    ],
    "a result without a call": [
        {"role": "user", "content": "go"},
        {"role": "tool", "tool_call_id": "gone", "content": "B"},
    ],
    "a call without a result": [
        {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "ls", "arguments": "{}"}},
        ]},
        {"role": "user", "content": "never mind"},
    ],
    "a system message at the end": [
        {"role": "user", "content": "go"},
        {"role": "system", "content": "Be brief."},
    ],
    "the assistant first and last": [
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "Well"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("history", HISTORIES)
def test_c13_histories_out_of_order_are_put_right(history):
    """Providers refuse orphans, wrong turns and instructions at the end, or answer nothing."""
    tool = {"type": "function", "function": {"name": "ls"}}
    body = json.dumps({"model": "m", "messages": HISTORIES[history], "tools": [tool]}).encode()
    sent = json.loads(translate_request(body, "openai-chat", "anthropic", "claude-opus-5-5").body)
    roles = [turn["role"] for turn in sent["messages"]]
    spoken = [role for role in roles if role != "system"]
    assert spoken[-1] == "user"
    assert all(a != b for a, b in itertools.pairwise(spoken))
    for turn, answer in itertools.pairwise(sent["messages"]):
        called = [block["id"] for block in blocks(turn) if block["type"] == "tool_use"]
        given = [block.get("tool_use_id") for block in blocks(answer)][: len(called)]
        assert given == called
    gemini = translate_request(body, "openai-chat", "gemini", "gemini-3.8-flash").body
    check_gemini_request(json.loads(gemini), generation=3)


def blocks(turn):
    return turn["content"] if isinstance(turn["content"], list) else []


@pytest.mark.parametrize(
    ("target", "model", "provider", "limit"),
    [
        ("anthropic", "claude-opus-5-5", "anthropic", "max_tokens"),
        ("gemini", "gemini-3.8-flash", "google", "generationConfig"),
        ("openai-responses", "gpt-5.5", "openai", "max_output_tokens"),
        ("openai-chat", "deepseek-v4-pro", "deepseek", "max_tokens"),
    ],
)
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_c14_parameters_have_dialects(name, target, model, provider, limit):
    """A limit by the wrong name is ignored, and a temperature refused by who thinks."""
    request = {"model": "m", "messages": [{"role": "user", "content": "x"}], name: 900}
    request |= {"temperature": 0.3, "reasoning_effort": "medium"}
    rendered = translate_request(
        json.dumps(request).encode(), "openai-chat", target, model, provider
    )
    sent = json.loads(rendered.body)
    found = sent[limit]
    assert (found["maxOutputTokens"] if isinstance(found, dict) else found) == 900
    if target in ("anthropic", "openai-responses"):
        assert "temperature" not in sent
        assert "temperature" in [loss.field for loss in rendered.losses]


def test_c14_a_budget_stays_below_the_limit():
    """The oldest thinking models take a budget that must be at least 1024 and below the limit."""
    request = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 900}
    body = json.dumps({**request, "reasoning_effort": "high"}).encode()
    sent = json.loads(translate_request(body, "openai-chat", "anthropic", "claude-haiku-4-5").body)
    assert 1024 <= sent["thinking"]["budget_tokens"] < sent["max_tokens"]


def test_c15_schemas_fit_gemini():
    """Gemini refuses what other providers take: constants, several types, unknown keywords."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "default": "x"},
            "b": {"const": 3},
            "c": {"enum": [1, 2]},
            "d": {"allOf": [{"type": "string"}, {"minLength": 2}]},
            "e": {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
        },
        "required": ["a", "gone"],
        "additionalProperties": False,
        "if": {"required": ["a"]},
    }
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    request = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [tool]}
    body = json.dumps(request).encode()
    for model in ("gemini-2.5-flash", "gemini-3.8-flash"):
        sent = json.loads(translate_request(body, "openai-chat", "gemini", model).body)
        check_gemini_request(sent, generation=int(model[7]))
        (declaration,) = sent["tools"][0]["functionDeclarations"]
        assert "gone" not in declaration["parametersJsonSchema"].get("required", ())
