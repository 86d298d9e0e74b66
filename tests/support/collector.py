"""A collector of OpenTelemetry's in the test's own process: OTLP over HTTP, decoded."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What has come."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.requests: list[tuple[str, Any]] = []
        self.status = 200
        self.url = ""

    @property
    def spans(self) -> list[Any]:
        """All spans, by when they began, and those of exchanges before their calls."""
        found = [
            span
            for path, request in self.requests
            if path == "/v1/traces"
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
        return sorted(found, key=lambda span: (span.start_time_unix_nano, span.kind))

    @property
    def metrics(self) -> dict[str, Any]:
        """The last of each metric, by its name."""
        return {
            metric.name: metric
            for path, request in self.requests
            if path == "/v1/metrics"
            for group in request.resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
        }

    @property
    def resource(self) -> dict[str, Any]:
        """Who speaks."""
        _, request = self.requests[0]
        groups = getattr(request, "resource_spans", None) or request.resource_metrics
        return values(groups[0].resource)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        of_spans = path == "/v1/traces"
        request = ExportTraceServiceRequest() if of_spans else ExportMetricsServiceRequest()
        request.ParseFromString(body)
        self.headers.append(headers)
        self.bodies.append(body)
        self.requests.append((path, request))


def values(holder: Any) -> dict[str, Any]:
    """Return the attributes of a span, a point or a resource."""
    return {pair.key: value(pair.value) for pair in holder.attributes}


def value(wrapped: Any) -> Any:
    kind = wrapped.WhichOneof("value")
    if kind == "array_value":
        return [value(item) for item in wrapped.array_value.values]
    return getattr(wrapped, kind)


@contextlib.contextmanager
def running_collector(port: int = 0) -> Iterator[Collector]:
    """Run a collector at a port of this machine; 0 picks a free one."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if collector.status == 200:
                headers = {name.lower(): text for name, text in self.headers.items()}
                collector.take(self.path, headers, body)
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
