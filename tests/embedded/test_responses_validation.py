"""Requests that the Responses API takes, and what it says to those that it does not."""

import json
from typing import Any

import pytest

from addon.embedded.refusal import Refusal
from addon.embedded.responses.reasoning_state import seal
from addon.embedded.responses.store import ResponseStore
from addon.embedded.responses.validation import check_responses_request
from tests.support.recordings import needs_recordings, recordings

SECRET = b"secret"
MODEL = "gpt-5.5"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
STRICT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": []}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def call(call_id: str = "call_1", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "ls", "arguments": "{}", **more}


def output(call_id: str = "call_1", **more: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "a", **more}


def thought(sealed: str | None = seal(SECRET, MODEL, 1), **more: Any) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [], "encrypted_content": sealed, **more}


def function(**more: Any) -> dict[str, Any]:
    return {"type": "function", "name": "ls", "parameters": None, "strict": None, **more}


def check(*items: Any, store: ResponseStore | None = None, **more: Any) -> list[dict[str, Any]]:
    body = {"model": MODEL, "input": list(items) or "hi", **more}
    return check_responses_request(body, store or ResponseStore(), SECRET)[1]


@pytest.mark.parametrize(
    "more",
    [
        {"instructions": None, "metadata": {}, "store": False, "truncation": "auto"},
        {"tools": [function(), {"type": "custom", "name": "patch"}, {"type": "web_search"}]},
        {"tools": [{"type": "namespace", "name": "crm", "tools": [function()]}, function()]},
        {"tools": [function()], "tool_choice": {"type": "function", "name": "ls"}},
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "string"}}}},
        {"reasoning": {"effort": "xhigh", "summary": "auto"}},
        {"include": ["reasoning.encrypted_content"]},
        {"reasoning": {"effort": "none"}, "temperature": 0.2},
    ],
)
def test_good_requests_are_taken(more: dict[str, Any]) -> None:
    assert check(**more) == [{"type": "message", **user("hi")}]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"messages": []}, "Unknown parameter: 'messages'."),
        ({"model": None}, "Missing required parameter: 'model'."),
        ({"model": "gpt-unknown"}, "does not exist"),
        ({"max_output_tokens": 1}, "greater than or equal to 16"),
        ({"include": ["everything"]}, "Invalid value for 'include[0]'"),
        ({"temperature": 0.5}, "'temperature' is not supported with this model"),
        ({"model": "gpt-4o", "reasoning": {"effort": "low"}}, "'reasoning.effort' is not"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "'tools[0].name'"),
        ({"tools": [function(), function()]}, "Duplicate tool name 'ls'"),
        ({"tools": [function(strict=True, parameters=STRICT)]}, "Invalid schema for function"),
        ({"tool_choice": {"type": "function", "name": "no"}}, "Tool choice 'no' not found"),
        ({"tool_choice": "required"}, "must be specified with 'tools'"),
        ({"text": {"format": {"type": "json_object"}}}, "the word 'json'"),
        ({"previous_response_id": "resp_1"}, "Previous response with id 'resp_1' not found."),
        ({"background": True}, "'background' is not supported"),
        ({"input": []}, "Missing required parameter: 'input'."),
    ],
)
def test_what_a_request_must_not_hold(more: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(**more)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([user([{"type": "text", "text": "a"}])], "Invalid value for 'input[0].content[0].type'"),
        ([user([{"type": "output_text", "text": "a"}])], "expected one of 'input_text'"),
        ([{"role": "tool", "content": "a"}], "Invalid value for 'input[0].role'"),
        ([user([{"type": "input_image", "image_url": {"url": PIXEL}}])], "expected a string"),
        ([user([{"type": "input_image", "image_url": "data:,x"}])], "base64-encoded data URL"),
        ([user([{"type": "input_image"}])], "exactly one of image_url, file_id"),
        ([call()], "No tool output found for function call call_1."),
        ([output()], "No tool call found for function call output with call_id call_1."),
        ([call(), call(), output()], "Duplicate call_id"),
        ([call(), {**output(), "type": "custom_tool_call_output"}], "No tool call found for cus"),
        ([call("c" * 65), output("c" * 65)], "at most 64 characters long"),
        ([call(id="msg_1"), output()], "matches pattern '^fc'"),
        ([call(name="a.b"), output()], "Invalid value for 'input[0].name'"),
        ([call(id="fc_1"), output(), call("2", id="fc_1"), output("2")], "Duplicate item found"),
        ([thought(id="rs_1")], "'rs_1' of type 'reasoning' was provided without its required f"),
        ([thought(), user("a")], "without its required following item"),
        ([call(), thought(), output()], "without its required following item"),
        ([thought(None, id="rs_1"), call(), output()], "Item with id 'rs_1' not found."),
        ([thought("foreign"), call(), output()], "could not be verified"),
        ([thought(seal(SECRET, "gpt-5.1", 1)), call(), output()], "could not be verified"),
        ([thought(seal(b"other", MODEL, 1)), call(), output()], "could not be verified"),
        ([{"type": "item_reference", "id": "msg_1"}], "Item with id 'msg_1' not found."),
    ],
)
def test_what_a_conversation_must_not_be(items: list[Any], words: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(*items)
    assert words in str(refused.value)


def test_sealed_reasoning_is_taken_before_what_it_led_to() -> None:
    items = [user("a"), thought(), call(), call("call_2"), output("call_2"), output()]
    assert check(*items) == items


def stored() -> ResponseStore:
    store = ResponseStore()
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    response = {"id": "resp_1", "output": [reasoning, call(id="fc_1")]}
    store.keep(response, [user("a")])
    return store


def test_what_is_stored_continues() -> None:
    conversation = check(output(), store=stored(), previous_response_id="resp_1")
    kinds = [item.get("type", item.get("role")) for item in conversation]
    assert kinds == ["user", "reasoning", "function_call", "function_call_output"]


def test_stored_items_can_be_named() -> None:
    reference = {"type": "item_reference"}
    items = [{**reference, "id": "rs_1"}, {**reference, "id": "fc_1"}, output()]
    assert check(*items, store=stored())[1]["name"] == "ls"


def test_a_stored_call_wants_its_reasoning() -> None:
    with pytest.raises(Refusal, match="without its required 'reasoning' item: 'rs_1'"):
        check(call(id="fc_1"), output(), store=stored())


@needs_recordings
def test_what_openai_took_is_taken() -> None:
    """Every recorded request that OpenAI answered, but for those that lean on its own store."""
    stateful = ("not found.", "'background'", "'conversation'", "'model'")
    refusals = []
    for recording in recordings("openai-responses"):
        if recording.provider != "openai" or not recording.succeeded or not recording.request:
            continue
        try:
            check_responses_request(json.loads(recording.request), ResponseStore(), None)
        except Refusal as refusal:
            local = "rig-vllm" in recording.name  # filed under the wrong provider
            if not local and not any(words in str(refusal) for words in stateful):
                refusals.append((recording.name, str(refusal)))
    assert refusals == []
