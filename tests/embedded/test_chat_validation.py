"""Every rule about a Chat request: what breaks it, and what does not."""

from typing import Any

import pytest

from addon.embedded.chat.validation import check_chat_request
from addon.embedded.refusal import Refusal

USER = {"role": "user", "content": "hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def tool(parameters: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters, **more}}


def parts(*content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


def form(schema: Any, **more: Any) -> dict[str, Any]:
    schema_format = {"name": "x", "schema": schema, **more}
    return {"response_format": {"type": "json_schema", "json_schema": schema_format}}


def check(**fields: Any) -> dict[str, Any]:
    return check_chat_request({"model": "gpt-4o", "messages": [USER], **fields})


REFUSED: list[tuple[dict[str, Any], str, str | None]] = [
    ({"messages": []}, "Invalid value for 'messages'", "messages"),
    ({"messages": "hi"}, "expected a list, but got a string instead", "messages"),
    ({"top_k": 1}, "Unknown parameter: 'top_k'.", "top_k"),
    ({"temperature": 3}, "less than or equal to 2", "temperature"),
    ({"temperature": "hot"}, "expected a number, but got a string", "temperature"),
    ({"n": 0}, "greater than or equal to 1", "n"),
    ({"max_tokens": 0}, "greater than or equal to 1", "max_tokens"),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "at the same time is not supported", None),
    ({"stop": ["a"] * 5}, "at most 4 items", "stop"),
    ({"stream_options": {"include_usage": True}}, "only allowed when 'stream'", "stream_options"),
    ({"top_logprobs": 2}, "'logprobs' must be true", "top_logprobs"),
    ({"model": "unknown-model"}, "The model `unknown-model` does not exist", None),
    ({"reasoning_effort": "low"}, "'reasoning_effort' is not supported", "reasoning_effort"),
    ({"model": "gpt-5", "max_tokens": 5}, "Use 'max_completion_tokens' instead", "max_tokens"),
    ({"model": "o3", "temperature": 0.5}, "Only the default (1) value", "temperature"),
    ({"model": "gpt-6-sol", "top_p": 0.5}, "Only the default (1) value", "top_p"),
    ({"model": "gpt-5.4", "top_p": 0.5, "reasoning_effort": "low"}, "Only the default", "top_p"),
    ({"model": "gpt-5", "stop": "x"}, "'stop' is not supported with this model", "stop"),
    ({"model": "gpt-5", "reasoning_effort": "max"}, "does not support 'max'", "reasoning_effort"),
    ({"model": "gpt-5.6-sol", "tools": [tool()]}, "Please use /v1/responses", "reasoning_effort"),
    ({"tool_choice": "auto"}, "only allowed when 'tools' are specified", "tool_choice"),
    ({"parallel_tool_calls": False}, "only allowed when 'tools'", "parallel_tool_calls"),
    ({"tools": []}, "a list with at least 1 item", "tools"),
    (
        {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool 'g' not found in 'tools'",
        "tool_choice",
    ),
    ({"tools": [{"type": "function", "name": "f"}]}, "Missing required", "tools[0].function"),
    ({"tools": [tool(name="a b")]}, "matches pattern", "tools[0].function.name"),
    ({"tools": [tool({"type": "array"})]}, "Invalid schema for function 'f'", "tools"),
    ({"tools": [tool({"type": "object", "required": "a"})]}, "not a list of names", "tools"),
    ({"tools": [tool({**CLOSED, "required": []}, strict=True)]}, "Missing 'a'", "tools"),
    (
        {"tools": [tool({"type": "object", "properties": {}}, strict=True)]},
        "'additionalProperties' must be explicitly set",
        "tools",
    ),
    (form({"type": "object", "properties": {}}, strict=True), "response_format 'x'", None),
    ({"response_format": {"type": "json_object"}}, "must contain the word 'json'", "messages"),
    ({"response_format": {"type": "xml"}}, "expected one of", "response_format.type"),
    ({"messages": [{"role": "robot", "content": ""}]}, "expected one of", "messages[0].role"),
    ({"messages": [{"content": "hi"}]}, "Missing required", "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "Missing required", "messages[0].content"),
    ({"messages": [{"role": "user", "content": None}]}, "got null", "messages[0].content"),
    (
        {"messages": [{**USER, "cache_control": {}}]},
        "Unknown parameter",
        "messages[0].cache_control",
    ),
    ({"messages": [{"role": "assistant"}]}, "expected a string, got null", "messages[0].content"),
    ({"messages": [RESULT]}, "must be a response to a preceeding", "messages.[0].role"),
    ({"messages": [USER, CALLING]}, "did not have response messages: call_1", None),
    ({"messages": [CALLING, USER, RESULT]}, "did not have response messages: call_1", None),
    ({"messages": [CALLING, RESULT, RESULT]}, "must be a response to", "messages.[2].role"),
    (
        {"messages": [CALLING, {**RESULT, "content": [{"type": "image_url", "image_url": {}}]}]},
        "expected one of 'text'",
        "messages[1].content[0].type",
    ),
    (
        {"messages": [{**CALLING, "tool_calls": []}]},
        "at least 1 item",
        "messages[0].tool_calls",
    ),
    (
        {"messages": [{**CALLING, "tool_calls": [{**CALL, "function": {"name": "f"}}]}]},
        "Missing required",
        "messages[0].tool_calls[0].function.arguments",
    ),
    (
        parts({"type": "image_url", "image_url": "https://a"}),
        "expected an object",
        "messages[0].content[0].image_url",
    ),
    (parts({"type": "image_url", "image_url": {"url": "data:image/png;base64,!"}}), "base64", None),
    (parts({"type": "image_url", "image_url": {"url": "x.png"}}), "base64-encoded data URL", None),
    (parts({"type": "file", "file": {}}), "'file_id' or 'file_data'", None),
    (parts({"type": "input_text", "text": "hi"}), "expected one of", "messages[0].content[0].type"),
]

ACCEPTED: list[dict[str, Any]] = [
    {"temperature": 2, "top_p": 0, "frequency_penalty": -2, "seed": 1, "logit_bias": {}},
    {"max_tokens": 5, "stop": "x", "n": 2, "user": "u", "store": False, "metadata": {}},
    {"max_tokens": None, "tools": None, "stop": None},
    {"stream": True, "stream_options": {"include_usage": True}},
    {"logprobs": True, "top_logprobs": 2},
    {"model": "gpt-5", "max_completion_tokens": 5, "reasoning_effort": "high", "temperature": 1},
    {"model": "gpt-5.1", "reasoning_effort": "none", "temperature": 0.2, "stop": "x"},
    {"model": "gpt-5.4", "temperature": 0.2, "logprobs": True},
    {"model": "gpt-5.6-sol", "reasoning_effort": "none", "tools": [tool()]},
    {"model": "gpt-5-chat-latest", "temperature": 0.2},
    {"model": "deepseek-flash", "max_tokens": 5, "reasoning_effort": "low"},
    {"tools": [tool()], "tool_choice": "required", "parallel_tool_calls": True},
    {"tools": [tool(CLOSED, strict=True)]},
    {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    {"functions": [{"name": "f", "parameters": {}}], "function_call": {"name": "f"}},
    form(CLOSED, strict=True),
    form({"type": "object", "properties": {}}),
    {"response_format": {"type": "json_object"}, "messages": [{**USER, "content": "JSON"}]},
    {"messages": [{"role": "developer", "content": "Be brief."}, USER]},
    {"messages": [{**USER, "name": "bob"}]},
    {"messages": [USER, CALLING, RESULT]},
    {"messages": [USER, {**CALLING, "reasoning_content": "hm", "refusal": None}, RESULT, USER]},
    {
        "messages": [
            {**CALLING, "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
            {**RESULT, "tool_call_id": "call_2"},
            RESULT,
        ]
    },
    parts(
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a.org/x.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}},
    ),
]


@pytest.mark.parametrize(("fields", "message", "param"), REFUSED, ids=lambda value: str(value)[:60])
def test_refuses(fields: dict[str, Any], message: str, param: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        check(**fields)
    assert message in str(refused.value)
    assert param is None or refused.value.param == param
    assert refused.value.kind == "invalid_request_error"
    assert refused.value.status == (404 if "unknown" in fields.get("model", "") else 400)


@pytest.mark.parametrize("fields", ACCEPTED, ids=lambda value: str(value)[:60])
def test_accepts(fields: dict[str, Any]) -> None:
    check(**fields)


@pytest.mark.parametrize("name", ["model", "messages"])
def test_demands_the_required_fields(name: str) -> None:
    body = {"model": "gpt-4o", "messages": [USER]}
    del body[name]
    with pytest.raises(Refusal, match=f"Missing required parameter: '{name}'") as refused:
        check_chat_request(body)
    assert refused.value.code == "missing_required_parameter"


def test_null_stands_for_a_parameter_that_is_left_out() -> None:
    assert "temperature" not in check(temperature=None)
