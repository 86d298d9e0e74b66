"""Replaying a flow from mitmweb or the console.

A flow that Detour rewrote shows the provider's request, which without its key is of no use to
anybody. Its replay therefore begins again with what the agent sent, under the rules of today.
mitmproxy serves replays with layers of its own and nobody waits at the other end, so the engine's
answer is gathered and given whole.

The command `detour.replay` makes a flow of its own, and names the target in place of the rules.
"""

from __future__ import annotations

import time
from typing import Any, cast

from mitmproxy import http

from addon.engine import Head
from addon.interceptor.adapter import Items, response_of
from addon.rules import Rules, with_one_target
from addon.views.metadata import (
    AGENT,
    COMPARISON,
    FILTERED,
    ORIGINAL,
    REPLAY_OF,
    REPLAY_TARGET,
    SENT,
    STREAMS,
    SUMMARY,
)

RULE = "detour.replay"
"""The name of the rule that sends a replay to another target."""


def original(flow: http.HTTPFlow) -> http.Request:
    """Return the agent's request, also where Detour has rewritten it."""
    kept = cast("dict[str, Any] | None", flow.metadata.get(ORIGINAL))
    if kept is None:
        return flow.request
    packing = ("content-encoding", "content-length", "transfer-encoding")
    headers = {name: value for name, value in kept["headers"] if name.lower() not in packing}
    return http.Request.make(kept["method"], kept["url"], kept["body"], headers)


def begin_again(flow: http.HTTPFlow) -> None:
    """Let a flow that is replayed be what the agent sent, and forget what came of it then."""
    flow.request = original(flow)
    for name in (ORIGINAL, SUMMARY, SENT, STREAMS, COMPARISON, *FILTERED):
        flow.metadata.pop(name, None)


def to_target(flow: http.HTTPFlow, target: str) -> http.HTTPFlow:
    """Make a flow that begins with what the agent sent, and is meant for another target."""
    again = flow.copy()
    again.request = original(flow).copy()
    again.response = again.error = None
    again.comment = again.marked = ""
    kept = flow.metadata
    again.metadata = {
        AGENT: kept.get(AGENT, ""),
        REPLAY_OF: flow.id,
        REPLAY_TARGET: target,
        **({"proxyauth": kept["proxyauth"]} if "proxyauth" in kept else {}),
    }
    again.timestamp_created = time.time()
    return again


def rules_for(flow: http.HTTPFlow, rules: Rules) -> Rules:
    """Return the rules for a flow: those in force, but for a replay to another target.

    Raises:
        DetourError: The target cannot be called any more.
    """
    target = flow.metadata.get(REPLAY_TARGET)
    if flow.is_replay != "request" or not isinstance(target, str):
        return rules
    return with_one_target(rules, target, RULE)


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
