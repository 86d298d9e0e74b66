import json

import pytest

from addon.formats.base import RequestLine
from addon.formats.openai_chat import FORMAT
from addon.neutral import (
    CacheBreakpoint,
    ClientRequestError,
    Extra,
    LogprobsConfig,
    NativeTool,
    ReasoningConfig,
    ResponseFormat,
    Sampling,
    Tool,
    ToolChoice,
    ToolGrammar,
    WebSearchTool,
)

LINE = RequestLine()
USER = {"role": "user", "content": "hi"}


def parse(**fields):
    body = {"model": "gpt-6-sol", "messages": [USER]} | fields
    return FORMAT.parse_request(json.dumps(body).encode(), LINE)


def reply(**fields):
    body = {"model": "gpt-6-sol", "messages": [USER]} | fields
    return FORMAT.reply(json.dumps(body).encode(), LINE)


def test_every_parameter_with_a_word_in_the_hub():
    request = parse(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=-0.1,
        stop=["a", "b"],
        max_completion_tokens=100,
        max_tokens=50,
        n=2,
        logprobs=True,
        top_logprobs=3,
        reasoning_effort="high",
        verbosity="low",
        service_tier="flex",
        parallel_tool_calls=False,
        stream=True,
        stream_options={"include_usage": True},
        user="u1",
    )
    assert request.sampling == Sampling(0.5, 0.9, 40, 7, 0.1, -0.1)
    assert request.stop == ("a", "b")
    assert request.max_output_tokens == 100
    assert request.count == 2
    assert request.logprobs == LogprobsConfig(3)
    assert request.reasoning == ReasoningConfig(effort="high")
    assert (request.verbosity, request.service_tier) == ("low", "flex")
    assert request.parallel_tool_calls is False
    assert request.stream is True
    assert request.user_id == "u1"
    assert request.extras == ()
    assert request.source_format == "openai-chat"


def test_null_means_not_said():
    names = """temperature top_p seed stop max_tokens max_completion_tokens n logprobs top_logprobs
    reasoning_effort response_format tools tool_choice functions function_call user stream_options
    parallel_tool_calls metadata prediction modalities audio prompt_cache_retention verbosity"""
    assert parse(**dict.fromkeys(names.split())) == parse()


def test_the_old_limit_counts_where_the_new_one_is_absent():
    assert parse(max_tokens=5).max_output_tokens == 5
    assert parse(stop="x").stop == ("x",)
    assert parse(safety_identifier="s", user="u").user_id == "s"


@pytest.mark.parametrize(
    ("fields", "ttl"),
    [
        ({}, None),
        ({"prompt_cache_retention": "24h"}, "1h"),
        ({"prompt_cache_retention": "in_memory"}, "5m"),
        ({"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}}, "1h"),
        ({"prompt_cache_options": {"mode": "explicit"}}, None),
    ],
)
def test_how_long_to_cache(fields, ttl):
    assert parse(**fields).cache_ttl == ttl


def test_a_known_message_and_a_known_tool_are_cached_for_as_long_as_this_request_asks():
    mark = {"cache_control": {"type": "ephemeral"}}
    tool = {"type": "function", "function": {"name": "read"}, **mark}
    for ttl in ("in_memory", "24h", "in_memory", "24h"):
        request = parse(
            messages=[{**USER, **mark}], tools=[tool], prompt_cache_retention=ttl, model="m" * 1024
        )
        wanted = CacheBreakpoint("1h" if ttl == "24h" else "5m")
        assert request.messages[0].parts[0].cache_breakpoint == wanted
        assert request.tools[0].cache_breakpoint == wanted


def test_what_the_hub_has_no_word_for():
    request = parse(
        metadata={"a": "b"},
        logit_bias={"1": 2},
        prediction={"type": "content", "content": "x"},
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
        my_own_field=1,
    )
    assert {extra.field: extra.essential for extra in request.extras} == {
        "metadata": False,
        "logit_bias": False,
        "prediction": False,
        "modalities": True,
        "audio": True,
        "my_own_field": False,
    }
    assert Extra("my_own_field", 1) in request.extras
    assert parse(modalities=["text"]).extras == ()


def test_function_tools():
    schema = {"type": "object", "properties": {"p": {"type": "string"}}}
    function = {"name": "read", "description": "Reads.", "parameters": schema, "strict": True}
    tool = {"type": "function", "function": function, "cache_control": {"type": "ephemeral"}}
    request = parse(tools=[tool, {"type": "function", "function": {"name": "now"}}])
    assert request.tools == (
        Tool("read", "Reads.", schema, True, cache_breakpoint=CacheBreakpoint("5m")),
        Tool("now"),
    )


def test_custom_tools_are_nested_twice():
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}
    custom = {"name": "patch", "description": "Edits.", "format": grammar}
    request = parse(
        tools=[
            {"type": "custom", "custom": custom},
            {"type": "custom", "custom": {"name": "raw", "format": {"type": "text"}}},
        ]
    )
    assert request.tools == (
        Tool("patch", "Edits.", kind="custom", grammar=ToolGrammar("lark", "start: x")),
        Tool("raw", kind="custom"),
    )


def test_old_functions_are_tools():
    request = parse(
        functions=[{"name": "f", "parameters": {"type": "object"}}], function_call={"name": "f"}
    )
    assert request.tools == (Tool("f", input_schema={"type": "object"}),)
    assert request.tool_choice == ToolChoice("tool", "f")
    assert parse(function_call="none").tool_choice == ToolChoice("none")


def test_searching_the_web():
    place = {"type": "approximate", "approximate": {"city": "Bern", "country": "CH"}}
    options = {"search_context_size": "low", "user_location": place}
    search = WebSearchTool("low", city="Bern", country="CH")
    assert parse(web_search_options=options).tools == (search,)
    parameters = {"search_context_size": "low", "allowed_domains": ["a.ch"]}
    tool = {"type": "openrouter:web_search", "parameters": parameters}
    assert parse(tools=[tool]).tools == (WebSearchTool("low", ("a.ch",)),)


def test_other_tools_are_native():
    tool = {"type": "openrouter:advisor", "parameters": {}}
    assert parse(tools=[tool]).tools == (NativeTool("openai-chat", "openrouter:advisor", tool),)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", ToolChoice("none")),
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("required")),
        ("any", ToolChoice("required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("tool", "f")),
        ({"type": "custom", "custom": {"name": "p"}}, ToolChoice("tool", "p")),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [
                        {"type": "function", "function": {"name": "f"}},
                        {"type": "custom", "custom": {"name": "p"}},
                    ],
                },
            },
            ToolChoice("required", allowed=("f", "p")),
        ),
    ],
)
def test_every_tool_choice(choice, expected):
    assert parse(tool_choice=choice).tool_choice == expected


def test_response_formats():
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True, "description": "d"}
    assert parse(
        response_format={"type": "json_schema", "json_schema": schema}
    ).response_format == ResponseFormat("json_schema", "n", {"type": "object"}, True, "d")
    assert parse(response_format={"type": "json_object"}).response_format == ResponseFormat(
        "json_object"
    )


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        ({"messages": None}, "messages", "Missing required parameter: 'messages'."),
        ({"messages": []}, "messages", "Invalid 'messages': empty array."),
        (
            {"temperature": "hot"},
            "temperature",
            "Invalid type for 'temperature': expected a decimal, but got a string instead.",
        ),
        (
            {"stream": 1},
            "stream",
            "Invalid type for 'stream': expected a boolean, but got an integer instead.",
        ),
        (
            {"max_tokens": 1.5},
            "max_tokens",
            "Invalid type for 'max_tokens': expected an integer, but got a decimal instead.",
        ),
        ({"n": True}, "n", "Invalid type for 'n': expected an integer, but got a boolean instead."),
        ({"n": 0}, "n", "Invalid 'n': integer below minimum value."),
        ({"stop": [1]}, "stop", "Invalid type for 'stop'"),
        ({"tools": {}}, "tools", "expected an array, but got an object instead."),
        ({"tools": [1]}, "tools[0]", "expected an object, but got an integer instead."),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "Missing required parameter"),
        ({"tools": [{}]}, "tools[0].type", "Missing required parameter"),
        (
            {"reasoning_effort": "extreme"},
            "reasoning_effort",
            "Invalid value: 'extreme'. Supported values are: 'none', 'minimal', 'low', 'medium', "
            "'high', 'xhigh' and 'max'.",
        ),
        ({"tool_choice": 3}, "tool_choice", "expected one of a string or object"),
        ({"tool_choice": "maybe"}, "tool_choice", "Invalid value: 'maybe'."),
        ({"tool_choice": {}}, "tool_choice.type", "Missing required parameter"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "Invalid value: 'xml'."),
        (
            {"messages": [{"role": "robot", "content": "x"}]},
            "messages[0].role",
            "Invalid value: 'robot'.",
        ),
        (
            {"messages": [USER, {"role": "user", "content": [{"type": "video"}]}]},
            "messages[1].content[0].type",
            "Invalid value: 'video'. Supported values are: 'text', 'image_url', 'input_audio' and "
            "'file'.",
        ),
        (
            {"messages": [{"role": "user", "content": 5}]},
            "messages[0].content",
            "Invalid type for 'messages[0].content': expected one of a string or array of objects, "
            "but got an integer instead.",
        ),
        (
            {"messages": [{"role": "user", "content": [{"text": "x"}]}]},
            "messages[0].content[0].type",
            "Missing required parameter: 'messages[0].content[0].type'.",
        ),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "messages[0].tool_call_id",
            "Missing required parameter",
        ),
    ],
)
def test_mistakes_are_named_as_openai_does(fields, param, message):
    with pytest.raises(ClientRequestError) as caught:
        parse(**fields)
    assert caught.value.param == param
    assert message in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_must_be_an_object(body):
    with pytest.raises(ClientRequestError):
        FORMAT.parse_request(body, LINE)


def test_the_reply_is_read_from_the_request():
    custom = {"type": "custom", "custom": {"name": "patch"}}
    shaped = reply(
        stream=True,
        stream_options={"include_usage": True},
        tools=[{"type": "function", "function": {"name": "f"}}, custom],
        response_format={"type": "json_object"},
    )
    assert shaped.model == "gpt-6-sol"
    assert shaped.stream
    assert shaped.include_usage
    assert shaped.json_answer
    assert shaped.custom_tools == {"patch"}
    assert not shaped.legacy_functions
    assert shaped.created > 1_700_000_000


def test_the_reply_to_little():
    bare = reply()
    assert not any((bare.stream, bare.include_usage, bare.json_answer, bare.legacy_functions))
    assert reply(functions=[{"name": "f"}]).legacy_functions
    assert not reply(functions=[{"name": "f"}], tools=[{"type": "function"}]).legacy_functions


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"model":3,"tools":"custom","stream_options":[]}', b"\xff"]
)
def test_the_reply_never_fails(body):
    assert FORMAT.reply(body, LINE).model is None


def test_the_reply_survives_lenient_json():
    assert FORMAT.reply(b'{"model":"m","temperature":NaN}', LINE).model == "m"
