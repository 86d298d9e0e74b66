"""What is told of an exchange that has ended."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from addon.formats.base import FormatName, RequestLine
from addon.neutral import FinishReason
from addon.telemetry.trace_context import Trace


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    """One call to a provider."""

    provider: str
    model: str
    format: FormatName | None = None
    base_url: str
    began: float
    """Seconds since 1970."""
    seconds: float
    error: str | None = None
    """The kind of error after which another one was made; what became of the last one, the record
    says."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, for those who have asked for it."""

    format: FormatName
    """The agent's."""
    line: RequestLine
    request: bytes
    answer: Callable[[], bytes]
    """Returns the agent's answer, unpacked."""
    secrets: tuple[str, ...] = ()
    """Keys, which are taken out."""


class Observation(msgspec.Struct, kw_only=True):
    """One exchange, beside what its record says."""

    trace: Trace
    began: float
    """Seconds since 1970, when the request came."""
    attempts: tuple[Attempted, ...] = ()
    """Every call that was made, the last one last."""
    asked: Callable[[], bytes] = bytes
    """Returns the body of the agent's request, where that is a format's own."""
    sent: Callable[[], bytes] = bytes
    """Returns the body of the last one's request."""
    first_chunk: float | None = None
    """Seconds from the beginning of the last attempt until the first piece of a streamed answer."""
    response_id: str | None = None
    finish_reason: FinishReason | None = None
    content: Content | None = None
