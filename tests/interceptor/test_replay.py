import asyncio
import io
import re

import pytest
from mitmproxy import exceptions
from mitmproxy.io import FlowWriter
from mitmproxy.test import taddons, tflow, tutils
from mitmproxy.tools.web.master import WebMaster

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


async def test_a_replay_forgets_what_came_of_the_call_before(tmp_path):
    path = tmp_path / "rules.yaml"
    async with EmbeddedProvider() as provider:
        path.write_text(write_rules(provider.base_url))
        async with running_proxy(path) as proxy, proxy.client() as client:
            await client.post(URL, content=request_body(), headers=KEY)
            flow = proxy.flows[0]
            assert "detour.streams" in flow.metadata
            path.write_text(write_rules(provider.base_url, use="block"))
            await replayed(proxy, flow)
    assert flow.metadata["detour.summary"]["action"] == "refuse"
    kept = {name for name in flow.metadata if name.startswith("detour.")}
    assert not kept & {"detour.streams", "detour.original", "detour.provider", "detour.model"}


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


async def eventually(holds):
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it has not come about")


def two_models(url):
    """Rules for one provider, and another one that only a replay calls."""
    other = {
        "base_url": url,
        "formats": ["anthropic"],
        "api_key": "sk-other-0123456789",
        "models": ["claude-haiku-4-5"],
    }
    return write_rules(url, providers={"other": other})


@pytest.mark.parametrize("stream", [True, False])
async def test_a_replay_to_another_target_is_a_flow_of_its_own(stream):
    async with (
        EmbeddedProvider() as provider,
        running_proxy(two_models(provider.base_url), master_class=WebMaster, web_port=0) as proxy,
        proxy.client(agent="planner@") as client,
    ):
        body = request_body("[[say Hi.]]", stream=stream)
        await client.post(URL, content=body, headers=KEY)
        (flow,) = proxy.flows
        before = flow.get_state()
        call = proxy.master.commands.call_strings
        told = call("detour.replay", [f"@{flow.id}", "other:claude-haiku-4-5"])
        again = proxy.master.view[1]
        assert told == f"Sent again to other:claude-haiku-4-5: flow {again.id}"
        await eventually(lambda: again.response is not None and again.response.content)
        assert again.comment == "gpt-5.1 -> other:claude-haiku-4-5 (detour.replay)"
        assert "Hi." in str(again.response.content)
        assert again.metadata["detour.replay_of"] == flow.id
        assert again.metadata["detour.agent"] == "planner"
        assert flow.get_state() == before
        told = call("detour.compare", [f"@{again.id}"])
        assert "anthropic:claude-sonnet-5-5" in told[0]
        assert "other:claude-haiku-4-5" in told[0]
        assert "says: the same" in told
        views = [flow.metadata["detour.comparison"], again.metadata["detour.comparison"]]
        assert views[0] == views[1]
        assert "says (both the same):" in views[0]
    first, second = provider.requests
    assert first.header("x-api-key") == PROVIDER_KEY
    assert second.header("x-api-key") == "sk-other-0123456789"
    assert (second.json()["model"], first.json()["messages"]) == (
        "claude-haiku-4-5",
        second.json()["messages"],
    )
    for made in (flow, again):
        assert not [key for key in (AGENT_KEY, PROVIDER_KEY, "sk-other") if key in str(saved(made))]


def saved(flow):
    file = io.BytesIO()
    FlowWriter(file).add(flow)
    return file.getvalue()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("nobody:m", "Unknown provider `nobody`"),
        ("anthropc:m", "did you mean `anthropic`?"),
        ("anthropic", "Expected PROVIDER:MODEL"),
        ("anthropic:", "Expected PROVIDER:MODEL"),
    ],
)
async def test_a_target_that_does_not_exist_is_refused_at_once(target, says):
    async with running_proxy(write_rules()) as proxy:
        with pytest.raises(exceptions.CommandError, match=re.escape(says)):
            proxy.master.commands.call("detour.replay", tflow.tflow(), target)
        assert proxy.flows == []


async def test_a_target_without_a_key_is_refused_in_the_answer():
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
        proxy.client() as client,
    ):
        await client.post(URL, content=request_body("[[say Hi.]]"), headers=KEY)
        proxy.master.commands.call("detour.replay", proxy.flows[0], "zai:glm-5.3")
        await eventually(lambda: len(proxy.flows) == 2 and proxy.flows[1].response is not None)
        again = proxy.flows[1]
    assert again.response.status_code == 401
    assert "ZAI_API_KEY" in again.response.text
    assert again.comment.startswith("refused: ")
    assert len(provider.requests) == 1


async def test_a_replay_cannot_pass_on_a_key_that_is_not_kept():
    async with EmbeddedProvider() as provider:
        openai = {"base_url": f"{provider.base_url}/v1", "api_key": "pass"}
        rules = write_rules(provider.base_url, providers={"openai": openai})
        hosts = {"api.openai.com": ("127.0.0.1", 1)}
        async with running_proxy(rules, hosts=hosts) as proxy, proxy.client() as client:
            await client.post(URL, content=request_body("[[say Hi.]]"), headers=KEY)
            proxy.flows[0].metadata["detour.original"]["url"] = URL
            proxy.master.commands.call("detour.replay", proxy.flows[0], "openai:gpt-5.1")
            await eventually(lambda: len(proxy.flows) == 2 and proxy.flows[1].response is not None)
    assert proxy.flows[1].response.status_code == 401
    assert len(provider.requests) == 1


async def test_what_cannot_be_compared_is_said():
    async with running_proxy(write_rules()) as proxy:
        for flows in ([tflow.tflow()], [tflow.ttcpflow(), tflow.tflow()], []):
            with pytest.raises(exceptions.CommandError, match="Expected two flows"):
                proxy.master.commands.call("detour.compare", flows)
        told = proxy.master.commands.call("detour.compare", [tflow.tflow(resp=True)] * 2)
        assert told
        with pytest.raises(exceptions.CommandError, match="Only"):
            proxy.master.commands.call("detour.replay", tflow.ttcpflow(), "zai:glm-5.3")
