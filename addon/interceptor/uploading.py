"""Requests that are too large to be held.

mitmproxy holds a request until all of it is there, several times over, unless it is told in
`requestheaders` to let it flow. What flows has been decided about before a byte of its body came:
so only requests may that pass whatever they hold. One that is refused is thrown away as it comes,
and answered at its end, since few clients read an answer earlier. So is one that does not tell its
size and turns out too large: see `BoundedStream` in `adapter`.
"""

from __future__ import annotations

import msgspec
from mitmproxy import http

from addon.engine import Head
from addon.formats.endpoints import path_below
from addon.interceptor import access
from addon.interceptor.adapter import Delivery, Items
from addon.interceptor.carrying import plan_carried
from addon.interceptor.planning import Incoming, Pass, Refusal
from addon.neutral import DetourError, ErrorInfo
from addon.rules import Rules

LARGE = 1 << 20
"""Bytes from which a request is large; smaller ones are held, and show in mitmweb."""
_FILES = ("files", "uploads", "containers", "vector_stores")
"""First names of paths at OpenAI where files are sent without a word of any model."""

FLOWS_UNDECIDED = ErrorInfo(
    "too_large",
    "mitmproxy's option stream_large_bodies would send this request on before the rules of Detour "
    "have read it. Leave that option out.",
)
"""Why a request is refused that mitmproxy lets flow by itself."""


def announced_size(request: http.Request) -> int | None:
    """Return how many bytes a body will have, as its head says; None where it does not say."""
    if length := access.header(request, "content-length"):
        return int(length) if length.isdecimal() else None
    return None if access.header(request, "transfer-encoding") else 0


def plan_unread(incoming: Incoming, rules: Rules) -> Pass | Refusal | None:
    """Decide about a request by its head; None: its body, or what is left of a limit, counts.

    Requests to keep a file name no model, so that rules which look at one do not apply to them; and
    about addresses that nobody knows `default` alone decides.
    """
    endpoint = incoming.endpoint
    first = path_below(endpoint.line.path).partition("/")[0]
    if endpoint.format is not None or (endpoint.name and first not in _FILES):
        return None
    looked_at: list[str] = []

    def matches(expression: str) -> bool:
        looked_at.append(expression)  # which may be about the body
        return False

    try:
        planned = plan_carried(msgspec.structs.replace(incoming, matches_filter=matches), rules)
    except DetourError:
        return None
    if looked_at or not isinstance(planned, Pass | Refusal):
        return None
    return None if isinstance(planned, Pass) and planned.limited is not None else planned


def swallow(flow: http.HTTPFlow) -> Delivery:
    """Let a request that has an answer already come and go, and give the answer at its end."""
    response = flow.response
    assert response is not None
    flow.response = None
    flow.request.stream = _nothing
    head = Head(response.status_code, access.all_headers(response))
    body = response.raw_content or b""

    async def items() -> Items:
        yield head
        yield body

    return Delivery(flow, access.connection_handler(flow.client_conn), items)


def _nothing(_: bytes) -> bytes:
    return b""
