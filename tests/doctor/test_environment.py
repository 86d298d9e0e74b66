"""Variables that lead agents astray, each told with what to do about it."""

import socket

import pytest

from addon.commands.options import Address
from addon.doctor import environment


async def look(machine):
    return await environment.examine(machine)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"NO_PROXY": "localhost,.example.com"},
        {"OPENAI_BASE_URL": "https://api.openai.com/v1"},
        {"NODE_TLS_REJECT_UNAUTHORIZED": "1"},
        {"ALL_PROXY": "socks5://127.0.0.1:1"},
    ],
)
async def test_what_does_no_harm_is_well(make_machine, variables):
    (finding,) = await look(make_machine(**variables))
    assert finding.state == "ok"


@pytest.mark.parametrize(
    ("variables", "state", "message", "remedy"),
    [
        (
            {"HTTPS_PROXY": "http://me:secret@proxy.corp:3128"},
            "warning",
            "HTTPS_PROXY is http://proxy.corp:3128",
            "--mode upstream:http://proxy.corp:3128",
        ),
        (
            {"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2"},
            "failed",
            "agents differ",
            "unset https_proxy HTTPS_PROXY",
        ),
        (
            {"HTTPS_PROXY": "http://127.0.0.1:1"},
            "failed",
            "nobody listens",
            "detour serve --listen 127.0.0.1:1",
        ),
        ({"https_proxy": "http://b:2"}, "warning", "lower case only", "export HTTPS_PROXY="),
        ({"ALL_PROXY": "socks5://b:2"}, "warning", "ALL_PROXY is socks5://b:2", "detour run"),
        ({"NO_PROXY": "a.b, api.openai.com"}, "warning", "exempts api.openai.com", "detour run"),
        ({"no_proxy": ".openai.com"}, "warning", "no_proxy exempts .openai.com", "detour run"),
        ({"NO_PROXY": "*"}, "warning", "exempts *", "detour run"),
        (
            {"OPENAI_BASE_URL": "https://me:secret@gateway.corp/v1"},
            "failed",
            "OPENAI_BASE_URL is https://gateway.corp/v1",
            "unset OPENAI_BASE_URL, or add gateway.corp to `intercept`",
        ),
        (
            {"ANTHROPIC_BASE_URL": "http://127.0.0.1:4000"},
            "failed",
            "past Detour",
            "unset ANTHROPIC_BASE_URL",
        ),
        (
            {"NODE_TLS_REJECT_UNAUTHORIZED": "0"},
            "failed",
            "trust anybody",
            "unset NODE_TLS_REJECT_UNAUTHORIZED",
        ),
        (
            {"SSL_CERT_FILE": "/nowhere/ca.pem"},
            "failed",
            "which is not there",
            "unset SSL_CERT_FILE",
        ),
    ],
)
async def test_a_trap_is_told(make_machine, variables, state, message, remedy):
    findings = [f for f in await look(make_machine(**variables)) if message in f.message]
    (finding,) = findings
    assert finding.state == state
    assert remedy in finding.remedy
    assert "secret" not in finding.message + finding.remedy


async def test_an_exemption_is_worse_where_agents_are_led(make_machine):
    with socket.create_server(("127.0.0.1", 0)) as server:
        listen = Address(*server.getsockname())
        machine = make_machine(
            listen=listen, HTTPS_PROXY=f"http://localhost:{listen.port}", NO_PROXY="api.openai.com"
        )
        (finding,) = await look(machine)
    assert finding.state == "failed"


async def test_a_gateway_that_the_rules_intercept_is_well(make_machine):
    rules = "version: 1\nintercept: [gateway.corp]\n"
    (finding,) = await look(make_machine(rules, OPENAI_BASE_URL="https://gateway.corp/v1"))
    assert finding.state == "ok"
