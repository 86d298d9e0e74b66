"""Requests that are too large to be held: they flow, or are refused; memory stays small."""

import asyncio
import json
from pathlib import Path

import pytest

from addon.embedded import EmbeddedProvider
from addon.interceptor import addon
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context
from tests.support.uploads import MEBIBYTE, Counter, forget_peak, peak, pieces, send

KEYS = {"OFFICE_KEY": PROVIDER_KEY}
LARGE = 2 * MEBIBYTE


def write_rules(*rules, default="pass", **more):
    office = {"base_url": "http://127.0.0.1:1/v1", "formats": ["openai-chat"], "api_key": "none"}
    named = [{"name": f"rule {number}", **rule} for number, rule in enumerate(rules)]
    document = {
        "version": 1,
        "providers": {"office": office},
        "rules": named,
        "default": default,
        "intercept": ["127.0.0.1", "api.openai.com"],
    }
    return json.dumps(document | more)


tells_the_peak = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells how much was held at most"
)


@tells_the_peak
@pytest.mark.parametrize(
    ("path", "rules", "status"),
    [
        ("/v1/files", [], 200),
        ("/v1/uploads/upload_1/parts", [{"when": {"model": "gpt-*"}, "use": "block"}], 200),
        ("/v1/files", [{"when": {"endpoint": "files"}, "use": "block"}], 403),
        ("/v1/files", [{"when": {"endpoint": "files"}, "use": "office:*"}], 413),
        ("/v1/audio/transcriptions", [], 413),
        ("/v1/chat/completions", [], 413),
    ],
)
async def test_memory_stays_small(path, rules, status):
    size = 100 * MEBIBYTE
    async with Counter() as counter, running_proxy(write_rules(*rules)) as proxy:
        await send(proxy, counter.url("/v1/files"), 64 * 1024, content_length=str(64 * 1024))
        counter.received = 0
        before = forget_peak()
        answer = await send(proxy, counter.url(path), size, content_length=str(size))
        grown = peak() - before
    assert answer.status_code == status
    assert counter.received == (size if status == 200 else 0)
    assert grown < 24 * MEBIBYTE
    if status == 413:
        message = answer.json()["error"]["message"]
        assert message == (
            "The request is larger than 64.0m, the limit of Detour (detour_body_limit)."
        )


@tells_the_peak
@pytest.mark.parametrize("use", ["pass", "office:*"])
async def test_memory_stays_small_where_a_file_comes_back(use):
    async with Counter() as counter:
        counter.gives = 100 * MEBIBYTE
        office = {"base_url": counter.url("/v1"), "formats": ["openai-chat"], "api_key": "none"}
        rules = write_rules(
            {"when": {"endpoint": "files"}, "use": use}, providers={"office": office}
        )
        async with running_proxy(rules) as proxy, proxy.client() as client:
            before, got = forget_peak(), 0
            url = counter.url("/v1/files/file-1/content")
            async with client.stream("GET", url) as answer:
                async for piece in answer.aiter_raw():
                    got += len(piece)
            grown = peak() - before
    assert got == counter.gives
    assert grown < 40 * MEBIBYTE


async def test_a_file_flows_while_it_is_sent():
    held = asyncio.Event()

    async def halves():
        async for piece in pieces(LARGE):
            yield piece
        await held.wait()
        async for piece in pieces(LARGE):
            yield piece

    async with (
        Counter() as counter,
        running_proxy(write_rules()) as proxy,
        proxy.client() as client,
    ):
        headers = {"authorization": f"Bearer {AGENT_KEY}"}
        sending = asyncio.ensure_future(
            client.post(counter.url("/v1/files"), content=halves(), headers=headers)
        )
        await asyncio.wait_for(counter.first.wait(), 5)
        assert not sending.done()
        held.set()
        assert (await sending).json()["bytes"] > 2 * LARGE  # chunks' heads included
        await proxy.quiet()
        (flow,) = proxy.flows
        assert f"Bearer {AGENT_KEY}".encode() in counter.heads[0]
        assert AGENT_KEY not in repr(flow.get_state())
        assert flow.metadata["detour.summary"]["action"] == "pass"


@pytest.mark.parametrize(
    ("rules", "settings"),
    [
        ([{"when": {"filter": "~b secret"}, "use": "block"}], {}),
        ([{"when": {"endpoint": "files"}, "use": "pass", "limit": {"requests": 9}}], {}),
        ([{"when": {"endpoint": "files"}, "use": "office:*"}], {}),
    ],
)
async def test_what_the_body_may_decide_is_held(rules, settings):
    async with (
        Counter() as counter,
        running_proxy(write_rules(*rules), **settings) as proxy,
    ):
        answer = await send(proxy, counter.url("/v1/files"), LARGE, content_length=str(LARGE))
        (flow,) = proxy.flows
        assert flow.request.raw_content is not None
        assert len(flow.request.raw_content) == LARGE
        assert answer.status_code == (502 if rules[0]["use"] == "office:*" else 200)


async def test_a_filter_on_the_body_is_obeyed():
    rule = {"when": {"filter": r"~bq \x01\x02\x03"}, "use": "block"}
    async with Counter() as counter, running_proxy(write_rules(rule)) as proxy:
        answer = await send(proxy, counter.url("/v1/files"), LARGE, content_length=str(LARGE))
    assert answer.status_code == 403
    assert not counter.heads


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/v1/files", {"when": {"endpoint": "files"}, "use": "block"}),
        ("/v1/chat/completions", {"use": "block"}),
        ("/v1/audio/transcriptions", {"use": "block"}),
    ],
)
async def test_mitmproxys_own_streaming_opens_no_way_around_the_rules(path, rule, announced):
    headers = {"content_length": str(LARGE)} if announced else {}
    async with (
        Counter() as counter,
        running_proxy(write_rules(rule), stream_large_bodies="1m") as proxy,
    ):
        answer = await send(proxy, counter.url(path), LARGE, **headers)
        assert answer.status_code in (403, 413)
        assert "Detour" in answer.json()["error"]["message"]
        assert proxy.flows[0].metadata["detour.summary"]["action"] == "refuse"
    assert not counter.heads


async def test_a_mistake_of_our_own_is_an_error_for_the_agent(monkeypatch):
    def fail(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(addon, "plan_unread", fail)
    async with Counter() as counter, running_proxy(write_rules(), expected_errors=True) as proxy:
        answer = await send(proxy, counter.url("/v1/files"), LARGE, content_length=str(LARGE))
    assert answer.status_code == 500
    assert not counter.heads


@tells_the_peak
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/transcriptions"])
async def test_what_does_not_tell_its_size_is_bounded_as_well(path):
    async with (
        Counter() as counter,
        running_proxy(write_rules(), detour_body_limit="8m") as proxy,
    ):
        await send(proxy, counter.url("/v1/files"), LARGE)
        before, counter.received = forget_peak(), 0
        answer = await send(proxy, counter.url(path), 100 * MEBIBYTE)
        grown = peak() - before
    assert answer.status_code == 413
    assert "detour_body_limit" in answer.json()["error"]["message"]
    assert not counter.received
    assert grown < 40 * MEBIBYTE


async def test_an_agent_that_leaves_amid_an_upload_leaves_nothing():
    async def some():
        async for piece in pieces(LARGE):
            yield piece
        raise RuntimeError("gone")

    async with Counter() as counter, running_proxy(write_rules()) as proxy:
        async with proxy.client() as client:
            with pytest.raises(RuntimeError, match="gone"):
                await client.post(counter.url("/v1/files"), content=some())
        await proxy.quiet()
        assert proxy.flows[0].error
        assert not proxy.interceptor._exchanges.under_way()


async def test_the_sdk_uploads_a_large_file():
    content = bytes(range(256)) * 20_000
    async with EmbeddedProvider(certificate=server_context("api.openai.com")) as provider:
        hosts = {"api.openai.com": (provider.host, provider.port)}
        async with running_proxy(write_rules(), hosts=hosts) as proxy, proxy.openai() as client:
            kept = await client.files.create(file=("a.bin", content), purpose="user_data")
            assert kept.bytes == len(content)
            assert proxy.flows[0].request.raw_content is None
    assert provider.requests[0].header("authorization") == f"Bearer {AGENT_KEY}"
