"""What an agent gets in its environment."""

from pathlib import Path

import pytest

from addon.commands.variables import agent_variables, covers, exemptions, java_hint, proxy_url

BUNDLE = Path("/home/me/.detour/ca-bundle.pem")


def test_every_runtime_finds_its_variable() -> None:
    variables = agent_variables("127.0.0.1:8080", None, BUNDLE, {})
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == "http://127.0.0.1:8080"
    for name in (
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "CODEX_CA_CERTIFICATE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
    ):
        assert variables[name] == str(BUNDLE)
    assert "HTTP_PROXY" not in variables


@pytest.mark.parametrize(
    ("agent", "url"),
    [
        (None, "http://[::1]:8080"),
        ("planner", "http://planner:x@[::1]:8080"),
        ("my agent@home:1/2", "http://my%20agent%40home%3A1%2F2:x@[::1]:8080"),
    ],
)
def test_the_agents_name_is_the_proxys_user(agent: str | None, url: str) -> None:
    assert proxy_url("[::1]:8080", agent) == url


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", []),
        ("intranet.example, 10.0.0.0/8", ["intranet.example", "10.0.0.0/8"]),
        ("*", []),
        ("api.openai.com,.example.org", [".example.org"]),
        (".openai.com,OpenAI.com:443,*.anthropic.com,com", []),
        ("myopenai.com,localhost", ["myopenai.com", "localhost"]),
    ],
)
def test_no_exemption_lets_a_call_slip_past_the_proxy(given: str, kept: list[str]) -> None:
    hosts = exemptions({"NO_PROXY": given})
    assert hosts[: len(kept)] == kept
    assert set(hosts) == {*kept, "localhost", "127.0.0.1", "::1"}
    assert len(hosts) == len(set(hosts))


def test_the_lower_case_spelling_wins_as_it_does_in_most_clients() -> None:
    assert exemptions({"NO_PROXY": "a.org", "no_proxy": "b.org"})[0] == "b.org"


def test_covers_knows_names_by_their_dots() -> None:
    assert covers("openai.com", ["api.openai.com"])
    assert not covers("penai.com", ["api.openai.com"])
    assert not covers("", ["api.openai.com"])


def test_java_is_told_host_and_port() -> None:
    hint = java_hint("127.0.0.1:8080", Path("/h"))
    assert "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=8080" in hint
    assert "/h/detour.p12" in hint
