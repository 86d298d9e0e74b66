"""Which headers cross from the agent to the provider, and back.

Almost none do. What an agent sends names its own account, key, SDK and machine; what a provider
sends describes the provider's account. Only what the other side acts on is let through.
"""

from __future__ import annotations

from collections.abc import Iterable

import addon
from addon.engine.call import Call
from addon.engine.ratelimits import translate_rate_limits
from addon.formats import FORMATS
from addon.formats.base import FormatName, Headers, header

USER_AGENT = f"detour/{addon.__version__}"

_TRACE = frozenset(("traceparent", "tracestate"))
"""W3C Trace Context: which trace the call belongs to; ids that mean nothing to others."""
_MEANING: dict[FormatName, frozenset[str]] = {
    "anthropic": frozenset(("anthropic-beta", "anthropic-version")),
}
FORWARDED_TO_PROVIDER: dict[FormatName, frozenset[str]] = {
    name: _TRACE | _MEANING.get(name, frozenset()) for name in FORMATS
}
"""What crosses, by the format that both sides must speak: the trace, and headers that change what a
request means."""

FORWARDED_TO_AGENT = frozenset(("retry-after", "retry-after-ms", "x-should-retry"))
REQUEST_ID_NAMES = ("x-request-id", "request-id")


def provider_headers(call: Call) -> Headers:
    """Return all headers of the request to the provider, the key's included."""
    forwarded: Headers = ()
    if call.agent_format == call.destination.format:
        allowed = FORWARDED_TO_PROVIDER[call.agent_format]
        forwarded = tuple((n.lower(), v) for n, v in call.agent_headers if n.lower() in allowed)
    return merge(
        (
            ("user-agent", USER_AGENT),
            ("accept", "text/event-stream" if call.stream else "application/json"),
            # A compressed stream would arrive in lumps.
            ("accept-encoding", "identity"),
        ),
        call.rendered.headers,
        forwarded,
        call.key_headers,
    )


def agent_headers(headers: Headers, source: FormatName, target: FormatName) -> Headers:
    """Return what an agent of format `target` may see of a `source` provider's headers."""
    crossing = [(n.lower(), v) for n, v in headers if n.lower() in FORWARDED_TO_AGENT]
    if identifier := request_id(headers):
        crossing.append(("request-id" if target == "anthropic" else "x-request-id", identifier))
    return (*crossing, *translate_rate_limits(headers, source, target))


def request_id(headers: Headers) -> str | None:
    """Return the provider's name for a call."""
    found = (header(headers, name) for name in REQUEST_ID_NAMES)
    return next((value for value in found if value), None)


def merge(*groups: Iterable[tuple[str, str]]) -> Headers:
    """Join headers; a later group's value replaces an earlier one's."""
    merged: dict[str, str] = {}
    for group in groups:
        merged.update({name.lower(): value for name, value in group})
    return tuple(merged.items())
