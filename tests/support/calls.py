"""Calls as the engine gets them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from addon.engine import Call, ClientPool, Head, answer
from addon.formats.base import FormatName, RequestLine
from addon.providers import BUILT_IN, Destination, Timeouts
from addon.translation import render_for
from tests.support.proxy import PROVIDER_KEY

PATHS: dict[FormatName, str] = {
    "openai-chat": "/v1/chat/completions",
    "anthropic": "/v1/messages",
}


def request_body(text: str = "hello", *, stream: bool = True, **fields: Any) -> bytes:
    """Write a request that is right in both formats."""
    return json.dumps(
        {
            "model": "gpt-5.1",
            "max_tokens": 100,
            "stream": stream,
            "messages": [{"role": "user", "content": text}],
            **fields,
        }
    ).encode()


def make_call(
    base_url: str = "http://127.0.0.1:1",
    text: str = "hello",
    *,
    agent_format: FormatName = "openai-chat",
    format: FormatName = "anthropic",
    stream: bool = True,
    keep_alive: float = 15,
    **timeouts: float,
) -> Call:
    """Make a call to a provider at `base_url`."""
    url = base_url + ("/v1" if format == "openai-chat" else "")
    provider = msgspec.structs.replace(
        BUILT_IN["anthropic"], base_urls={format: url}, timeouts=Timeouts(**timeouts)
    )
    destination = Destination(provider, format, url, "claude-sonnet-5-5")
    line = RequestLine(PATHS[agent_format])
    body = request_body(text, stream=stream)
    return Call(
        agent_format=agent_format,
        line=line,
        body=body,
        rendered=render_for(agent_format, body, line, destination),
        destination=destination,
        key_headers=provider.auth_headers(format, PROVIDER_KEY),
        stream=stream,
        keep_alive=keep_alive,
    )


async def collect(call: Call, clients: ClientPool | None = None) -> tuple[Head, list[bytes]]:
    """Run a call to its end: the head, then the pieces."""
    pool = clients or ClientPool()
    try:
        items = [item async for item in answer(call, pool)]
    finally:
        if clients is None:
            await pool.aclose()
    head, *pieces = items
    assert isinstance(head, Head)
    assert all(isinstance(piece, bytes) and piece for piece in pieces)
    return head, pieces
