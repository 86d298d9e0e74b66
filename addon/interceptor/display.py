"""What people see of a flow: where it went and what was sent and answered, but never a key.

* The request that is shown is the one the provider gets. Its key is not part of the flow at any
  time; the engine adds it.
* What the agent sent is kept in `flow.metadata` (saved with the flow) and shown by a view of its
  own, see `views`.
* The key of a call that passes is in the flow only until the call is on its way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from copy import copy
from functools import lru_cache
from typing import Any, cast

import msgspec
from mitmproxy import http
from mitmproxy.net.http import url

from addon.engine import Attempt
from addon.engine.headers import provider_headers
from addon.interceptor import access, flow_limit
from addon.interceptor.planning import Route
from addon.interceptor.recorder import Recorder
from addon.neutral import Loss

logger = logging.getLogger(__name__)

HIDDEN = "(hidden by Detour)"

_PROTOCOLS = "sec-websocket-protocol"
_KEY_PROTOCOL = "openai-insecure-api-key."
"""In a browser, the name of a protocol is the only place for the key of a WebSocket."""

SECRET_HEADERS = frozenset(
    (
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
    )
)
_SECRET_NAMES = frozenset(name.encode() for name in SECRET_HEADERS)

MOST_MESSAGES = 200
"""Messages of one WebSocket that are shown."""

ORIGINAL = "detour.original"
SUMMARY = "detour.summary"
SOCKET = "detour.socket"
"""In the flow of a response that was asked for on a WebSocket: the id of the socket's flow."""


def hide_secrets(message: http.Message) -> None:
    """Replace every key in a message that is not going to be sent any more."""
    for name in SECRET_HEADERS:
        if name in message.headers:
            message.headers[name] = HIDDEN
    if _KEY_PROTOCOL in (access.header(message, _PROTOCOLS) or ""):
        message.headers[_PROTOCOLS] = HIDDEN
    if isinstance(message, http.Request) and "key=" in message.path:
        query = [(k, HIDDEN if k == "key" else v) for k, v in message.query.items(multi=True)]
        message.query = query


def secrets(request: http.Request) -> tuple[str, ...]:
    """Return the keys that came with a request."""
    found: list[str] = []
    for name, value in request.headers.fields:
        lowered = name.lower()
        if lowered in _SECRET_NAMES:
            found.append(value.decode("utf-8", "surrogateescape"))
        elif lowered == b"sec-websocket-protocol":
            protocols = (one.strip() for one in value.decode("latin-1").split(","))
            found += (one.removeprefix(_KEY_PROTOCOL) for one in protocols if _KEY_PROTOCOL in one)
    if "key=" in request.path:
        found += [value for name, value in request.query.items(multi=True) if name == "key"]
    return tuple(found)


def show_route(flow: http.HTTPFlow, route: Route) -> None:
    """Let a flow show the request that its provider gets instead of the agent's.

    The agent's request stays untouched in itself: mitmproxy still needs it to frame the answer.
    """
    original = flow.request
    call = route.call
    body = call.rendered.body
    secret = {name.lower() for name, _ in call.key_headers} | SECRET_HEADERS
    scheme, host, port, path = _place(call.rendered.url)
    headers = [
        (name.encode(), (HIDDEN if name in secret else value).encode())
        for name, value in (*provider_headers(call), ("content-length", str(len(body))))
    ]
    # Version and times stay. (To make one anew takes longer: the type of each field is checked.)
    shown = copy(original)
    shown.data = data = copy(original.data)
    data.host, data.port, data.scheme, data.path = host.decode(), port, scheme, path
    data.method, data.authority = call.rendered.method.encode(), b""
    data.headers, data.content, data.trailers = http.Headers(headers), body, None
    flow.metadata[ORIGINAL] = _original(original, route)
    summarise(flow, route)
    flow.request = shown


def summarise(flow: http.HTTPFlow, route: Route) -> None:
    """Say beside a flow where it goes, and why."""
    call = route.call
    flow.metadata[SUMMARY] = {
        "rule": route.rule,
        "provider": call.destination.provider.id,
        "model": call.destination.model,
        "format": call.destination.format,
        "requested_model": route.requested_model,
        **({"carried_by": "WebSocket"} if SOCKET in flow.metadata else {}),
        "losses": _losses(call.rendered.losses),
    }
    flow.comment = route.comment


def record(flow: http.HTTPFlow, limit: int) -> Recorder:
    """Let a response pass as it comes, and show it in mitmweb meanwhile and afterwards."""
    recorder = Recorder(flow, limit, _refresh)
    assert flow.response is not None
    flow.response.stream = recorder
    return recorder


def trim_messages(flow: http.HTTPFlow) -> None:
    """Let a WebSocket show its last messages only.

    Each response shows whole in a flow of its own, and mitmweb goes through all messages of a
    socket at each new one.
    """
    messages = flow.websocket.messages if flow.websocket is not None else []
    if len(messages) > MOST_MESSAGES:
        del messages[: MOST_MESSAGES // 4]


def _attempt(attempt: Attempt) -> dict[str, Any]:
    told = {"provider": attempt.provider, "model": attempt.model, "seconds": attempt.seconds}
    if attempt.error is not None:
        told["error"] = f"{attempt.error.kind}: {attempt.error.message}"
    return told


def _comment(route: Route, attempts: tuple[Attempt, ...]) -> str:
    """Say in one line who failed and who answered."""
    steps = [route.requested_model]
    for attempt in attempts:
        failed = f" ({attempt.error.kind})" if attempt.error is not None else ""
        steps.append(f"{attempt.provider}:{attempt.model}{failed}")
    return f"{' -> '.join(steps)} ({route.rule})"


def show_outcome(flow: http.HTTPFlow, route: Route) -> None:
    """Add what came of a call, and say it in the log."""
    outcome = route.call.outcome
    summary = cast("dict[str, Any]", flow.metadata[SUMMARY])
    summary["losses"] += _losses(outcome.losses)
    if outcome.usage is not None:
        usage = msgspec.structs.asdict(outcome.usage)
        summary["usage"] = {name: value for name, value in usage.items() if value is not None}
    if outcome.attempts:
        summary["attempts"] = [_attempt(attempt) for attempt in outcome.attempts]
        flow.comment = _comment(route, outcome.attempts)
    if outcome.request_id is not None:
        summary["request_id"] = outcome.request_id
    if outcome.error is not None:
        summary["error"] = f"{outcome.error.kind}: {outcome.error.message}"
        logger.warning("%s: %s", route.comment, summary["error"])
    else:
        logger.info("%s: %s", route.comment, outcome.status or "the agent left")
    if summary["losses"]:
        # One line: mitmproxy hands each to every addon, which costs more than to write it.
        lost = "; ".join(
            f"{loss['field']} {loss['action']} ({loss['reason']})" for loss in summary["losses"]
        )
        logger.info("%s: not kept: %s", route.comment, lost)


def evict(limit: int) -> None:
    """Remove the oldest finished flows beyond `limit` from mitmweb or the console, if they run."""
    view = access.view()
    if view is not None:
        flow_limit.evict(view, limit)


@lru_cache(maxsize=256)
def _place(address: str) -> tuple[bytes, bytes, int, bytes]:
    """Split a provider's URL, of which there are few, into scheme, host, port and path."""
    return url.parse(address)


@lru_cache(maxsize=256)
def _origin(scheme: str, authority: str | None, host: str, port: int) -> str:
    """Write who is called, as the agent names it."""
    if authority:
        host, named = url.parse_authority(authority, check=False)
        port = named or url.default_port(scheme) or 443
    return cast("Any", url).unparse(scheme, host, port, "")


def _original(request: http.Request, route: Route) -> dict[str, object]:
    """Keep what the agent sent, but for its keys."""
    headers = [
        [name, HIDDEN if name.lower() in SECRET_HEADERS else value]
        for name, value in route.call.agent_headers
    ]
    path = request.path
    if "key=" in path:
        copy = request.copy()
        hide_secrets(copy)
        path = copy.path
    address = _origin(request.scheme, request.host_header, request.host, request.port) + path
    return {
        "method": request.method,
        "url": address,
        "headers": headers,
        "body": route.original_body,
    }


def _losses(losses: Iterable[Loss]) -> list[dict[str, str]]:
    return [{"field": loss.field, "action": loss.action, "reason": loss.reason} for loss in losses]


def _refresh(flow: http.HTTPFlow) -> None:
    view = access.view()
    if view is not None:
        view.update([flow])
