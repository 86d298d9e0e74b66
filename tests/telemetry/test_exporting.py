"""A collector that is away, and an end that does not wait for it."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from addon.ledger import Record
from addon.telemetry import (
    Attempted,
    Observation,
    open_telemetry,
    read_telemetry_settings,
    trace_of,
)
from tests.support.collector import values
from tests.support.proxy import AGENT_KEY, running_proxy
from tests.support.rules import write_rules

CHAT = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}
ROOT = Path(__file__).parents[2]


def start(target, prometheus="off"):
    telemetry = open_telemetry(read_telemetry_settings(target, prometheus, "false"))
    assert telemetry is not None
    return telemetry


def tell(telemetry, name="1"):
    began = time.time()
    attempt = Attempted(
        provider="anthropic",
        model="claude",
        base_url="https://api.anthropic.com",
        began=began,
        seconds=0.5,
    )
    observation = Observation(trace=trace_of(name, ()), began=began, attempts=(attempt,))
    record = Record(time="", id=name, endpoint="chat", provider="openai", duration_ms=500)
    telemetry.observe(record, observation)


def complaints(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


async def test_a_collector_that_is_away_is_told_of_once_and_costs_no_call(
    provider, caplog, monkeypatch
):
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "10")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    async with (
        running_proxy(
            write_rules(provider.base_url), detour_telemetry="http://127.0.0.1:1"
        ) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        body = {"model": "gpt-5.1", "messages": [{"role": "user", "content": "[[say hi]]"}]}
        for _ in range(5):
            began = time.monotonic()
            assert (await client.post(CHAT, json=body)).status_code == 200
            assert time.monotonic() - began < 1
            await asyncio.sleep(0.3)
        closing = time.monotonic()
    assert time.monotonic() - closing < 5
    (said,) = complaints(caplog)
    assert said.startswith("Telemetry cannot be sent to http://127.0.0.1:1, and is dropped until")


def test_a_collector_that_comes_back_is_told_of(collector, caplog, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    collector.status = 400
    telemetry = start(collector.url.replace("//", "//me:secret@"))
    tell(telemetry)
    wait_for(lambda: complaints(caplog))
    collector.status = 200
    tell(telemetry, "2")
    wait_for(lambda: len(complaints(caplog)) == 2)
    telemetry.close()
    assert complaints(caplog)[1] == f"Telemetry can be sent to {collector.url} again."
    assert "secret" not in caplog.text
    assert values(collector.spans[0])["detour.exchange.id"] == "2"


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_end_sends_what_is_left(collector):
    telemetry = start(collector.url)
    tell(telemetry)
    telemetry.close()
    assert len(collector.spans) == 2
    assert "gen_ai.client.operation.duration" in collector.metrics


def test_the_end_waits_no_longer_than_it_says(monkeypatch, caplog):
    monkeypatch.setattr("addon.telemetry.exporting.FAREWELL", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        telemetry = start(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        tell(telemetry)
        began = time.monotonic()
        telemetry.close()
        assert 0.2 < time.monotonic() - began < 2
    # The connection breaks off, and nobody tries it once more.
    wait_for(lambda: not any("Otel" in thread.name for thread in threading.enumerate()))
    assert not [said for said in complaints(caplog) if said.startswith("Telemetry")]


def test_the_standard_variables_say_where_and_how(collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=research")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "gateway")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=office")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    telemetry = start("otlp")
    tell(telemetry)
    telemetry.close()
    assert [path for path, _ in collector.requests] == ["/v1/traces"]
    assert collector.headers[0]["x-team"] == "research"
    assert collector.headers[0]["content-encoding"] == "gzip"
    assert collector.resource["service.name"] == "gateway"
    assert collector.resource["deployment.environment.name"] == "office"


def test_the_standard_sampler_is_heeded(collector, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    telemetry = start(collector.url)
    tell(telemetry)
    telemetry.close()
    assert collector.spans == []


@pytest.mark.parametrize("name", ["OTLP", "OTLP_TRACES"])
def test_variables_that_ask_for_grpc_are_not_what_can_be_done(collector, monkeypatch, name):
    monkeypatch.setenv(f"OTEL_EXPORTER_{name}_PROTOCOL", "grpc")
    with pytest.raises(ValueError, match=r"is grpc, and Detour speaks http/protobuf"):
        start("otlp")
    start(collector.url).close()  # which says where, and so for which protocol


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "addon.telemetry.exporting", None)
    with pytest.raises(ValueError, match=r"opentelemetry-sdk is not installed; run "):
        start("otlp")


def test_nothing_is_loaded_as_long_as_nobody_asks():
    program = "\n".join(
        (
            "import sys, asyncio",
            "from mitmproxy.test import taddons",
            "from addon.interceptor import Interceptor",
            "async def main():",
            "    interceptor = Interceptor()",
            "    with taddons.context(interceptor) as context:",
            "        context.configure(interceptor, detour_flow_limit='7')",
            "        assert not interceptor._books.traces",
            "asyncio.run(main())",
            "wrong = [name for name in sys.modules if name.split('.')[0] in "
            "('opentelemetry', 'prometheus_client', 'requests', 'google')]",
            "sys.exit(repr(wrong) if wrong else 0)",
        )
    )
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
