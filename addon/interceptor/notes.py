"""Keeps with a flow what was decided about a call and what came of it, but never a key.

Views show it, see `addon.views`, filters find flows by it, and it is saved with the flow.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, cast

from mitmproxy import http
from mitmproxy.net.http import url

from addon.engine import Attempt, Call
from addon.engine.headers import provider_headers
from addon.interceptor.costs import cost_of
from addon.interceptor.endpoints import Endpoint
from addon.interceptor.planning import Answered, Pass, Refusal, Route
from addon.interceptor.reasons import Reasons
from addon.interceptor.secrecy import HIDDEN, SECRET_HEADERS, hide_secrets
from addon.neutral import Loss, Usage
from addon.sockets import Handshake
from addon.views.metadata import (
    MODEL,
    ORIGINAL,
    PROVIDER,
    REQUESTED_MODEL,
    RULE,
    SENT,
    SOCKET,
    SUMMARY,
    Quiet,
    mapping,
)

_FILTERED = {
    "rule": RULE,
    "provider": PROVIDER,
    "model": MODEL,
    "requested_model": REQUESTED_MODEL,
}
"""What of the summary people filter by."""

type Undelivered = Pass | Refusal | Answered | Handshake

_COUNTS = tuple(name for name in Usage.__struct_fields__ if name.endswith("_tokens"))


def note_decision(flow: http.HTTPFlow, endpoint: Endpoint, decided: Undelivered) -> None:
    """Keep with a flow what was decided about a call that the engine does not answer."""
    summary = Quiet(
        action="pass", endpoint=endpoint.name or endpoint.place, losses=[], provider="", model=""
    )
    if endpoint.format is not None:
        summary["agent_format"] = endpoint.format
    match decided:
        case Pass():
            summary |= {
                "provider": endpoint.provider or endpoint.host,
                "model": decided.requested_model or "",
                "format": endpoint.format or "",
                "stream": decided.stream,
            }
        case Refusal():
            error = decided.error
            summary |= {"action": "refuse", "error": plain(f"{error.kind}: {error.message}")}
        case Answered():
            summary["action"] = "answer"
        case Handshake():
            summary["action"] = "socket"
    if isinstance(decided, Pass | Refusal):
        summary["rule"] = decided.rule or ""
        summary["requested_model"] = decided.requested_model or ""
    _keep(flow, summary)


def note_request(flow: http.HTTPFlow, route: Route) -> None:
    """Keep with a flow what the agent sent, but for its keys."""
    request = flow.request
    headers = [
        [name, HIDDEN if name.lower() in SECRET_HEADERS else plain(value)]
        for name, value in route.call.agent_headers
    ]
    path = request.path
    if "key=" in path:
        copy = request.copy()
        hide_secrets(copy)
        path = copy.path
    origin = _origin(request.scheme, request.host_header, request.host, request.port)
    flow.metadata[ORIGINAL] = Quiet(
        method=request.method,
        url=plain(origin + path),
        headers=headers,
        body=route.original_body,
    )


def note_route(flow: http.HTTPFlow, route: Route) -> None:
    """Keep with a flow where it goes."""
    call = route.call
    _keep(
        flow,
        Quiet(
            action="route",
            rule=route.rule,
            provider=call.destination.provider.id,
            model=call.destination.model,
            format=call.destination.format,
            agent_format="" if call.carried else call.agent_format,
            endpoint=call.line.path,
            stream=call.stream,
            requested_model=route.requested_model,
            **({"carried_by": "WebSocket"} if SOCKET in flow.metadata else {}),
            losses=_losses(call.rendered.losses),
        ),
    )


def note_progress(flow: http.HTTPFlow, route: Route) -> None:
    """Keep what is known by now of how a call goes."""
    outcome = route.call.outcome
    summary = mapping(flow.metadata.get(SUMMARY))
    if route.why is not None:
        note_reasons(flow, route.why)
    destination = outcome.destination
    if destination is not None and destination is not route.call.destination:
        summary["format"] = destination.format
        summary["provider"] = flow.metadata[PROVIDER] = destination.provider.id
        summary["model"] = flow.metadata[MODEL] = plain(destination.model)
    if outcome.attempts:
        summary["attempts"] = [_attempt(attempt) for attempt in outcome.attempts]
    if outcome.request_id is not None:
        summary["request_id"] = plain(outcome.request_id)
    if outcome.usage is not None:
        usage = outcome.usage.billed
        counts = {name: getattr(usage, name) for name in _COUNTS}
        summary["usage"] = {name: count for name, count in counts.items() if count is not None}
        place = destination or route.call.destination
        names = place.model, outcome.model, route.requested_model
        summary["cost_usd"] = cost_of(outcome.usage, place.provider, names)
    if outcome.started is not None:
        now = asyncio.get_running_loop().time()
        lead = time.time() - flow.request.timestamp_start - (now - outcome.started)
        summary["seconds"] = {
            name: round(lead + seconds, 6)
            for name in ("first_byte", "first_token", "duration")
            if (seconds := getattr(outcome, name)) is not None
        }


def note_outcome(flow: http.HTTPFlow, route: Route) -> dict[str, Any]:
    """Keep what came of a call, and return all that is kept of it."""
    outcome = route.call.outcome
    summary = mapping(flow.metadata.get(SUMMARY))
    note_progress(flow, route)
    losses = outcome.request_losses or route.call.rendered.losses
    summary["losses"] = _losses((*losses, *outcome.losses))
    if outcome.error is not None:
        summary["error"] = plain(f"{outcome.error.kind}: {outcome.error.message}")
    last = route.successors[-1].call if route.successors else None
    if last is not None and last.destination is outcome.destination:
        flow.metadata[SENT] = _sent(last)
    return summary


def note_reasons(flow: http.HTTPFlow, why: Reasons) -> None:
    """Keep why earlier rules do not apply, and what the agent is doing."""
    summary = mapping(flow.metadata.get(SUMMARY))
    if "why" not in summary:
        summary["why"] = [[plain(rule), plain(reason)] for rule, reason in why.why]
        if why.phase:
            summary["phase"] = why.phase


def shown_headers(call: Call) -> Iterator[tuple[str, str]]:
    """Return the headers of a request as it is sent, without its key."""
    secret = {name.lower() for name, _ in call.key_headers} | SECRET_HEADERS
    length = ("content-length", str(len(call.rendered.body)))
    for name, value in (*provider_headers(call), length):
        yield name, HIDDEN if name in secret else value


def plain(text: str) -> str:
    """Return text that can be saved: bytes that were no text are replaced."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _attempt(attempt: Attempt) -> dict[str, Any]:
    told = {"provider": attempt.provider, "model": attempt.model, "seconds": attempt.seconds}
    if attempt.error is not None:
        told["error"] = plain(f"{attempt.error.kind}: {attempt.error.message}")
    return told


@lru_cache(maxsize=256)
def _origin(scheme: str, authority: str | None, host: str, port: int) -> str:
    """Write who is called, as the agent names it."""
    if authority:
        host, named = url.parse_authority(authority, check=False)
        port = named or url.default_port(scheme) or 443
    return cast("Any", url).unparse(scheme, host, port, "")


def _sent(call: Call) -> Quiet:
    """Keep what a provider was sent, but for its key."""
    rendered = call.rendered
    headers = [[name, plain(value)] for name, value in shown_headers(call)]
    return Quiet(method=rendered.method, url=rendered.url, headers=headers, body=rendered.body)


def _losses(losses: Iterable[Loss]) -> list[dict[str, str]]:
    return [{"field": loss.field, "action": loss.action, "reason": loss.reason} for loss in losses]


def _keep(flow: http.HTTPFlow, summary: Quiet) -> None:
    """Keep what was decided, and in words of their own what people filter by."""
    found = flow.metadata
    found[SUMMARY] = summary
    for name, key in _FILTERED.items():
        if value := summary.get(name):
            found[key] = summary[name] = plain(value)
