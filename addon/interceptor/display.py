"""What people see of a flow: where it went and what was sent and answered, but never a key.

* The request that is shown is the one the provider gets. Its key is not part of the flow at any
  time; the engine adds it.
* What the agent sent is kept in `flow.metadata` (saved with the flow) and shown by a view of its
  own, see `views`.
* The key of a call that passes is in the flow only until the call is on its way.
"""

from __future__ import annotations

import logging
from copy import copy
from functools import lru_cache
from time import monotonic

from mitmproxy import http
from mitmproxy.net.http import url

from addon.engine import Attempt
from addon.interceptor import access
from addon.interceptor.exchanges import Exchange
from addon.interceptor.notes import (
    note_outcome,
    note_progress,
    note_reasons,
    note_request,
    note_route,
    plain,
    shown_headers,
)
from addon.interceptor.planning import Route
from addon.interceptor.recorder import Recorder
from addon.interceptor.secrecy import hide_secrets
from addon.interceptor.taping import keep_streams
from addon.views.timeline import Moments

logger = logging.getLogger(__name__)

MOST_MESSAGES = 200
"""Messages of one WebSocket that are shown."""


def show_route(flow: http.HTTPFlow, route: Route) -> None:
    """Let a flow show the request that its provider gets instead of the agent's.

    The agent's request stays untouched in itself: mitmproxy still needs it to frame the answer.
    """
    note_request(flow, route)
    summarise(flow, route)
    original = flow.request
    call = route.call
    scheme, host, port, path = _place(call.rendered.url)
    headers = [(name.encode(), value.encode()) for name, value in shown_headers(call)]
    # Version and times stay. (To make one anew takes longer: the type of each field is checked.)
    shown = copy(original)
    shown.data = data = copy(original.data)
    data.host, data.port, data.scheme, data.path = host.decode(), port, scheme, path
    data.method, data.authority = call.rendered.method.encode(), b""
    data.headers, data.content = http.Headers(headers), call.rendered.body
    data.trailers = None
    flow.request = shown


def summarise(flow: http.HTTPFlow, route: Route) -> None:
    """Say beside a flow where it goes, and why."""
    note_route(flow, route)
    flow.comment = plain(route.comment)


MOST_OF_FILES = 8 << 20
"""Bytes that are shown of an answer that is no text: sound, a picture, a file."""
_TEXTS = ("text", "json", "xml")


def record(flow: http.HTTPFlow, exchange: Exchange, limit: int) -> Recorder:
    """Let a response pass as it comes, and show it in mitmweb meanwhile and afterwards."""
    assert flow.response is not None
    kind = access.header(flow.response, "content-type") or "text"
    if not any(word in kind for word in _TEXTS):
        limit = min(limit, MOST_OF_FILES)
    route = exchange.route
    view = access.view()

    def refresh(flow: http.HTTPFlow) -> None:
        if route is not None:
            note_progress(flow, route)
        if view is not None:
            view.update([flow])

    tape = route.call.outcome.tape if route is not None else None
    watched = refresh if view is not None else None
    recorder = Recorder(flow, limit, watched, tape, exchange.secrets)
    flow.response.stream = recorder
    return recorder


def show_end(flow: http.HTTPFlow, exchange: Exchange) -> None:
    """Let a flow show what came of it, and hide what must not stay in it; never raises."""
    try:
        if exchange.passes:
            hide_secrets(flow.request)
            if flow.response is not None:
                hide_secrets(flow.response)
        _show_end(flow, exchange)
    except Exception:
        logger.exception("what came of a call could not be shown")


def _show_end(flow: http.HTTPFlow, exchange: Exchange) -> None:
    if exchange.recorder is not None:
        exchange.recorder.end()
    if exchange.decided is not None and exchange.decided.why is not None:
        note_reasons(flow, exchange.decided.why)
    route = exchange.route
    if route is None:
        return
    if exchange.recorder is None and (tape := route.call.outcome.tape) is not None:
        got = Moments()
        if flow.response is not None:
            got.add(monotonic(), len(flow.response.raw_content or b""))
        keep_streams(flow, tape, got, exchange.secrets)
    show_outcome(flow, route)


def show_job(flow: http.HTTPFlow, exchange: Exchange, route: Route) -> None:
    """Let a flow show what came of a response that was made in the background."""
    if (tape := route.call.outcome.tape) is not None:
        keep_streams(flow, tape, Moments(), exchange.secrets)
    show_outcome(flow, route)
    view = access.view()
    if view is not None:
        view.update([flow])


def show_outcome(flow: http.HTTPFlow, route: Route) -> None:
    """Add what came of a call, and say it in the log."""
    outcome = route.call.outcome
    summary = note_outcome(flow, route)
    told = route.comment
    if outcome.attempts:
        told = flow.comment = plain(_comment(route, outcome.attempts))
    if outcome.error is not None:
        logger.warning("%s: %s", told, summary["error"])
    else:
        logger.info("%s: %s", told, outcome.status or "the agent left")
    if summary["losses"]:
        # One line: mitmproxy hands each to every addon, which costs more than to write it.
        lost = "; ".join(
            f"{loss['field']} {loss['action']} ({loss['reason']})" for loss in summary["losses"]
        )
        logger.info("%s: not kept: %s", told, lost)


def trim_messages(flow: http.HTTPFlow) -> None:
    """Let a WebSocket show its last messages only.

    Each response shows whole in a flow of its own, and mitmweb goes through all messages of a
    socket at each new one.
    """
    messages = flow.websocket.messages if flow.websocket is not None else []
    if len(messages) > MOST_MESSAGES:
        del messages[: MOST_MESSAGES // 4]


def _comment(route: Route, attempts: tuple[Attempt, ...]) -> str:
    """Say in one line who failed and who answered."""
    steps = [route.requested_model]
    for attempt in attempts:
        failed = f" ({attempt.error.kind})" if attempt.error is not None else ""
        steps.append(f"{attempt.provider}:{attempt.model}{failed}")
    return f"{' -> '.join(steps)} ({route.rule})"


@lru_cache(maxsize=256)
def _place(address: str) -> tuple[bytes, bytes, int, bytes]:
    """Split a provider's URL, of which there are few, into scheme, host, port and path."""
    return url.parse(address)
