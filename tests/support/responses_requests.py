"""A strict reader of requests to `POST /responses`, which refuses what OpenAI refuses."""

from __future__ import annotations

import json
from typing import Any

import pydantic
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

_TYPE = pydantic.TypeAdapter(ResponseCreateParamsNonStreaming)
_KNOWN = set(ResponseCreateParamsNonStreaming.__annotations__)
_CALLS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
}
_OF_THE_ASSISTANT = ("message", *_CALLS)


def check_responses(body: bytes) -> None:
    """Raise AssertionError or ValidationError for a body that OpenAI would answer 400 to."""
    wire = json.loads(body)
    wire.pop("stream", None)
    assert wire.keys() <= _KNOWN, wire.keys() - _KNOWN
    assert wire["input"], "empty input"
    assert wire.get("max_output_tokens", 16) >= 1
    _check_items(wire["input"])
    names = [tool["name"] for tool in wire.get("tools", ()) if "name" in tool]
    assert len(names) == len(set(names)), "two tools of one name"
    if "tool_choice" in wire:
        assert wire.get("tools"), "a choice without tools"
    for item in wire["input"]:
        if item["type"] == "reasoning":
            item["id"] = "rs_1"  # the type demands one; the API does not when nothing is stored
    _TYPE.validate_python(wire)


def _check_items(items: list[dict[str, Any]]) -> None:
    open_calls: dict[str, str] = {}
    for position, item in enumerate(items):
        kind = item["type"]
        if kind == "reasoning":
            following = items[position + 1] if position + 1 < len(items) else {}
            assert following.get("type") in ("reasoning", *_OF_THE_ASSISTANT), (
                "a thought of nothing"
            )
            assert following.get("role", "assistant") == "assistant", "a thought of nothing"
        elif kind in _CALLS:
            call_id = item["call_id"]
            assert 0 < len(call_id) <= 64
            assert call_id not in open_calls, "two calls of one id"
            open_calls[call_id] = _CALLS[kind]
        elif kind in _CALLS.values():
            assert open_calls.pop(item["call_id"], None) == kind, "an output without its call"
        else:
            assert kind == "message"
            assert item["content"], "an empty message"
            if item["role"] != "assistant":
                assert not open_calls, "a call without an output"
    assert not open_calls, "a call without an output"
