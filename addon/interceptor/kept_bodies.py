"""What is kept of what was said in an exchange, where the rules ask for it; never a key."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mitmproxy import http

from addon.engine import Tape
from addon.interceptor.exchanges import Exchange

KEY = re.compile(rb"\b(?:sk|key|gsk|xai|AIza|Bearer )[-_]?[\w*.-]{12,}")
"""What looks like a key, whoever's it is."""
LEAST = 6
"""Characters that a secret has at least; anything shorter would be found everywhere."""


def parts_of(flow: http.HTTPFlow, exchange: Exchange) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Gather the bodies of an exchange that has ended, and the keys that must not be in them.

    `request` is what the agent sent and `answer` what it got; `sent` is what went to the provider
    where that is something else, and `received` what came from there.
    """
    answer = flow.response.get_content(strict=False) if flow.response is not None else None
    route = exchange.route or exchange.job
    if route is None:
        return {"request": flow.request.content or b"", "answer": answer or b""}, exchange.secrets
    routes = [route, *route.successors]
    sent = routes[-1].call.rendered.body
    tape = route.call.outcome.tape
    received = _joined(tape) if tape is not None else b""
    parts = {
        "request": route.original_body,
        "sent": b"" if sent == route.original_body else sent,
        "received": b"" if received == answer else received,
        "answer": answer or b"",
    }
    keys = (value for each in routes for _, value in each.call.key_headers)
    return parts, (*exchange.secrets, *keys)


def without_keys(body: bytes, secrets: Iterable[str]) -> bytes:
    """Take out the keys that were used, and all that looks like one."""
    for secret in secrets:
        for word in secret.split():
            if len(word) >= LEAST:
                body = body.replace(word.encode("utf-8", "surrogateescape"), b"(key)")
    return KEY.sub(b"(key)", body)


def _joined(tape: Tape) -> bytes:
    first = b"".join(data for _, data in tape.first)
    last = b"".join(data for _, data in tape.last)
    gap = b"\n(%d bytes left out)\n" % tape.left_out if tape.left_out else b""
    return first + gap + last
