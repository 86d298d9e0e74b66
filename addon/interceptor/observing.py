"""What telemetry is told of an exchange, gathered when it has ended."""

from __future__ import annotations

import asyncio
import time

from mitmproxy import http

from addon.engine import Attempt
from addon.interceptor import access
from addon.interceptor.exchanges import Exchange
from addon.interceptor.planning import Pass, Route
from addon.ledger import Record
from addon.telemetry import Attempted, Content, Observation, Trace, trace_of


def trace_of_flow(flow: http.HTTPFlow, request: http.Request) -> Trace:
    """Find the trace that a flow belongs to; the same each time it is asked.

    Args:
        flow: The flow.
        request: The agent's, whatever the flow shows by now.
    """
    # A flow that is replayed begins anew under the same id.
    return trace_of(f"{flow.id} {request.timestamp_start}", access.all_headers(request))


def observe(
    flow: http.HTTPFlow, exchange: Exchange, record: Record, *, content: bool
) -> Observation:
    """Gather what the record does not say, and what was said only where that is wanted."""
    observation = Observation(
        trace=exchange.trace or trace_of_flow(flow, flow.request),
        began=flow.request.timestamp_start,
        content=_content(flow, exchange) if content else None,
    )
    route = exchange.route or exchange.job
    if route is not None:
        _add_route(observation, route, record)
    elif isinstance(exchange.decided, Pass):
        _add_pass(observation, flow, exchange, record)
    return observation


def _add_route(observation: Observation, route: Route, record: Record) -> None:
    call, outcome = route.call, route.call.outcome
    if outcome.started is None:
        return
    began = time.time() - (asyncio.get_running_loop().time() - outcome.started)
    if outcome.attempts:
        observation.attempts = tuple(
            _attempted(attempt, began + attempt.began)
            for attempt in outcome.attempts
            if attempt.began is not None
        )
    else:
        destination = outcome.destination or call.destination
        ended = observation.began + (record.duration_ms or 0.0) / 1000
        only = Attempted(
            provider=destination.provider.id,
            model=destination.model,
            format=destination.format,
            base_url=destination.base_url,
            began=began,
            seconds=max(ended - began, 0.0) if outcome.duration is None else outcome.duration,
        )
        observation.attempts = (only,)
    asked = route.original_body
    observation.asked = lambda: asked
    sent = (route.successors or [route])[-1].call.rendered.body
    observation.sent = lambda: sent
    if call.stream and outcome.first_token is not None and observation.attempts:
        last = observation.attempts[-1]
        observation.first_chunk = max(began + outcome.first_token - last.began, 0.0)
    observation.response_id = outcome.response_id
    observation.finish_reason = outcome.finish_reason


def _attempted(attempt: Attempt, began: float) -> Attempted:
    return Attempted(
        provider=attempt.provider,
        model=attempt.model,
        format=attempt.format,
        base_url=attempt.base_url,
        began=began,
        seconds=attempt.seconds,
        error=attempt.error.kind if attempt.error is not None else None,
    )


def _add_pass(
    observation: Observation, flow: http.HTTPFlow, exchange: Exchange, record: Record
) -> None:
    endpoint, request = exchange.endpoint, flow.request
    passed = Attempted(
        provider=record.actual_provider or endpoint.host,
        model=record.requested_model or "",
        format=endpoint.format,
        base_url=f"{request.scheme}://{endpoint.host}:{request.port}",
        began=observation.began,
        seconds=(record.duration_ms or 0.0) / 1000,
    )
    observation.attempts = (passed,)
    observation.asked = observation.sent = lambda: request.get_content(strict=False) or b""
    if record.stream and record.first_byte_ms is not None:
        observation.first_chunk = record.first_byte_ms / 1000


def _content(flow: http.HTTPFlow, exchange: Exchange) -> Content | None:
    spoken = exchange.endpoint.format
    response = flow.response
    route = exchange.route or exchange.job
    if spoken is None or response is None:
        return None
    keys = route.call.key_headers if route is not None else ()
    sent = route.original_body if route is not None else flow.request.get_content(strict=False)
    return Content(
        format=spoken,
        line=exchange.endpoint.line,
        request=sent or b"",
        answer=lambda: response.get_content(strict=False) or b"",
        secrets=(*exchange.secrets, *(value for _, value in keys)),
    )
