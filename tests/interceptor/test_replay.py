from mitmproxy.test import taddons, tflow, tutils

from addon.embedded import EmbeddedProvider
from addon.interceptor import replay
from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy
from tests.support.rules import write_rules
from tests.support.streams import text_of

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}


async def replayed(proxy, flow):
    """Replay a flow as mitmweb's button does, and wait for its end."""
    playback = proxy.master.addons.get("clientplayback")
    playback.start_replay([flow])
    await playback.queue.join()
    return flow


async def test_a_replay_begins_with_what_the_agent_sent():
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
        proxy.client() as client,
    ):
        await client.post(URL, content=request_body("[[say Hi.]]"), headers=KEY)
        flow = await replayed(proxy, proxy.flows[0])
    first, second = provider.requests
    assert first.body == second.body
    assert second.header("x-api-key") == PROVIDER_KEY
    assert text_of(flow.response.content) == "Hi."
    assert flow.comment == "gpt-5.1 -> anthropic:claude-sonnet-5-5 (all to Claude)"
    assert AGENT_KEY not in str(flow.get_state())
    assert PROVIDER_KEY not in str(flow.get_state())


async def test_a_replay_goes_by_the_rules_of_today(tmp_path):
    path = tmp_path / "rules.yaml"
    async with EmbeddedProvider() as provider:
        path.write_text(write_rules(provider.base_url))
        async with running_proxy(path) as proxy, proxy.client() as client:
            await client.post(URL, content=request_body(), headers=KEY)
            path.write_text(write_rules(provider.base_url, use="block"))
            flow = await replayed(proxy, proxy.flows[0])
    assert len(provider.requests) == 1
    assert flow.response.status_code == 403


def test_a_flow_that_was_not_rewritten_is_its_own_original():
    flow = tflow.tflow(req=tutils.treq())
    assert replay.original(flow) is flow.request


async def test_the_original_of_a_packed_request_is_unpacked():
    flow = tflow.tflow()
    flow.metadata["detour.original"] = {
        "method": "POST",
        "url": URL,
        "headers": [["Content-Encoding", "zstd"], ["Content-Length", "7"], ["x-a", "1"]],
        "body": b"{}",
    }
    with taddons.context():
        request = replay.original(flow)
    assert (request.content, request.headers["content-length"]) == (b"{}", "2")
    assert "content-encoding" not in request.headers
    assert request.headers["x-a"] == "1"
