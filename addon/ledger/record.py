"""What is recorded of an exchange: never a key, never a body."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


class Record(msgspec.Struct, kw_only=True):
    """One exchange, from the agent's request to the end of the answer; None where unknown.

    Its fields are the columns of the table `exchanges`, in their order, and the fields of a JSON
    line.
    """

    time: str
    """When the request came, ISO 8601 in UTC."""
    id: str
    """The flow's id in mitmproxy."""
    agent: str | None = None
    endpoint: str
    """`chat`, `responses`, ...; method and path for what no format covers."""
    provider: str | None = None
    """Whom the agent called."""
    actual_provider: str | None = None
    """Who answered, or was asked last."""
    requested_model: str | None = None
    model: str | None = None
    """The provider's name of the model that answered."""
    rule: str | None = None
    source_format: str | None = None
    """The format that the agent speaks."""
    target_format: str | None = None
    """The format that the provider speaks."""
    stream: bool = False
    status: int | None = None
    """HTTP status that the agent got; None where it left before."""
    error: str | None = None
    """Kind and message."""
    attempts: list[dict[str, Any]] = []
    """What was tried, the last one last: provider, model, seconds, and error where it failed."""
    first_byte_ms: float | None = None
    """Until the provider's answer began, as all times from when the request came."""
    first_token_ms: float | None = None
    """Until the first piece of the answer itself went to the agent."""
    duration_ms: float | None = None
    input_tokens: int | None = None
    """All that was read, what came from the cache and what was written to it included."""
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    """All that was written, thoughts included."""
    reasoning_tokens: int | None = None
    cost_usd: float | None = None
    """What the provider charges, by its price list; None where that is unknown."""
    losses: list[dict[str, str]] = []
    """What a translation could not keep: field, reason and action."""

    def row(self) -> tuple[object, ...]:
        """Return the values of the columns."""
        return tuple(
            msgspec.json.encode(value).decode() if isinstance(value, list) else value
            for value in msgspec.structs.astuple(self)
        )


COLUMNS = Record.__struct_fields__

read_record = msgspec.json.Decoder(Record).decode
"""Reads what was written as JSON; raises `msgspec.DecodeError`."""


def timestamp(seconds: float) -> str:
    """Write seconds since 1970 so that text sorts by time: `2026-05-01T12:00:00.000Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
