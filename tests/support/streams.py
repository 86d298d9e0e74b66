"""Streams of events as providers send them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def frames(*events: dict[str, Any]) -> list[bytes]:
    """Write events of the Anthropic format, one frame each."""
    return [
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
        for event in events
    ]


def text_frames(words: Iterable[str] = ("Hello", " there", "!")) -> list[bytes]:
    """Write a whole answer that says these words."""
    usage = {"input_tokens": 10, "output_tokens": 1}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    deltas = [
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": word},
        }
        for word in words
    ]
    return frames(
        {"type": "message_start", "message": message},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 3},
        },
        {"type": "message_stop"},
    )


def error_frame(kind: str = "overloaded_error", message: str = "Overloaded") -> bytes:
    """Write an error as an event."""
    return frames({"type": "error", "error": {"type": kind, "message": message}})[0]


def plain_answer(text: str = "Hello there!") -> bytes:
    """Write the same as a whole answer."""
    return json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5-5",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 3},
        }
    ).encode()


def data_of(stream: bytes) -> list[Any]:
    """Read the data of a stream that an agent got: JSON values, and `[DONE]` as it is."""
    lines = [line[6:] for line in stream.decode().split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def text_of(stream: bytes) -> str:
    """Read what a Chat stream says."""
    chunks = [chunk for chunk in data_of(stream) if chunk != "[DONE]"]
    choices = [choice for chunk in chunks for choice in chunk.get("choices", [])]
    return "".join(choice["delta"].get("content") or "" for choice in choices)
