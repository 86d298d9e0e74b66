"""The spans of an exchange: one of its own, and below it one for each call to a provider.

The exchange is the agent's call as Detour serves it (kind `SERVER`): which provider and model were
asked for, by which rule it went where, what it cost. Each attempt is a call of a model as the
conventions describe it (kind `CLIENT`): the provider and model that were really called, with the
tokens of the one that answered, so that nothing is counted twice.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
)

import addon
from addon.ledger import Record
from addon.telemetry import conventions
from addon.telemetry.content import read_content
from addon.telemetry.measured import Values, attempt_values, error_kind, requested_values
from addon.telemetry.observation import Attempted, Observation
from addon.telemetry.parameters import read_conversation, read_parameters
from addon.telemetry.trace_context import Trace

SCOPE = "detour"


class GivenIds(RandomIdGenerator):
    """Gives the next span the ids that are known already."""

    def __init__(self) -> None:
        self.trace_id: int | None = None
        self.span_id: int | None = None

    def generate_span_id(self) -> int:
        """Return the id that was given, once; then any."""
        given, self.span_id = self.span_id, None
        return given or super().generate_span_id()

    def generate_trace_id(self) -> int:
        """Return the id that was given, once; then any."""
        given, self.trace_id = self.trace_id, None
        return given or super().generate_trace_id()


class Spans:
    """Makes spans, by one thread."""

    def __init__(self, provider: TracerProvider, ids: GivenIds) -> None:
        """Make spans of a provider whose generator of ids is `ids`."""
        self._tracer: Tracer = provider.get_tracer(SCOPE, addon.__version__)
        self._ids = ids

    def make(self, record: Record, observation: Observation) -> None:
        """Make the spans of an exchange that has ended."""
        requested = requested_values(record)
        operation = conventions.operation_name(record.endpoint, record.source_format)
        self._ids.trace_id = observation.trace.trace_id
        self._ids.span_id = observation.trace.span_id
        exchange = self._tracer.start_span(
            " ".join(filter(None, (operation, record.requested_model))),
            context=_parent(observation.trace),
            kind=SpanKind.SERVER,
            attributes=_exchange_values(record, observation, operation) | requested,
            start_time=_nanoseconds(observation.began),
        )
        try:
            for attempt in observation.attempts:
                values = attempt_values(record, attempt)
                error = attempt.error
                if attempt is observation.attempts[-1]:
                    values |= _answer_values(record, observation)
                    error = error_kind(record)
                self._attempt(exchange, attempt, values, error)
        finally:
            _end(exchange, error_kind(record), observation.began + (record.duration_ms or 0) / 1000)

    def _attempt(
        self, exchange: Span, attempt: Attempted, values: Values, error: str | None
    ) -> None:
        operation = values[conventions.OPERATION]
        span = self._tracer.start_span(
            " ".join(filter(None, (str(operation), attempt.model))),
            context=set_span_in_context(exchange),
            kind=SpanKind.CLIENT,
            attributes=values,
            start_time=_nanoseconds(attempt.began),
        )
        _end(span, error, attempt.began + attempt.seconds)


def _parent(trace: Trace) -> Context | None:
    if trace.parent_id is None:
        return None
    parent = SpanContext(
        trace.trace_id,
        trace.parent_id,
        is_remote=True,
        trace_flags=TraceFlags(trace.flags),
        trace_state=TraceState.from_header([trace.state] if trace.state else []),
    )
    return set_span_in_context(NonRecordingSpan(parent))


def _end(span: Span, error: str | None, moment: float) -> None:
    if error is not None:
        # The message stays here: providers quote what they were sent.
        span.set_attribute(conventions.ERROR_TYPE, error)
        span.set_status(Status(StatusCode.ERROR))
    span.end(_nanoseconds(moment))


def _exchange_values(record: Record, observation: Observation, operation: str) -> Values:
    values: dict[str, str | int | float | list[str] | None] = {
        conventions.OPERATION: operation,
        conventions.PROVIDER: conventions.provider_name(record.provider or "") or None,
        conventions.REQUEST_MODEL: record.requested_model,
        conventions.RESPONSE_MODEL: record.model,
        conventions.STREAM: record.stream or None,
        conventions.CONVERSATION: read_conversation(observation.asked()),
        conventions.STATUS_CODE: record.status,
        conventions.EXCHANGE: record.id,
        conventions.ACTUAL_PROVIDER: record.actual_provider,
        conventions.ACTUAL_MODEL: record.model,
        conventions.COST: record.cost_usd,
        conventions.LOSSES: [f"{loss['field']} {loss['action']}" for loss in record.losses] or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _answer_values(record: Record, observation: Observation) -> Values:
    """Say what is known of the call that was made last."""
    reason = observation.finish_reason
    values = {
        conventions.STREAM: record.stream or None,
        conventions.RESPONSE_MODEL: record.model,
        conventions.RESPONSE_ID: observation.response_id,
        conventions.FINISH_REASONS: None if reason is None else [conventions.finish_reason(reason)],
        conventions.FIRST_CHUNK: observation.first_chunk,
        conventions.INPUT_TOKENS: record.input_tokens,
        conventions.OUTPUT_TOKENS: record.output_tokens,
        conventions.CACHE_READ_TOKENS: record.cache_read_tokens,
        conventions.CACHE_WRITE_TOKENS: record.cache_write_tokens,
        conventions.REASONING_TOKENS: record.reasoning_tokens,
        **read_parameters(observation.sent()),
        **(read_content(observation.content) if observation.content is not None else {}),
    }
    return {name: value for name, value in values.items() if value is not None}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
