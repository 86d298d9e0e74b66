import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.formats.anthropic import FORMAT
from addon.formats.base import RequestLine
from addon.neutral import (
    CacheBreakpoint,
    ClientRequestError,
    FilePart,
    ImagePart,
    InlineMedia,
    NativePart,
    NativeTool,
    OpaqueState,
    PlainText,
    ReasoningConfig,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    WebSearchTool,
)

LINE = RequestLine("/v1/messages")


def parse(**fields):
    wire = {
        "model": "claude-x",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
        **fields,
    }
    return FORMAT.parse_request(json.dumps(wire).encode(), LINE)


def content(*blocks, role="user"):
    return parse(messages=[{"role": role, "content": list(blocks)}]).messages


def test_the_smallest_request():
    request = parse()
    assert (request.model, request.max_output_tokens, request.stream) == ("claude-x", 9, False)
    assert request.messages[0].parts == (TextPart("hi"),)
    assert request.extras == ()


def test_a_turn_of_results_and_words_becomes_two_messages():
    messages = content(
        {"type": "tool_result", "tool_use_id": "a", "content": "1", "is_error": True},
        {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "2"}]},
        {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    )
    assert [message.role for message in messages] == ["tool", "user"]
    assert messages[0].parts == (
        ToolResultPart("a", (TextPart("1"),), is_error=True),
        ToolResultPart("b", (TextPart("2"),)),
    )
    assert messages[1].parts == (TextPart("go on", cache_breakpoint=CacheBreakpoint("1h")),)


def test_an_assistant_turn():
    (message,) = content(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "thinking", "thinking": "hm"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "a", "name": "ls", "input": {"p": [1]}},
        {"type": "server_tool_use", "id": "b", "name": "web_search", "input": {}},
        role="assistant",
    )
    assert message.parts[:4] == (
        ReasoningPart("hm", OpaqueState("anthropic", "s")),
        ReasoningPart("hm"),
        ReasoningPart("", OpaqueState("anthropic", "x", "redacted")),
        ToolCallPart("a", "ls", '{"p":[1]}'),
    )
    assert isinstance(message.parts[4], NativePart)


def test_pictures_and_documents():
    (message,) = content(
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        {
            "type": "document",
            "title": "t",
            "context": "c",
            "citations": {"enabled": True},
            "source": {"type": "text", "media_type": "text/plain", "data": "words"},
        },
    )
    assert message.parts == (
        ImagePart(InlineMedia("image/png", "AA==")),
        FilePart(PlainText("words"), "t", "c", citations_enabled=True),
    )


def test_tools_and_choice():
    request = parse(
        tools=[
            {"name": "ls", "input_schema": {"type": "object"}, "strict": True},
            {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.org"]},
            {"type": "web_fetch_20260209", "name": "web_fetch"},
        ],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
    )
    assert request.tools[0] == Tool("ls", None, {"type": "object"}, strict=True)
    assert request.tools[1] == WebSearchTool(allowed_domains=("a.org",))
    assert isinstance(request.tools[2], NativeTool)
    assert request.tool_choice == ToolChoice("required")
    assert request.parallel_tool_calls is False


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"output_config": {"effort": "high"}}, ReasoningConfig("high")),
        ({"thinking": {"type": "disabled"}}, ReasoningConfig("none", enabled=False)),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            ReasoningConfig(budget_tokens=2000, enabled=True),
        ),
        (
            {
                "thinking": {"type": "adaptive", "display": "omitted"},
                "output_config": {"effort": "max"},
            },
            ReasoningConfig("max", enabled=True, visible=False),
        ),
    ],
)
def test_thinking(fields, expected):
    assert parse(**fields).reasoning == expected


def test_unknown_fields_are_remembered():
    request = parse(container="c", mcp_servers=None)
    assert [extra.field for extra in request.extras] == ["container"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"messages": None}, "messages: Field required"),
        ({"messages": [{"role": "robot", "content": ""}]}, r"messages\.0\.role"),
        ({"messages": [{"role": "user"}]}, r"messages\.0\.content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, r"messages\.0\.content\.0\.type"),
        ({"tools": [{"description": "x"}]}, r"tools\.0\.name"),
    ],
)
def test_mistakes_are_named_by_their_place(fields, words):
    with pytest.raises(ClientRequestError, match=words):
        parse(**fields)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_an_error_of_the_agent(body):
    with pytest.raises(ClientRequestError):
        FORMAT.parse_request(body, LINE)
    FORMAT.reply(body, LINE)


def test_the_wishes_for_the_answer():
    reply = FORMAT.reply(b'{"model":"m","stream":true}', LINE)
    assert (reply.model, reply.stream, reply.json_answer) == ("m", True, False)
