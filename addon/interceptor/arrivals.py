"""A request as it arrives, and what the rules may look at of it."""

from __future__ import annotations

from mitmproxy import http

from addon.interceptor import access, filters
from addon.interceptor.bodies import unpack
from addon.interceptor.endpoints import endpoint_of
from addon.interceptor.observing import trace_of_flow
from addon.interceptor.planning import Incoming
from addon.rules import Rules
from addon.telemetry import outgoing_headers


def incoming_of(
    flow: http.HTTPFlow,
    request: http.Request,
    rules: Rules,
    agent: str,
    limit: int | None,
    *,
    traced: bool,
) -> Incoming:
    """Gather what the rules may look at.

    Args:
        flow: What the request belongs to.
        request: The request; of a WebSocket's flow it may be another one than the flow's.
        rules: The rules in force.
        agent: Who calls.
        limit: Most bytes that the body may have, unpacked; None: it is not there yet.
        traced: Whether the request is part of a trace, which goes on with it.

    Raises:
        ClientRequestError: The body cannot be unpacked.
    """
    headers = access.all_headers(request)
    if traced:
        headers = outgoing_headers(trace_of_flow(flow, request), headers)
    return Incoming(
        endpoint=endpoint_of(request, rules.provider_for_host),
        agent=agent,
        headers=headers,
        body=b"" if limit is None else unpack(request, limit),
        matches_filter=filters.matcher(flow),
    )
