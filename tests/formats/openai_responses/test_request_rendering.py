import json

import msgspec
import pytest

from addon.formats import FORMATS
from addon.formats.openai_responses.item_rendering import NO_RESULT
from addon.neutral import (
    AudioPart,
    Extra,
    FilePart,
    FileReference,
    ImagePart,
    InlineMedia,
    LogprobsConfig,
    Message,
    NativePart,
    OpaqueState,
    PlainText,
    ReasoningConfig,
    ReasoningPart,
    RefusalPart,
    Request,
    ResponseFormat,
    Sampling,
    SystemMessage,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolGrammar,
    ToolResultPart,
    UnsupportedFeature,
    UrlMedia,
    WebSearchTool,
)
from tests.support.responses_requests import check_responses

FORMAT = FORMATS["openai-responses"]
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
STRICT = {**OPEN, "required": ["a"], "additionalProperties": False}
OURS = OpaqueState("openai-responses", "gAAA")
USER = Message("user", (TextPart("q"),))


def render(*messages, model="gpt-5.5", dialect="openai", **fields):
    request = Request(model="m", source_format="anthropic", messages=messages or (USER,), **fields)
    rendered = FORMAT.render_request(request, model, dialect)
    check_responses(rendered.body)
    return json.loads(rendered.body), {loss.field: loss.action for loss in rendered.losses}


def items(*messages, **options):
    return render(*messages, **options)[0]["input"]


def call(call_id, name="f", kind="function", arguments="{}"):
    return ToolCallPart(call_id, name, arguments, kind=kind)


def results(*pairs):
    return Message("tool", tuple(ToolResultPart(i, (TextPart(t),)) for i, t in pairs))


def test_nothing_is_left_at_the_provider_and_thoughts_come_encrypted():
    body, _ = render(stream=True)
    assert (body["store"], body["stream"]) == (False, True)
    assert body["include"] == ["reasoning.encrypted_content"]
    assert "include" not in render(model="gpt-4.1")[0]  # refused by models that do not think
    assert "store" not in render(dialect="deepseek", model="deepseek-v4-pro")[0]


def test_a_turn_is_told_in_items_thoughts_first():
    turn = Message("assistant", (ReasoningPart("hm", OURS), TextPart("so"), call("a"), call("b")))
    found = items(USER, turn, results(("b", "2"), ("a", "1")))
    assert found[1] == {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "gAAA",
    }
    assert [(item["type"], item.get("call_id")) for item in found[2:]] == [
        ("message", None),
        ("function_call", "a"),
        ("function_call", "b"),
        ("function_call_output", "a"),
        ("function_call_output", "b"),
    ]


def test_a_thought_that_nothing_came_of_is_left_out():
    found = items(USER, Message("assistant", (TextPart("a"), ReasoningPart("", OURS))), USER)
    assert [item["type"] for item in found] == ["message"] * 3


def test_foreign_thoughts_are_dropped_but_for_those_who_read_plain_words():
    turn = Message("assistant", (ReasoningPart("hm", OpaqueState("anthropic", "s")), call("a")))
    body, losses = render(USER, turn, results(("a", "1")))
    assert "reasoning" not in [item["type"] for item in body["input"]]
    assert losses["reasoning"] == "dropped"
    thought = items(USER, turn, results(("a", "1")), dialect="deepseek", model="d")[1]
    assert thought["content"] == [{"type": "reasoning_text", "text": "hm"}]


def test_results_are_repaired():
    body, losses = render(
        USER,
        Message("assistant", (call("a"), call("b"))),
        results(("b", "2"), ("x", "lost")),
        Message("assistant", (call("c"),)),
    )
    outputs = {
        item["call_id"]: item["output"]
        for item in body["input"]
        if item["type"] == "function_call_output"
    }
    assert outputs == {"a": NO_RESULT, "b": "2", "c": NO_RESULT}
    assert losses["messages"] == "approximated"
    assert "lost" in json.dumps(body["input"])


def test_long_call_ids_are_shortened_alike_and_apart():
    first, second = "x" * 400 + "1", "x" * 400 + "2"
    found = items(
        USER, Message("assistant", (call(first), call(second))),
        results((first, "1"), (second, "2")),
    )  # fmt: skip
    ids = [item["call_id"] for item in found[1:]]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2
    assert all(len(call_id) <= 64 for call_id in ids)


def test_pictures_and_files():
    media = (
        ImagePart(InlineMedia("image/png", "AAAA"), "low"),
        ImagePart(UrlMedia("https://x/y.png")),
        FilePart(InlineMedia("application/pdf", "JVBE"), "a.pdf"),
        FilePart(InlineMedia("", "JVBERi0")),
        FilePart(UrlMedia("https://x/y.pdf")),
        FilePart(PlainText("words"), "a.txt"),
        FilePart(FileReference("openai-responses", "file-1")),
    )
    found = items(
        Message("user", media), Message("assistant", (call("a"),)),
        Message("tool", (ToolResultPart("a", media[:3]),)),
    )  # fmt: skip
    assert found[0]["content"] == [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf",
         "file_data": "data:application/pdf;base64,JVBE"},
        {"type": "input_file", "filename": "document.pdf",
         "file_data": "data:application/pdf;base64,JVBERi0"},
        {"type": "input_file", "file_url": "https://x/y.pdf"},
        {"type": "input_text", "text": "a.txt\n\nwords"},
        {"type": "input_file", "file_id": "file-1"},
    ]  # fmt: skip
    assert found[-1]["output"] == found[0]["content"][:3]


@pytest.mark.parametrize(
    ("part", "feature"),
    [
        (AudioPart(InlineMedia("audio/wav", "AA"), "wav"), "input_audio"),
        (ImagePart(FileReference("anthropic", "f")), "file_id"),
        (FilePart(FileReference("anthropic", "f")), "file_id"),
        (ImagePart(PlainText("x")), "image_url"),
    ],
)
def test_media_that_cannot_be_sent_is_refused(part, feature):
    with pytest.raises(UnsupportedFeature) as refusal:
        render(Message("user", (part,)))
    assert refusal.value.feature == feature


def test_instructions():
    body, _ = render(system=(SystemMessage((TextPart("a"), TextPart("b"))),))
    assert body["instructions"] == "a\n\nb"
    body, _ = render(
        system=(SystemMessage((TextPart("a"),)), SystemMessage((TextPart("b"),), "developer"))
    )
    assert [item["role"] for item in body["input"]] == ["system", "developer", "user"]
    late = Message("system", (TextPart("late"),), developer=True)
    assert items(USER, late)[1]["role"] == "developer"


def test_tools_say_whether_they_are_strict():
    tools = (Tool("a", "d", OPEN, True), Tool("b", None, STRICT, True), Tool("c"))
    body, losses = render(tools=tools)
    assert [tool["strict"] for tool in body["tools"]] == [False, True, False]
    assert body["tools"][2]["parameters"] == {"type": "object", "properties": {}}
    assert losses == {"tools.strict": "dropped"}
    assert "strict" not in render(tools=tools, dialect="xai", model="grok-4.5")[0]["tools"][1]


def test_custom_tools_are_wrapped_where_they_are_unknown():
    tool = Tool("p", "d", kind="custom", grammar=ToolGrammar("lark", "start: x"))
    turn = Message("assistant", (call("a", "p", "custom", 'say "x"'),))
    body, losses = render(USER, turn, results(("a", "1")), tools=(tool,))
    assert body["tools"] == [{"type": "custom", "name": "p", "description": "d", "format": {
        "type": "grammar", "syntax": "lark", "definition": "start: x"}}]  # fmt: skip
    assert [item["type"] for item in body["input"][1:]] == [
        "custom_tool_call", "custom_tool_call_output"]  # fmt: skip
    assert losses == {}
    body, losses = render(USER, turn, results(("a", "1")), tools=(tool,), dialect="groq")
    assert body["tools"][0]["type"] == "function"
    assert json.loads(body["input"][1]["arguments"]) == {"input": 'say "x"'}
    assert losses["tools.custom"] == "emulated"


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("required"), "required"),
        (ToolChoice("tool", "a"), {"type": "function", "name": "a"}),
        (ToolChoice("tool", "gone"), "auto"),
        (
            ToolChoice("required", allowed=("a", "gone")),
            {"type": "allowed_tools", "mode": "required",
             "tools": [{"type": "function", "name": "a"}]},
        ),
        (ToolChoice("auto", allowed=("gone",)), "none"),
    ],
)  # fmt: skip
def test_tool_choice(choice, wire):
    assert render(tools=(Tool("a"),), tool_choice=choice)[0]["tool_choice"] == wire
    assert "tool_choice" not in render(tool_choice=choice)[0]


def test_web_search():
    tool = WebSearchTool("low", ("a.b",), city="Bern")
    assert render(tools=(tool,))[0]["tools"] == [{
        "type": "web_search", "search_context_size": "low",
        "filters": {"allowed_domains": ["a.b"]},
        "user_location": {"type": "approximate", "city": "Bern"}}]  # fmt: skip
    assert render(tools=(tool,), dialect="groq")[1] == {"web_search": "dropped"}


@pytest.mark.parametrize(
    ("model", "config", "expected"),
    [
        ("gpt-5.5", ReasoningConfig(effort="max"), {"effort": "xhigh"}),
        ("gpt-5.5", ReasoningConfig(effort="minimal"), {"effort": "low"}),
        ("gpt-5.5", ReasoningConfig(budget_tokens=4000, enabled=True),
         {"effort": "medium", "summary": "auto"}),
        ("gpt-5.5", ReasoningConfig(enabled=False), {"effort": "none"}),
        ("gpt-5.5", ReasoningConfig(effort="high", visible=True),
         {"effort": "high", "summary": "auto"}),
        ("gpt-4.1", ReasoningConfig(effort="high"), None),
    ],
)  # fmt: skip
def test_reasoning(model, config, expected):
    assert render(model=model, reasoning=config)[0].get("reasoning") == expected


def test_parameters_without_counterpart_are_listed():
    body, losses = render(
        sampling=Sampling(0.5, 0.9, 40, 7, 0.1, 0.2), stop=("x",), max_output_tokens=5,
        user_id="u" * 100, service_tier="flex", verbosity="low",
        extras=(Extra("logit_bias", {}),),
    )  # fmt: skip
    assert losses.keys() == {
        "stop", "top_k", "seed", "presence_penalty", "frequency_penalty", "temperature", "top_p",
        "logit_bias"}  # fmt: skip
    assert body["max_output_tokens"] == 16
    assert len(body["safety_identifier"]) == 64
    assert (body["service_tier"], body["text"]) == ("flex", {"verbosity": "low"})
    body, _ = render(sampling=Sampling(0.5, 0.9), model="gpt-4.1")
    assert (body["temperature"], body["top_p"]) == (0.5, 0.9)


def test_the_shape_of_the_answer():
    def wire(**wish):
        return render(response_format=ResponseFormat(**wish))[0]["text"]["format"]

    assert wire(kind="json_object") == {"type": "json_object"}
    assert wire(kind="json_schema", schema=STRICT) == {
        "type": "json_schema", "name": "output", "schema": STRICT, "strict": True}  # fmt: skip
    assert wire(kind="json_schema", schema=OPEN, strict=True, name="n")["strict"] is False


@pytest.mark.parametrize(
    "fields",
    [{"count": 2}, {"logprobs": LogprobsConfig()}, {"extras": (Extra("audio", {}, True),)}],
)
def test_what_the_agent_would_miss_is_refused(fields):
    with pytest.raises(UnsupportedFeature):
        render(**fields)


def test_an_empty_conversation_gets_a_placeholder_and_odd_parts_are_listed():
    odd = (RefusalPart("no"), NativePart("anthropic", "server_tool_use", {}), USER.parts[0])
    body, losses = render(USER, Message("assistant", odd))
    assert [item["content"] for item in body["input"][1:]] == ["no", "q"]
    assert losses == {"server_tool_use": "dropped"}
    assert items(Message("user", ())) == [{"type": "message", "role": "user", "content": "(empty)"}]


def test_a_longer_conversation_begins_with_the_same_items():
    turns = [
        USER,
        Message("assistant", (ReasoningPart("", OURS), call("a"))),
        results(("a", "1")),
        Message("assistant", (TextPart("t"), ReasoningPart("", OURS), call("b"))),
        results(("b", "2")),
        Message("assistant", (TextPart("end"),)),
        USER,
    ]
    whole = items(*turns)
    for length in (1, 3, 5, 7):
        assert whole[: len(items(*turns[:length]))] == items(*turns[:length])


def test_rendering_leaves_the_request_alone():
    request = Request(model="m", source_format="anthropic", messages=(USER,), tools=(Tool("a"),))
    before = msgspec.json.encode(request)
    first = FORMAT.render_request(request, "gpt-5.5", "openai")
    assert FORMAT.render_request(request, "gpt-5.5", "openai") == first
    assert msgspec.json.encode(request) == before
