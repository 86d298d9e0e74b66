"""Every other endpoint through the whole proxy: an unmodified SDK, and a strict provider."""

import json

import openai
import pytest

from addon.embedded import EmbeddedProvider
from tests.support.endpoint_calls import FAMILIES, SAID
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY, running_proxy, server_context

KEYS = {"OFFICE_KEY": PROVIDER_KEY}
FAIL = "[[error 429 rate_limit_error Too many calls.]]"


def write_rules(base_url, family, use="office:other-model"):
    office = {"base_url": f"{base_url}/v1", "formats": ["openai-chat"], "api_key": "${OFFICE_KEY}"}
    endpoints = {family.partition("/")[0], "files" if family == "batches" else family}
    when = {"endpoint": sorted(one.partition("/")[0] for one in endpoints)}
    rules = [{"name": "there", "when": when, "use": use}]
    document = {"version": 1, "providers": {"office": office}, "rules": rules, "default": "pass"}
    return json.dumps(document)


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_family_goes_on_with_the_rules_model_and_key(name):
    family = FAMILIES[name]
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, name)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            for call in family.calls:
                await call(client, "other-name", SAID)
    assert provider.requests
    for request in provider.requests:
        assert request.header("authorization") == f"Bearer {PROVIDER_KEY}"
        assert AGENT_KEY not in str(request.headers)
        assert b"other-name" not in request.body
        assert (b"other-model" in request.body) == bool(family.model)
    assert all(flow.comment.endswith("(there)") for flow in proxy.flows)


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_family_passes(name):
    family = FAMILIES[name]
    async with EmbeddedProvider(certificate=server_context("api.openai.com")) as provider:
        hosts = {"api.openai.com": (provider.host, provider.port)}
        rules = write_rules("http://127.0.0.1:1", name, "pass")
        async with running_proxy(rules, hosts=hosts) as proxy, proxy.openai() as client:
            for call in family.calls:
                await call(client, family.model, SAID)
    assert provider.requests
    for request in provider.requests:
        assert request.header("authorization") == f"Bearer {AGENT_KEY}"


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_family_is_blocked(name):
    family = FAMILIES[name]
    rules = write_rules("http://127.0.0.1:1", name, "block")
    async with running_proxy(rules) as proxy, proxy.openai() as client:
        for call in family.calls:
            with pytest.raises(
                openai.PermissionDeniedError, match=r"blocks POST .*\(rule: there\)"
            ):
                await call(client, family.model, SAID)


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_missing_key_is_told_before_anything_is_sent(name):
    family = FAMILIES[name]
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, name)
        async with running_proxy(rules, environment={}) as proxy, proxy.openai() as client:
            for call in family.calls:
                with pytest.raises(openai.AuthenticationError, match="OFFICE_KEY"):
                    await call(client, family.model, SAID)
    assert not provider.requests


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_target_without_the_endpoint_is_told_by_name(name):
    family = FAMILIES[name]
    if name == "completions":
        pytest.skip("a chat takes its place there")
    rules = write_rules("http://127.0.0.1:1", name, "anthropic:claude-opus-5-5")
    async with running_proxy(rules) as proxy, proxy.openai() as client:
        with pytest.raises(openai.NotFoundError, match="anthropic does not offer POST /v1/"):
            await family.calls[0](client, family.model, SAID)


@pytest.mark.parametrize("name", [name for name, one in FAMILIES.items() if one.failing])
async def test_the_providers_errors_are_told(name):
    call = FAMILIES[name].failing
    async with EmbeddedProvider() as provider:
        rules = write_rules(provider.base_url, name)
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.RateLimitError, match="Too many calls"):
                await call(client, "other-name", FAIL)
        rules = write_rules(provider.base_url, name, "office:unknown-model")
        async with running_proxy(rules, environment=KEYS) as proxy, proxy.openai() as client:
            with pytest.raises(openai.NotFoundError, match="`unknown-model` does not exist"):
                await call(client, "other-name", SAID)
