"""The metrics of calls through a whole proxy: sent to a collector, and fetched by Prometheus."""

import asyncio
import re
import socket
import urllib.request

import pytest
from mitmproxy import exceptions
from mitmproxy.test import taddons

from addon.interceptor import Interceptor
from addon.telemetry import conventions
from tests.support.collector import values
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy
from tests.support.rules import write_rules

CHAT = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}


def question(text="[[say A zebra.]]", **more):
    return {"model": "gpt-5.1", "messages": [{"role": "user", "content": text}], **more}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


async def fetch_calls(port, count):
    """Fetch the page that tells of so many calls: the last is told of a moment after its end."""
    for _ in range(250):
        page = fetch(port)
        told = samples(page, "gen_ai_client_operation_duration_seconds_count")
        if sum(number for _, number in told) == count:
            return page
        await asyncio.sleep(0.02)
    raise TimeoutError(page)


def samples(page, name):
    """Return labels and value of each sample of a name."""
    found = re.findall(rf"^{name}{{(.*)}} (\S+)$", page, re.M)
    return [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)) for labels, value in found]


async def test_a_collector_gets_tokens_durations_and_cost(provider, collector):
    rules = write_rules(
        provider.base_url,
        use=["zai:glm-5.3", "anthropic:claude-sonnet-5-5"],
        providers={"zai": {"base_url": "http://127.0.0.1:1/v1", "api_key": PROVIDER_KEY}},
    )
    async with (
        running_proxy(rules, detour_telemetry=collector.url) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        await client.post(CHAT, json=question(stream=True))
    metrics = collector.metrics
    points = metrics["gen_ai.client.token.usage"].histogram.data_points
    by_type = {values(point)["gen_ai.token.type"]: point for point in points}
    assert sorted(by_type) == ["input", "output"]
    assert list(by_type["input"].explicit_bounds) == list(conventions.TOKENS)
    assert (by_type["output"].count, by_type["output"].sum > 0) == (1, True)
    answered = values(by_type["output"])
    assert answered["gen_ai.provider.name"] == "anthropic"
    assert answered["gen_ai.request.model"] == "claude-sonnet-5-5"
    assert answered["gen_ai.response.model"] == "claude-sonnet-5-5"
    assert answered["detour.requested.model"] == "gpt-5.1"
    assert answered["detour.requested.provider"] == "openai"
    durations = metrics["gen_ai.client.operation.duration"]
    assert durations.unit == "s"
    ended = {values(p)["gen_ai.provider.name"]: values(p) for p in durations.histogram.data_points}
    assert ended["zai"]["error.type"] == "unreachable"
    assert "error.type" not in ended["anthropic"]
    (first,) = metrics["gen_ai.client.operation.time_to_first_chunk"].histogram.data_points
    assert 0 < first.sum < 10
    (whole,) = metrics["detour.exchange.duration"].histogram.data_points
    assert values(whole)["http.response.status_code"] == 200
    (cost,) = metrics["detour.cost_usd"].sum.data_points
    assert cost.as_double > 0


async def test_prometheus_fetches_them(provider):
    port = free_port()
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_prometheus=str(port)) as proxy,
        proxy.client("coder@", headers=KEY) as client,
    ):
        for _ in range(3):
            await client.post(CHAT, json=question())
        page = await fetch_calls(port, 3)
    ((labels, count),) = samples(page, "gen_ai_client_operation_duration_seconds_count")
    assert count == 3
    assert labels["gen_ai_provider_name"] == "anthropic"
    assert labels["gen_ai_request_model"] == "claude-sonnet-5-5"
    assert labels["detour_requested_model"] == "gpt-5.1"
    assert labels["detour_agent"] == "coder"
    tokens = samples(page, "gen_ai_client_token_usage_sum")
    assert {labels["gen_ai_token_type"]: total > 0 for labels, total in tokens} == {
        "input": True,
        "output": True,
    }
    ((_, dollars),) = samples(page, "detour_cost_usd_total")
    assert dollars > 0
    assert samples(page, "gen_ai_client_operation_time_to_first_chunk_seconds_count") == []
    for word in ("zebra", AGENT_KEY, PROVIDER_KEY):
        assert word not in page
    with pytest.raises(OSError, match="refused"):
        fetch(port)  # the port is free again


async def test_a_port_that_is_taken_keeps_mitmproxy_from_starting():
    interceptor = Interceptor()
    with socket.socket() as taken, taddons.context(interceptor) as context:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(exceptions.OptionsError, match=f"127.0.0.1:{port} cannot be listened"):
            context.configure(interceptor, detour_prometheus=port)


async def test_options_can_change_while_it_runs(provider, collector):
    port = free_port()
    rules = write_rules(provider.base_url)
    async with (
        running_proxy(rules, detour_prometheus=str(port), expected_errors=True) as proxy,
        proxy.client(headers=KEY) as client,
    ):
        options = proxy.master.options
        options.update(detour_telemetry=collector.url)
        await client.post(CHAT, json=question())
        await fetch_calls(port, 1)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(exceptions.OptionsError):
                options.update(detour_prometheus=str(taken.getsockname()[1]))
        assert options.detour_prometheus == str(port)
        await client.post(CHAT, json=question())
        await fetch_calls(port, 1)
        options.update(detour_telemetry="off", detour_prometheus="off")
        assert not proxy.interceptor._books.traces
        with pytest.raises(OSError, match="refused"):
            fetch(port)
    assert [span.name for span in collector.spans][:2] == ["chat gpt-5.1", "chat claude-sonnet-5-5"]
