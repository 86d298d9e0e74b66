"""Nothing fails open: what goes wrong in Detour never lets a call through."""

import asyncio

import pytest
from mitmproxy.addons.maplocal import MapLocal
from mitmproxy.test import taddons, tflow, tutils

from addon.embedded import EmbeddedProvider
from addon.interceptor import Interceptor, addon, arrivals, display, preparing, recorder, routing
from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, running_proxy, server_context
from tests.support.rules import write_default, write_rules
from tests.support.servers import ScriptedServer

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}


def fail(*_, **__):
    raise RuntimeError("a bug")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (preparing, "plan_call"),
        (arrivals, "unpack"),
        (addon, "is_upgrade"),
        (routing, "Delivery"),
        (display, "show_route"),
        (addon.access, "connection_handler"),
    ],
)
async def test_a_mistake_of_our_own_is_an_error_for_the_agent(monkeypatch, module, name):
    async def serve(exchange):
        await exchange.answer(b"{}")

    original = getattr(module, name)
    async with (
        EmbeddedProvider() as provider,
        ScriptedServer(serve, server_context("api.openai.com")) as openai,
        running_proxy(
            write_rules(provider.base_url),
            hosts={"api.openai.com": openai.address},
            expected_errors=True,
        ) as proxy,
        proxy.client() as client,
    ):
        monkeypatch.setattr(module, name, fail)
        answer = await client.post(URL, content=request_body(), headers=KEY)
        monkeypatch.setattr(module, name, original)
        assert answer.status_code == 500
        assert "Detour failed" in answer.json()["error"]["message"]
        assert any("a bug" in error for error in proxy.logs.errors)
        assert openai.connections == 0
        assert provider.requests == []
        answer = await client.post(URL, content=request_body(), headers=KEY)
        assert answer.status_code == 200


async def test_an_engine_that_does_not_even_begin(monkeypatch):
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url), expected_errors=True) as proxy,
        proxy.client() as client,
    ):
        monkeypatch.setattr(routing, "answer", fail)
        answer = await client.post(URL, content=request_body(), headers=KEY)
    assert answer.status_code == 502
    assert provider.requests == []


async def test_what_only_shows_does_not_break_an_answer(monkeypatch):
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url), expected_errors=True) as proxy,
        proxy.client() as client,
    ):
        monkeypatch.setattr(display, "record", fail)
        monkeypatch.setattr(display, "show_outcome", fail)
        monkeypatch.setattr(recorder.Recorder, "show", fail)
        text = "[[gate]] [[events 2]] [[say one two]]"
        async with (
            asyncio.timeout(5),
            client.stream("POST", URL, content=request_body(text), headers=KEY) as answer,
        ):
            seen = b""
            async for piece in answer.aiter_bytes():
                seen += piece
                if b"one" in seen:
                    provider.open_gate()
    assert seen.endswith(b"data: [DONE]\n\n")


@pytest.fixture
def flow():
    return tflow.tflow(
        req=tutils.treq(
            host="api.openai.com",
            port=443,
            method=b"POST",
            path=b"/v1/chat/completions",
            content=request_body(),
        )
    )


async def test_what_others_have_answered_is_left_alone(flow, tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(write_default("block"))
    interceptor = Interceptor()
    with taddons.context(MapLocal(), interceptor) as context:
        context.configure(interceptor, detour_rules=str(path))
        response = flow.response = tutils.tresp()
        await interceptor.request(flow)
        assert flow.response is response
        flow.response = None
        flow.live = False  # loaded from a file
        await interceptor.request(flow)
        assert flow.response is None
        flow.live = True
        await interceptor.request(flow)
        assert flow.response.status_code == 403
        interceptor.done()


async def test_rules_that_break_before_the_first_call_stay_in_force_as_they_were_at_the_start():
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url), expected_errors=True) as proxy,
        proxy.client() as client,
    ):
        proxy.rules.write_text("version: 1\nrules: [{use: antropic:x}]\n")
        answer = await client.post(URL, content=request_body(), headers=KEY)
        [mistake] = proxy.logs.errors
    assert answer.status_code == 200
    assert len(provider.requests) == 1
    assert f"{proxy.rules}:2:15: use: unknown provider `antropic`" in mistake
    assert "the last good rules stay in force until this is mended" in mistake


async def test_rules_that_are_broken_at_the_start_refuse_calls_until_they_are_mended():
    async with (
        EmbeddedProvider() as provider,
        running_proxy("version: 3\n") as proxy,
        proxy.client() as client,
    ):
        [mistake] = [line for line in proxy.logs.lines if "expected 1, found" in line]
        assert f"{proxy.rules}:1:10: version" in mistake
        assert "every call is refused until this is mended" in mistake
        refused = await client.post(URL, content=request_body(), headers=KEY)
        proxy.rules.write_text(write_rules(provider.base_url))
        answer = await client.post(URL, content=request_body(), headers=KEY)
    assert (refused.status_code, answer.status_code) == (400, 200)
    assert f"{proxy.rules}:1:10: version" in refused.json()["error"]["message"]
