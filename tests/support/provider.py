"""Talking to the embedded provider by raw HTTP, to say what no SDK would."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from addon.embedded import EmbeddedProvider

VERSION = {"anthropic-version": "2023-06-01"}
WRITE_FILE = {
    "name": "write_file",
    "description": "Write a file.",
    "input_schema": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
}


def user(*content: Any) -> dict[str, Any]:
    """Make a user message of a string or of blocks."""
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    """Make an assistant message of a string or of blocks."""
    return {**user(*content), "role": "assistant"}


def text(words: str, **more: Any) -> dict[str, Any]:
    """Make a text block."""
    return {"type": "text", "text": words, **more}


def tool_use(identifier: str = "toolu_1", **more: Any) -> dict[str, Any]:
    """Make a call of `write_file`."""
    return {"type": "tool_use", "id": identifier, "name": "write_file", "input": {}, **more}


def tool_result(identifier: str = "toolu_1", **more: Any) -> dict[str, Any]:
    """Make the result of a call."""
    return {"type": "tool_result", "tool_use_id": identifier, "content": "done", **more}


def messages_body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make the body of a request to `/v1/messages`."""
    body = {"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": list(messages)}
    return {**body, **more}


async def post(
    provider: EmbeddedProvider,
    body: Any,
    path: str = "/v1/messages",
    headers: dict[str, str] | None = None,
) -> httpx2.Response:
    """Send a body with a good key and version."""
    usual = {"x-api-key": "key", "authorization": "Bearer key", **VERSION}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", **usual, **(headers or {})}
    async with httpx2.AsyncClient(base_url=provider.base_url, timeout=10) as client:
        kept = {name: value for name, value in sent.items() if value}
        return await client.post(path, content=content, headers=kept)
