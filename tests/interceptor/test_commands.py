import pytest
from mitmproxy import exceptions
from mitmproxy.proxy.layers import tls as tls_layers
from mitmproxy.test import tflow
from mitmproxy.tls import TlsData

from addon.embedded import EmbeddedProvider
from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, running_proxy
from tests.support.rules import write_default, write_rules

URL = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": f"Bearer {AGENT_KEY}"}


async def test_explain_says_which_rule_applies_now():
    async with (
        EmbeddedProvider() as provider,
        running_proxy(write_rules(provider.base_url)) as proxy,
        proxy.client() as client,
    ):
        await client.post(URL, content=request_body(), headers=KEY)
        call = proxy.master.commands.call
        text = call("detour.explain", proxy.flows)
        proxy.flows[0].request.path = "/v1/embeddings"
        del proxy.flows[0].metadata["detour.original"]
        other = call("detour.explain", [tflow.ttcpflow(), proxy.flows[0]])
    said = "POST /v1/chat/completions (python-httpx, phase other): route by all to Claude"
    assert text.splitlines()[0] == said
    assert "anthropic:claude-sonnet-5-5 in the format anthropic" in text
    assert "rules do not apply to this address; default: pass" in other


async def test_explain_says_why_a_rule_does_not_apply():
    rules = write_rules(when={"model": "o3*"}, default="block")
    async with running_proxy(rules) as proxy, proxy.client() as client:
        await client.post(URL, content=request_body(), headers=KEY)
        text = proxy.master.commands.call("detour.explain", proxy.flows)
    assert "block by default" in text
    assert "not all to Claude: " in text
    assert "o3*" in text


async def test_reload_says_what_is_in_force(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text("rules: nonsense")
    async with running_proxy(path, expected_errors=True) as proxy:
        call = proxy.master.commands.call
        assert "rules.yaml:1" in call("detour.reload")
        with pytest.raises(exceptions.CommandError, match=r"rules\.yaml:1"):
            call("detour.explain", [tflow.tflow()])
        path.write_text(write_rules())
        assert call("detour.reload").startswith("1 rules of ")


async def test_an_agent_that_does_not_trust_mitmproxy_is_told_what_to_do():
    async with running_proxy(write_default("pass")) as proxy:
        client = tflow.tclient_conn()
        client.error = "The client does not trust the proxy's certificate"
        data = TlsData(client, None)
        for sni in ("api.openai.com", "other.example"):
            client.sni = sni
            proxy.interceptor.tls_failed_client(data)
        client.sni = "api.openai.com"
        client.error = "The client disconnected during the handshake."
        proxy.interceptor.tls_failed_client(data)
        lines = [line for line in proxy.logs.lines if "detour run" in line]
    assert len(lines) == 1
    assert "api.openai.com" in lines[0]
    assert tls_layers.TlsData is TlsData
