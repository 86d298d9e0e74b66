"""Streams of Chat, as OpenAI-compatible servers write them."""

from __future__ import annotations

import json
from typing import Any

DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    """Write one chunk with one choice."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: %s\n\n" % json.dumps({**body, "choices": [choice], **fields}).encode()


def calling(*calls: dict[str, Any], **delta: Any) -> bytes:
    """Write a chunk with pieces of tool calls."""
    return chunk({**delta, "tool_calls": list(calls)})


def piece(
    index: int | None = None,
    arguments: Any = None,
    *,
    name: str | None = None,
    call_id: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Make a piece of a tool call; what is None is left out."""
    function = {"name": name, "arguments": arguments}
    given = {"index": index, "id": call_id, **fields}
    kept = {key: value for key, value in given.items() if value is not None}
    said = {key: value for key, value in function.items() if value is not None}
    return {**kept, "function": said}


def usage(prompt: int = 10, completion: int = 5) -> dict[str, int]:
    """Make a count of tokens."""
    total = prompt + completion
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
