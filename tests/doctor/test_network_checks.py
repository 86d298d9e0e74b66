"""The way to the providers, and the clock, by servers in every state."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme

from addon.doctor import clock, providers
from addon.engine import local_servers
from addon.engine.clients import TlsSettings
from tests.support.proxy import resolving, server_context
from tests.support.servers import ScriptedServer

RULES = """\
version: 1
providers:
  anthropic: {base_url: "%s"}
rules:
  - {name: everything, use: "anthropic:claude-sonnet-5-5"}
"""


async def answer(exchange):
    await exchange.answer(b"{}")


async def look(machine):
    (finding,) = await providers.examine(machine)
    return finding


async def test_a_provider_that_is_there_is_well(make_machine, provider):
    finding = await look(make_machine(RULES % provider.base_url))
    assert finding.state == "ok"
    assert provider.requests == []  # it was not asked for anything


async def test_nobody_who_listens(make_machine):
    finding = await look(make_machine(RULES % "http://127.0.0.1:1"))
    assert (finding.state, finding.remedy) == ("failed", "Start that server.")
    assert "nobody listens at 127.0.0.1:1" in finding.message


async def test_a_name_that_nobody_knows(make_machine):
    with resolving({}):
        finding = await look(make_machine(RULES % "https://api.anthropik.com"))
    assert finding.state == "failed"
    assert "api.anthropik.com cannot be resolved" in finding.message
    assert "base_url is spelt right" in finding.remedy


async def test_a_certificate_that_nobody_vouches_for(make_machine):
    async with ScriptedServer(answer, server_context("llm.example")) as server:
        with resolving({"llm.example": server.address}):
            machine = make_machine(RULES % f"https://llm.example:{server.address[1]}")
            finding = await look(machine)
    assert finding.state == "failed"
    assert "nobody vouches for" in finding.message
    assert "ssl_verify_upstream_trusted_ca" in finding.remedy


async def test_a_server_without_tls(make_machine, provider):
    url = provider.base_url.replace("http:", "https:")
    finding = await look(make_machine(RULES % url))
    assert finding.state == "failed"
    assert "does not speak TLS" in finding.message
    assert "https:// or http://" in finding.remedy


async def test_a_server_that_does_not_answer(make_machine, monkeypatch):
    monkeypatch.setattr("addon.doctor.network.PATIENCE", 0.2)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        machine = make_machine(RULES % f"https://127.0.0.1:{deaf.getsockname()[1]}")
        finding = await look(machine)
    assert finding.state == "failed"
    assert "does not answer" in finding.message
    assert "upstream" in finding.remedy


async def test_without_a_network_only_this_machine_is_asked(make_machine, provider):
    rules = f"""\
version: 1
providers:
  anthropic: {{base_url: "{provider.base_url}"}}
rules:
  - {{name: here, use: "anthropic:claude-sonnet-5-5", when: {{model: a}}}}
  - {{name: there, use: "openai:gpt-5.5"}}
"""
    with resolving({}):
        here, left = await providers.examine(make_machine(rules, network=False))
    assert (here.state, left.state) == ("ok", "skipped")
    assert left.message == "openai: not asked, for --no-network was given"


async def test_verifying_asks_for_a_word(make_machine, provider, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "bad-key-0123456789")
    reached, refused = await providers.examine(make_machine(RULES % provider.base_url, verify=True))
    assert (reached.state, refused.state) == ("ok", "failed")
    assert "detour keys set" in refused.remedy
    assert "bad-key-0123456789" not in refused.message
    monkeypatch.setenv("ANTHROPIC_API_KEY", "good-key-0123456789")
    _, answered = await providers.examine(make_machine(RULES % provider.base_url, verify=True))
    assert answered.state == "ok"
    assert "claude-sonnet-5-5" in answered.message


LOCAL = "version: 1\nrules:\n  - {name: here, use: local:auto}\n"


async def test_a_model_server_of_this_machine_is_found(make_machine, monkeypatch):
    async def list_models(exchange):
        await exchange.answer(b'{"data": [{"id": "qwen3-coder"}]}', 200)

    async with ScriptedServer(list_models) as server:
        monkeypatch.setattr(local_servers, "PORTS", {server.address[1]: "llama.cpp"})
        finding = await look(make_machine(LOCAL))
    assert finding.state == "ok"
    assert finding.message == "local: llama.cpp on this machine, with qwen3-coder"


async def test_without_one_it_says_where_they_are_looked_for(make_machine, monkeypatch):
    monkeypatch.setattr(local_servers, "PORTS", {1: "llama.cpp"})
    finding = await look(make_machine(LOCAL))
    assert finding.state == "failed"
    assert "Ollama on 11434" in finding.remedy


async def test_sound_rules_are_needed(make_machine):
    assert (await look(make_machine("version: 2"))).state == "skipped"


def server_at(moment, certificate=None):
    async def tell(exchange):
        assert exchange.method == "HEAD"
        assert not {"authorization", "x-api-key"} & set(exchange.headers)
        await exchange.answer(b"", 404, date=format_datetime(moment, usegmt=True))

    return ScriptedServer(tell, certificate)


@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [
        (0, "ok", "agrees with"),
        (60, "warning", "behind 127.0.0.1"),
        (-60, "warning", "ahead of 127.0.0.1"),
        (4000, "failed", "TLS, OAuth and signed requests fail"),
        (-4000, "failed", "the clock is wrong"),
    ],
)
async def test_the_clock_is_compared_with_a_servers(make_machine, seconds, state, words):
    async with server_at(datetime.now(UTC) + timedelta(seconds=seconds)) as server:
        machine = make_machine(RULES % f"http://127.0.0.1:{server.address[1]}", network=False)
        (finding,) = await clock.examine(machine)
    assert finding.state == state
    assert words in finding.message
    assert ("timedatectl" in finding.remedy) == (state != "ok")


async def test_the_clock_is_asked_of_an_api_where_the_rules_name_nobody(
    make_machine, monkeypatch, tmp_path
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    trusting = TlsSettings(str(tmp_path / "authority.pem")).context()
    monkeypatch.setattr(TlsSettings, "context", lambda _: trusting)
    monkeypatch.setattr(clock, "INTERCEPTED", ("api.openai.com",))
    certificate = server_context("api.openai.com")
    authority.issue_cert("api.openai.com").configure_cert(certificate)
    original = clock.Place
    async with server_at(datetime.now(UTC), certificate) as server:
        port = server.address[1]
        monkeypatch.setattr(clock, "Place", lambda scheme, host, _: original(scheme, host, port))
        with resolving({"api.openai.com": server.address}):
            (finding,) = await clock.examine(make_machine("version: 1"))
    assert (finding.state, finding.message) == (
        "ok",
        "the clock agrees with that of api.openai.com",
    )


async def test_without_any_server_the_clock_is_left_out(make_machine):
    with resolving({}):
        (finding,) = await clock.examine(make_machine("version: 1"))
    assert finding.state == "skipped"
