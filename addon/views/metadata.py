"""What a flow keeps of an exchange, in `flow.metadata`: the names, and how to read it.

It is saved with the flow, so it is made of what a flow file can hold, and read with caution: a file
may come from another version, or from somebody else. Short words of their own (`detour.provider`)
are for mitmproxy's filter `~meta`, which looks at every value as text; what is long says nothing
there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast, override

import msgspec
from mitmproxy import http
from mitmproxy.flow import Flow

from addon.neutral import Usage
from addon.wire.reading import number, text

AGENT = "detour.agent"
RULE = "detour.rule"
PROVIDER = "detour.provider"
MODEL = "detour.model"
REQUESTED_MODEL = "detour.requested_model"

SUMMARY = "detour.summary"
"""What was decided, and what came of it; see `Kept`."""
ORIGINAL = "detour.original"
"""The agent's request: method, url, headers, body."""
SENT = "detour.sent"
"""The request as it was sent last, where it is not the flow's own: other targets were tried."""
STREAMS = "detour.streams"
"""What the provider sent and what the agent got, as they came; see `streams`."""
SOCKET = "detour.socket"
"""In the flow of a response that was asked for on a WebSocket: the id of the socket's flow."""
REPLAY_OF = "detour.replay_of"
"""In a replay to another target: the id of the flow that was replayed."""
REPLAY_TARGET = "detour.replay_target"
"""In a replay to another target: which one, as rules write it."""
COMPARISON = "detour.comparison"
"""The last comparison with another answer, as text."""


FILTERED = (RULE, PROVIDER, MODEL, REQUESTED_MODEL)
"""What is kept of a decision for filters alone."""


class Quiet(dict[str, Any]):
    """What is kept at length; filters that look at it as text see nothing."""

    @override
    def __repr__(self) -> str:
        return "..."


class Message(msgspec.Struct, frozen=True):
    """A request."""

    method: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Attempt(msgspec.Struct, frozen=True):
    """One try at one target."""

    target: str
    seconds: float | None
    error: str


class LostField(msgspec.Struct, frozen=True):
    """What a translation could not keep."""

    field: str
    action: str
    reason: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an exchange; empty or None where nothing is."""

    action: str
    """`route`, `pass`, `refuse`, `answer`, `socket`; empty where Detour had nothing to do with it.
    """
    agent: str
    phase: str
    endpoint: str
    rule: str
    why: tuple[tuple[str, str], ...]
    """Earlier rules, and why they did not apply."""
    provider: str
    model: str
    requested_model: str
    agent_format: str
    format: str
    """What the provider speaks."""
    stream: bool
    losses: tuple[LostField, ...]
    attempts: tuple[Attempt, ...]
    usage: dict[str, int]
    cost_usd: float | None
    error: str
    request_id: str
    first_byte: float | None
    """Seconds from the request's arrival, as the two that follow."""
    first_token: float | None
    duration: float | None
    original: Message | None
    sent: Message | None
    socket: str
    replay_of: str

    @property
    def target(self) -> str:
        """Who answered, or was asked last, as rules write it."""
        return f"{self.provider}:{self.model}" if self.model else self.provider

    @property
    def known_usage(self) -> Usage | None:
        """The tokens that the engine has counted."""
        if not self.usage:
            return None
        counted = self.usage.get
        return Usage(
            counted("input_tokens"),
            counted("cache_read_tokens"),
            counted("cache_write_tokens"),
            counted("output_tokens"),
            counted("reasoning_tokens"),
        )


def read(flow: Flow | None) -> Kept:
    """Read what a flow keeps; whatever is there, nothing is raised."""
    found: dict[Any, Any] = flow.metadata if flow is not None else {}
    summary = mapping(found.get(SUMMARY))
    told = {name: text(summary.get(name)) for name in _TEXTS}
    seconds = mapping(summary.get("seconds"))
    return Kept(
        **told,
        agent=text(found.get(AGENT)),
        why=_pairs(summary.get("why")),
        stream=summary.get("stream") is True,
        losses=_structs(summary.get("losses"), _loss),
        attempts=_structs(summary.get("attempts"), _attempt),
        usage={
            name: count
            for name, count in mapping(summary.get("usage")).items()
            if type(name) is str and type(count) is int
        },
        cost_usd=number(summary.get("cost_usd")),
        first_byte=number(seconds.get("first_byte")),
        first_token=number(seconds.get("first_token")),
        duration=number(seconds.get("duration")),
        original=_message(found.get(ORIGINAL)),
        sent=_message(found.get(SENT)),
        socket=text(found.get(SOCKET)),
        replay_of=text(found.get(REPLAY_OF)),
    )


def quieten(flow: Flow) -> None:
    """Let filters see nothing of what is kept at length, also in a flow that comes from a file."""
    for name in (SUMMARY, ORIGINAL, SENT, STREAMS):
        if type(kept := flow.metadata.get(name)) is dict:
            flow.metadata[name] = Quiet(cast("dict[str, Any]", kept))


def request_of(flow: http.HTTPFlow) -> Message:
    """Return the request that a flow shows."""
    request = flow.request
    return Message(
        request.method,
        request.pretty_url,
        tuple((_words(name), _words(value)) for name, value in request.headers.fields),
        content_of(request),
    )


def content_of(message: http.Message | None) -> bytes:
    """Return a body, unpacked where that is possible; empty where there is none."""
    if message is None:
        return b""
    return message.get_content(strict=False) or b""


def mapping(value: object) -> dict[Any, Any]:
    """Return a dictionary as it is, anything else as an empty one."""
    return cast("dict[Any, Any]", value) if isinstance(value, dict) else {}


def elements(value: object) -> list[Any]:
    """Return a list as it is, also where it is a tuple, anything else as an empty one."""
    return [*cast("Iterable[Any]", value)] if isinstance(value, list | tuple) else []


_TEXTS = (
    "action",
    "phase",
    "endpoint",
    "rule",
    "provider",
    "model",
    "requested_model",
    "agent_format",
    "format",
    "error",
    "request_id",
)


def _structs[Kind](value: object, make: Callable[[dict[Any, Any]], Kind]) -> tuple[Kind, ...]:
    return tuple(make(mapping(entry)) for entry in elements(value))


def _loss(entry: dict[Any, Any]) -> LostField:
    return LostField(*(text(entry.get(name)) for name in ("field", "action", "reason")))


def _attempt(entry: dict[Any, Any]) -> Attempt:
    target = f"{text(entry.get('provider'))}:{text(entry.get('model'))}"
    return Attempt(target, number(entry.get("seconds")), text(entry.get("error")))


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    found = (elements(pair) for pair in elements(value))
    return tuple((_words(pair[0]), _words(pair[1])) for pair in found if len(pair) == 2)


def _message(value: object) -> Message | None:
    kept = mapping(value)
    if not kept:
        return None
    body = kept.get("body")
    return Message(
        text(kept.get("method")),
        text(kept.get("url")),
        _pairs(kept.get("headers")),
        body if isinstance(body, bytes) else b"",
    )


def _words(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return text(value)
