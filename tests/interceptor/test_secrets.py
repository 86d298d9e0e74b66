"""Keys: nobody who looks at flows, files, logs or answers finds one."""

import asyncio

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context
from tests.support.rules import write_default, write_rules
from tests.support.servers import ScriptedServer

URL = "https://api.openai.com/v1/chat/completions"
KEYS = {
    "authorization": f"Bearer {AGENT_KEY}",
    "x-api-key": AGENT_KEY,
    "cookie": f"session={AGENT_KEY}",
}
TEXTS = [
    "hello",
    "[[error 401 authentication_error]]",
    "[[error-in-stream api_error 5]]",
    "[[cut 5]]",
    "[[html 500]]",
]


def find_keys(*texts):
    return [key for text in texts for key in (AGENT_KEY, PROVIDER_KEY) if key in str(text)]


@pytest.mark.parametrize("stream", [False, True])
async def test_of_a_routed_call(tmp_path, stream):
    file = tmp_path / "flows"
    async with EmbeddedProvider() as provider:
        async with (
            running_proxy(
                write_rules(provider.base_url), save_stream_file=str(file), expected_errors=True
            ) as proxy,
            proxy.client() as client,
        ):
            answers = [
                await client.post(URL, content=request_body(text, stream=stream), headers=KEYS)
                for text in TEXTS
            ]
        assert all(sent.header("x-api-key") == PROVIDER_KEY for sent in provider.requests)
    assert not find_keys(*(answer.headers for answer in answers))
    assert not find_keys(*(answer.text for answer in answers))
    assert not find_keys(*proxy.logs.lines)
    assert not find_keys(*(flow.get_state() for flow in proxy.flows))
    assert not find_keys(file.read_bytes())
    assert b"all to Claude" in file.read_bytes()


async def test_of_a_call_that_passes(tmp_path):
    async def serve(exchange):
        assert exchange.headers["authorization"] == f"Bearer {AGENT_KEY}"
        await exchange.answer(b"{}", set_cookie="session=1")

    file = tmp_path / "flows"
    async with (
        ScriptedServer(serve, server_context("api.openai.com")) as server,
        running_proxy(
            write_default("pass"),
            hosts={"api.openai.com": server.address},
            save_stream_file=str(file),
        ) as proxy,
        proxy.client() as client,
    ):
        answer = await client.post(URL, content=request_body(), headers=KEYS)
        assert answer.status_code == 200
        assert answer.headers["set-cookie"] == "session=1"
    assert not find_keys(*proxy.logs.lines)
    assert not find_keys(*(flow.get_state() for flow in proxy.flows))
    assert not find_keys(file.read_bytes())
    assert b"session=1" not in file.read_bytes()


@pytest.mark.parametrize("how", ["refused", "unreachable", "left"])
async def test_of_a_call_that_comes_to_nothing(tmp_path, how):
    async def serve(exchange):
        await asyncio.sleep(60)

    file = tmp_path / "flows"
    async with ScriptedServer(serve, server_context("api.openai.com")) as server:
        async with (
            running_proxy(
                write_default("block" if how == "refused" else "pass"),
                hosts={"api.openai.com": server.address} if how == "left" else {},
                save_stream_file=str(file),
            ) as proxy,
            proxy.client() as client,
        ):
            task = asyncio.create_task(client.post(URL, content=request_body(), headers=KEYS))
            await asyncio.wait({task}, timeout=0.3)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert not find_keys(*proxy.logs.lines)
        assert not find_keys(*(flow.get_state() for flow in proxy.flows))
    assert proxy.flows
    assert not find_keys(file.read_bytes())
