"""Replaying a flow from mitmweb or the console.

A flow that Detour rewrote shows the provider's request, which without its key is of no use to
anybody. Its replay therefore begins again with what the agent sent, under the rules of today.
mitmproxy serves replays with layers of its own and nobody waits at the other end, so the engine's
answer is gathered and given whole.
"""

from __future__ import annotations

from typing import Any, cast

from mitmproxy import http

from addon.engine import Head
from addon.interceptor.adapter import Items, response_of
from addon.views.metadata import ORIGINAL


def original(flow: http.HTTPFlow) -> http.Request:
    """Return the agent's request, also where Detour has rewritten it."""
    kept = cast("dict[str, Any] | None", flow.metadata.get(ORIGINAL))
    if kept is None:
        return flow.request
    packing = ("content-encoding", "content-length", "transfer-encoding")
    headers = {name: value for name, value in kept["headers"] if name.lower() not in packing}
    return http.Request.make(kept["method"], kept["url"], kept["body"], headers)


async def answer_whole(flow: http.HTTPFlow, items: Items) -> None:
    """Answer a flow that nobody waits for."""
    body = bytearray()
    async for item in items:
        if isinstance(item, Head):
            flow.response = response_of(item, "")
        else:
            body += item
    if flow.response is not None:
        flow.response.content = bytes(body)
