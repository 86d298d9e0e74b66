"""W3C Trace Context: which trace an exchange belongs to.

The ids of an exchange follow from its own id, so that a provider can be told of a span that is
made only when the exchange has ended. See https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from addon.formats.base import Headers, header

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
_FORMAT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST_STATE = 512
"""Characters; what is longer may be dropped."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The place of an exchange in a trace."""

    trace_id: int
    span_id: int
    """Of the exchange."""
    parent_id: int | None = None
    """The agent's span; None: the trace begins here."""
    flags: int = 1
    state: str = ""
    """Other systems' notes, `tracestate`; only of an agent that says where it is."""


def trace_of(identity: str, headers: Headers) -> Trace:
    """Find the trace of an exchange.

    Args:
        identity: What is the exchange's own, and never another's.
        headers: Of the agent's request; a `traceparent` that cannot be read counts as none.
    """
    span_id = _number(identity, "span", 8)
    parent = _FORMAT.fullmatch((header(headers, TRACEPARENT) or "").strip())
    if parent is None or (parent[1] == "00" and parent[5]):
        return Trace(trace_id=_number(identity, "trace", 16), span_id=span_id)
    trace_id, parent_id, flags = (int(parent[group], 16) for group in (2, 3, 4))
    if not trace_id or not parent_id:
        return Trace(trace_id=_number(identity, "trace", 16), span_id=span_id)
    state = header(headers, TRACESTATE) or ""
    return Trace(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        flags=flags,
        state=state if len(state) <= _LONGEST_STATE else "",
    )


def outgoing_headers(trace: Trace, headers: Headers) -> Headers:
    """Put the exchange in the place of the agent's span, for whom the call goes on to.

    Headers of an agent that takes part in no trace stay as they are: its provider is told nothing
    that the agent would not have told it.
    """
    if trace.parent_id is None:
        return headers
    value = f"00-{trace.trace_id:032x}-{trace.span_id:016x}-{trace.flags & 1:02x}"
    return tuple((n, value if n.lower() == TRACEPARENT else v) for n, v in headers)


def _number(identity: str, use: str, size: int) -> int:
    digest = hashlib.blake2b(identity.encode(), digest_size=size, person=use.encode()).digest()
    return int.from_bytes(digest) or 1  # zero means that there is none
