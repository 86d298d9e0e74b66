"""The addon of bare mitmproxy: sends every request to the provider of the benchmark, streaming."""

import os

from mitmproxy import http

PORT = int(os.environ["BENCHMARK_PROVIDER_PORT"])


def request(flow: http.HTTPFlow) -> None:
    """Change nothing but the destination."""
    flow.request.host, flow.request.port = "127.0.0.1", PORT


def responseheaders(flow: http.HTTPFlow) -> None:
    """Pass the answer on as it comes."""
    if flow.response:
        flow.response.stream = True
