"""The attributes that spans and metrics have in common: who was asked for, and who was called."""

from __future__ import annotations

from addon.ledger import Record
from addon.telemetry import conventions
from addon.telemetry.observation import Attempted

type Values = dict[str, str | bool | int | float | list[str]]


def error_kind(record: Record) -> str | None:
    """Return the kind of a record's error, of which there are few."""
    return None if record.error is None else record.error.partition(":")[0]


def requested_values(record: Record) -> Values:
    """Say who asked for what, and which rule applied."""
    values = {
        conventions.AGENT: record.agent,
        conventions.RULE: record.rule,
        conventions.REQUESTED_PROVIDER: record.provider,
        conventions.REQUESTED_MODEL: record.requested_model,
    }
    return {name: value for name, value in values.items() if value is not None}


def attempt_values(record: Record, attempt: Attempted) -> Values:
    """Say who was called."""
    return {
        conventions.OPERATION: conventions.operation_name(record.endpoint, attempt.format),
        conventions.PROVIDER: conventions.provider_name(attempt.provider, attempt.base_url),
        **({conventions.REQUEST_MODEL: attempt.model} if attempt.model else {}),
        **conventions.server(attempt.base_url),
        **requested_values(record),
    }
