"""Sends spans and metrics by OTLP over HTTP, and lets Prometheus fetch the metrics.

Loads OpenTelemetry. Its batch processors send from threads of their own; `OTEL_...` variables
configure them as everywhere (endpoint, headers, timeouts, sampler, resource, batch sizes).
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, override
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from prometheus_client import CollectorRegistry, start_http_server

import addon
from addon.ledger import Record
from addon.telemetry.metrics import Metrics
from addon.telemetry.observation import Observation
from addon.telemetry.settings import TelemetrySettings
from addon.telemetry.spans import GivenIds, Spans

logger = logging.getLogger(__name__)

FAREWELL = 3.0
"""Seconds that the end of the program waits for what is left to be sent."""
_NONE = "none"
"""As a value of `OTEL_TRACES_EXPORTER` or `OTEL_METRICS_EXPORTER`."""
_PROTOCOL = "http/protobuf"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
_CHATTY = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.common.http",
)
"""Loggers that complain of every batch that cannot be sent, and of every retry."""
_QUEUE = "opentelemetry.sdk._shared_internal"
"""The logger that complains of what has found no place in the queue."""


class Exporting:
    """Telemetry that goes somewhere."""

    def __init__(self, settings: TelemetrySettings) -> None:
        """Start the exporters.

        Raises:
            ValueError: The port for Prometheus is taken, or the variables ask for gRPC.
        """
        if settings.sends and settings.endpoint is None:
            _check_protocol()
        self._health = _Health()
        self._content = settings.content
        resource = _resource()
        self._server = _Scraped(settings.prometheus) if settings.prometheus is not None else None
        self._spans: Spans | None = None
        self._tracers: TracerProvider | None = None
        self._exporters: list[_SpanExporter | _MetricExporter] = []
        if settings.sends and os.environ.get("OTEL_TRACES_EXPORTER") != _NONE:
            ids = GivenIds()
            exporter = _SpanExporter(self._health, _place(settings, "traces"))
            self._tracers = TracerProvider(
                resource=resource, id_generator=ids, shutdown_on_exit=False
            )
            self._tracers.add_span_processor(BatchSpanProcessor(exporter))
            self._exporters.append(exporter)
            self._spans = Spans(self._tracers, ids)
        readers: list[MetricReader] = [self._server.reader] if self._server is not None else []
        if settings.sends and os.environ.get("OTEL_METRICS_EXPORTER") != _NONE:
            sender = _MetricExporter(self._health, _place(settings, "metrics"))
            readers.append(PeriodicExportingMetricReader(sender))
            self._exporters.append(sender)
        self._meters = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self._metrics = Metrics(self._meters)

    @property
    def prometheus_port(self) -> int | None:
        """Where Prometheus finds the metrics."""
        return self._server.port if self._server is not None else None

    def observe(self, record: Record, observation: Observation) -> None:
        """Tell of an exchange that has ended."""
        try:
            if self._spans is not None:
                if not self._content:
                    observation.content = None
                self._spans.make(record, observation)
            self._metrics.measure(record, observation)
        except Exception:
            logger.exception("an exchange could not be told of")

    def let_go(self) -> None:
        """Leave Prometheus' port to somebody else."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def close(self) -> None:
        """Send what is left, within a deadline."""
        self.let_go()
        deadline = time.monotonic() + FAREWELL
        ending: list[Callable[[], None]] = [self._meters.shutdown]
        if self._tracers is not None:
            ending.append(self._tracers.shutdown)
        # They may take half a minute with a collector that does not answer.
        threads = [threading.Thread(target=_end, args=(end,), daemon=True) for end in ending]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._health.close()
        if any(thread.is_alive() for thread in threads):
            for exporter in self._exporters:
                exporter.shutdown()  # pyright: ignore[reportUnknownMemberType] - its **kwargs; ends attempts


class _Quiet(logging.Filter):
    """Keeps the exporters' own words for when they are needed."""

    def __init__(self) -> None:
        super().__init__()
        self.reason = ""
        self._told_full = False
        for name in (*_CHATTY, _QUEUE):
            logging.getLogger(name).addFilter(self)

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Let pass that the queue is full, once."""
        if record.name == _QUEUE:
            told, self._told_full = self._told_full, True
            return not told
        self.reason = record.getMessage()
        return False


_QUIET = _Quiet()


class _Health:
    """Says once that a collector cannot be reached, and once that it can be again."""

    def __init__(self) -> None:
        self._failing = False
        self._closed = False
        self._lock = threading.Lock()

    def note(self, place: str, *, sent: bool) -> None:
        """A batch was sent, or could not be."""
        with self._lock:
            if sent != self._failing or self._closed:
                return
            self._failing = not sent
        if sent:
            logger.warning("Telemetry can be sent to %s again.", place)
        else:
            logger.warning(
                "Telemetry cannot be sent to %s, and is dropped until it can be: %s",
                place,
                _QUIET.reason,
            )

    def close(self) -> None:
        """Say nothing any more."""
        self._closed = True


class _SpanExporter(OTLPSpanExporter):
    def __init__(self, health: _Health, endpoint: str | None) -> None:
        super().__init__(endpoint=endpoint)
        self._health = health

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        self._health.note(_shown(self._endpoint), sent=result is SpanExportResult.SUCCESS)
        return result


class _MetricExporter(OTLPMetricExporter):
    def __init__(self, health: _Health, endpoint: str | None) -> None:
        super().__init__(endpoint=endpoint)
        self._health = health

    @override
    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis)  # pyright: ignore[reportUnknownMemberType] - its **kwargs
        self._health.note(_shown(self._endpoint), sent=result is MetricExportResult.SUCCESS)
        return result


class _Scraped:
    """The page that Prometheus fetches."""

    def __init__(self, address: tuple[str, int]) -> None:
        host, port = address
        registry = CollectorRegistry()
        try:
            self._server, _ = start_http_server(port, host, registry)
        except OSError as error:
            raise ValueError(
                f"detour_prometheus: {host}:{port} cannot be listened on ({error.strerror}); name "
                "another port"
            ) from None
        self.reader = PrometheusMetricReader(registry=registry)
        self.port: int = self._server.server_port
        logger.info("Prometheus finds the metrics at http://%s:%d/metrics", host, self.port)

    def close(self) -> None:
        """Let go of the port."""
        self._server.shutdown()
        self._server.server_close()


def _check_protocol() -> None:
    for name in _PROTOCOLS:
        if (value := os.environ.get(name, _PROTOCOL)) != _PROTOCOL:
            raise ValueError(
                f"detour_telemetry: {name} is {value}, and Detour speaks {_PROTOCOL}; name the "
                "collector's address for that, mostly http://127.0.0.1:4318, in place of otlp"
            )


def _resource() -> Resource:
    """Say who speaks, unless the environment says it."""
    own = {
        "service.name": "detour",
        "service.version": addon.__version__,
        "service.instance.id": str(uuid.uuid4()),
    }
    return Resource.create({**own, **OTELResourceDetector().detect().attributes})


def _place(settings: TelemetrySettings, signal: str) -> str | None:
    return None if settings.endpoint is None else f"{settings.endpoint}/v1/{signal}"


def _shown(address: str) -> str:
    """Return an address without a password."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _end(shutdown: Callable[[], None]) -> None:
    try:
        shutdown()
    except Exception as error:
        logger.debug("telemetry did not end in good order: %s", error)
