"""The metrics of exchanges: the conventions' own of each call to a provider, and Detour's."""

from __future__ import annotations

from opentelemetry.metrics import MeterProvider

import addon
from addon.ledger import Record
from addon.telemetry import conventions
from addon.telemetry.measured import attempt_values, error_kind, requested_values
from addon.telemetry.observation import Observation
from addon.telemetry.spans import SCOPE


class Metrics:
    """Measures exchanges."""

    def __init__(self, provider: MeterProvider) -> None:
        meter = provider.get_meter(SCOPE, addon.__version__)
        self._duration = meter.create_histogram(
            conventions.DURATION_METRIC,
            unit="s",
            description="Duration of calls to providers.",
            explicit_bucket_boundaries_advisory=conventions.SECONDS,
        )
        self._tokens = meter.create_histogram(
            conventions.TOKENS_METRIC,
            unit="{token}",
            description="Tokens that calls to providers have used.",
            explicit_bucket_boundaries_advisory=conventions.TOKENS,
        )
        self._first_chunk = meter.create_histogram(
            conventions.FIRST_CHUNK_METRIC,
            unit="s",
            description="Time until the first piece of a streamed answer.",
            explicit_bucket_boundaries_advisory=conventions.FIRST_CHUNK_SECONDS,
        )
        self._exchange = meter.create_histogram(
            conventions.EXCHANGE_METRIC,
            unit="s",
            description="Duration of agents' calls, with all attempts.",
            explicit_bucket_boundaries_advisory=conventions.SECONDS,
        )
        self._cost = meter.create_counter(
            conventions.COST_METRIC,
            description="What providers charge, by their price lists, where they are known.",
        )

    def measure(self, record: Record, observation: Observation) -> None:
        """Measure an exchange that has ended."""
        asked = requested_values(record)
        error = error_kind(record)
        ended = {} if error is None else {conventions.ERROR_TYPE: error}
        status = {} if record.status is None else {conventions.STATUS_CODE: record.status}
        self._exchange.record((record.duration_ms or 0) / 1000, asked | status | ended)
        for attempt in observation.attempts:
            values = attempt_values(record, attempt)
            last = attempt is observation.attempts[-1]
            if last and record.model:
                values[conventions.RESPONSE_MODEL] = record.model
            if not last:
                failed = {conventions.ERROR_TYPE: attempt.error or "_OTHER"}
                self._duration.record(attempt.seconds, values | failed)
                continue
            self._duration.record(attempt.seconds, values | ended)
            for kind, count in (("input", record.input_tokens), ("output", record.output_tokens)):
                if count is not None:
                    self._tokens.record(count, {**values, conventions.TOKEN_TYPE: kind})
            if observation.first_chunk is not None:
                self._first_chunk.record(observation.first_chunk, values)
            if record.cost_usd is not None:
                self._cost.add(record.cost_usd, values)
