import json

import pytest

from addon.formats.openai_chat import FORMAT
from addon.neutral import (
    CacheBreakpoint,
    Message,
    NativeTool,
    Request,
    TextPart,
    Tool,
    ToolChoice,
    ToolGrammar,
    WebSearchTool,
)
from addon.wire.tool_schemas import is_strict, simplify

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"p": {"type": "string"}},
    "required": ["p"],
    "additionalProperties": False,
}
READ, LIST = Tool("read", "Reads.", SCHEMA, True), Tool("list")


def render(*tools, dialect="openai", model="gpt-4.1", losses=None, **fields):
    message = Message("user", (TextPart("x"),))
    request = Request(
        model="m", source_format="anthropic", messages=(message,), tools=tools, **fields
    )
    answer = FORMAT.render_request(request, model, dialect)
    if losses is not None:
        losses += [loss.field for loss in answer.losses]
    return json.loads(answer.body)


def test_functions():
    assert render(READ, LIST)["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "read",
                "description": "Reads.",
                "parameters": SCHEMA,
                "strict": True,
            },
        },
        {
            "type": "function",
            "function": {"name": "list", "parameters": {"type": "object", "properties": {}}},
        },
    ]


def test_strict_is_dropped_where_it_is_unknown_or_impossible():
    losses = []
    assert "strict" not in render(READ, dialect="deepseek", losses=losses)["tools"][0]["function"]
    loose = Tool("f", input_schema={"type": "object", "properties": {"a": {}}}, strict=True)
    assert "strict" not in render(loose, losses=losses)["tools"][0]["function"]
    assert losses == ["tools.strict", "tools.strict"]
    assert render(Tool("f", strict=False))["tools"][0]["function"]["strict"] is False


def test_custom_tools():
    patch = Tool("patch", "Edits.", kind="custom", grammar=ToolGrammar("lark", "start: x"))
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}
    assert render(patch)["tools"] == [
        {"type": "custom", "custom": {"name": "patch", "description": "Edits.", "format": grammar}}
    ]
    losses = []
    (wrapped,) = render(patch, dialect="glm", losses=losses)["tools"]
    assert wrapped["function"]["parameters"]["required"] == ["input"]
    assert "start: x" in wrapped["function"]["description"]
    assert losses == ["tools.custom"]


def test_foreign_tools_are_dropped_and_own_ones_kept():
    losses = []
    foreign = NativeTool("anthropic", "bash_20250124", {"type": "bash_20250124"})
    own = NativeTool("openai-chat", "openrouter:advisor", {"type": "openrouter:advisor"})
    assert len(render(foreign, own, READ, losses=losses)["tools"]) == 2
    assert losses == ["tools.bash_20250124"]


def test_cache_markers_on_tools():
    marked = Tool("f", cache_breakpoint=CacheBreakpoint())
    assert "cache_control" in render(marked, dialect="openrouter")["tools"][0]
    assert render(marked)["tools"][0].keys() == {"type", "function"}


NAMED = {"type": "function", "function": {"name": "read"}}


@pytest.mark.parametrize(
    ("choice", "dialect", "model", "expected", "lost"),
    [
        (ToolChoice("auto"), "openai", "gpt-4.1", "auto", []),
        (ToolChoice("none"), "openai", "gpt-4.1", "none", []),
        (ToolChoice("required"), "openai", "gpt-4.1", "required", []),
        (ToolChoice("tool", "read"), "openai", "gpt-4.1", NAMED, []),
        (ToolChoice("tool", "gone"), "openai", "gpt-4.1", "auto", ["tool_choice"]),
        (ToolChoice("tool", "read"), "glm", "glm-4.7", NAMED, []),
        (ToolChoice("required"), "moonshot", "kimi-k3", "required", []),
        (ToolChoice("tool", "read"), "moonshot", "kimi-k3", "required", ["tool_choice"]),
        (ToolChoice("required"), "moonshot", "kimi-k2.7-code", "auto", ["tool_choice"]),
        (ToolChoice("required"), "qwen", "qwen3.8-max", "auto", ["tool_choice"]),
        (ToolChoice("tool", "read"), "local", "m", NAMED, []),
    ],
)
def test_choices(choice, dialect, model, expected, lost):
    losses = []
    tools = (Tool("read"), LIST)
    body = render(*tools, tool_choice=choice, dialect=dialect, model=model, losses=losses)
    assert body["tool_choice"] == expected
    assert losses == lost


@pytest.mark.parametrize(
    ("dialect", "model", "off"),
    [
        ("deepseek", "deepseek-v4-pro", {"thinking": {"type": "disabled"}}),
        ("moonshot", "kimi-k2.6", {"thinking": {"type": "disabled"}}),
        ("qwen", "qwen3.8-max", {"enable_thinking": False}),
    ],
)
def test_a_forced_call_ends_thinking_where_the_two_exclude_each_other(dialect, model, off):
    losses = []
    choice = ToolChoice("tool", "read")
    body = render(Tool("read"), tool_choice=choice, dialect=dialect, model=model, losses=losses)
    assert body["tool_choice"] == NAMED
    assert off.items() <= body.items()
    assert losses == ["reasoning_effort"]


def test_the_only_tool_is_named_where_required_is_unknown():
    body = render(Tool("read"), tool_choice=ToolChoice("required"), dialect="qwen")
    assert body["tool_choice"] == NAMED


def test_allowed_tools():
    choice = ToolChoice("required", allowed=("read",))
    body = render(READ, LIST, tool_choice=choice)
    assert body["tool_choice"]["allowed_tools"] == {"mode": "required", "tools": [NAMED]}
    assert len(body["tools"]) == 2
    losses = []
    body = render(Tool("read"), LIST, tool_choice=choice, dialect="local", losses=losses)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["read"]
    assert body["tool_choice"] == "required"
    assert losses == ["tool_choice.allowed_tools"]


def test_a_choice_without_tools_is_left_out():
    losses = []
    assert "tool_choice" not in render(tool_choice=ToolChoice("required"), losses=losses)
    assert losses == ["tool_choice"]


def test_parallel_calls():
    assert render(LIST, parallel_tool_calls=False)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in render(parallel_tool_calls=False)
    assert render(LIST, dialect="qwen")["parallel_tool_calls"] is True
    losses = []
    body = render(LIST, dialect="zai", parallel_tool_calls=False, losses=losses)
    assert "parallel_tool_calls" not in body
    assert losses == ["parallel_tool_calls"]


def test_glm_streams_arguments_on_request():
    assert render(LIST, dialect="glm", stream=True)["tool_stream"] is True
    assert "tool_stream" not in render(LIST, dialect="glm")


@pytest.mark.parametrize(
    ("dialect", "model", "expected"),
    [
        ("openai", "gpt-4o-search-preview", {"web_search_options": {"search_context_size": "low"}}),
        ("qwen", "qwen3.8-max", {"enable_search": True}),
        ("openrouter", "x/y", {"plugins": [{"id": "web"}]}),
        ("glm", "glm-5.3", {"tools": [{"type": "web_search", "web_search": {"enable": True}}]}),
    ],
)
def test_searching_the_web(dialect, model, expected):
    body = render(WebSearchTool("low"), dialect=dialect, model=model)
    assert expected.items() <= body.items()


def test_searching_the_web_is_listed_where_it_is_impossible():
    losses = []
    render(WebSearchTool(), losses=losses)
    render(WebSearchTool(), dialect="deepseek", losses=losses)
    assert losses == ["web_search", "web_search"]


def test_schemas_without_what_providers_stumble_over():
    assert "$schema" not in simplify(SCHEMA, "no_meta")
    assert simplify(SCHEMA, "plain") is SCHEMA
    referring = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A", "description": "own"}},
        "$defs": {
            "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}},
            "B": {"type": "null"},
        },
    }
    assert simplify(referring, "no_references") == {
        "type": "object",
        "properties": {
            "a": {
                "type": "object",
                "properties": {"b": {"type": "null"}},
                "description": "own",
            }
        },
    }


def test_recursive_references_stay():
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}, "kid": {"$ref": "#/$defs/K"}}}
    tree["$defs"] = {"K": {"type": "object", "properties": {"kid": {"$ref": "#/$defs/K"}}}}
    simplified = simplify(tree, "no_references")
    assert simplified["properties"]["kid"]["properties"]["kid"] == {"$ref": "#/$defs/K"}
    assert "$defs" in simplified


def test_moonshot_wants_types_inside_branches():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "anyOf": [{"minLength": 1}]}},
    }
    assert simplify(schema, "moonshot")["properties"]["a"] == {
        "anyOf": [{"type": "string", "minLength": 1}]
    }


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (SCHEMA, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, False),
        (SCHEMA | {"allOf": [{}]}, False),
        ({"type": "array", "items": SCHEMA}, True),
        ({"type": "array", "items": {"type": "object", "properties": {}}}, False),
        ({"$defs": {"A": {"type": "object"}}}, False),
    ],
)
def test_what_openai_would_enforce(schema, strict):
    assert is_strict(schema) is strict
