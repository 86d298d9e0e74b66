import pytest

import addon
from addon.engine.headers import agent_headers, merge, provider_headers
from tests.support.calls import make_call
from tests.support.proxy import PROVIDER_KEY

AGENT_HEADERS = (
    ("Authorization", "Bearer sk-agent"),
    ("x-api-key", "sk-agent"),
    ("Cookie", "session=1"),
    ("User-Agent", "OpenAI/Python 3.52"),
    ("OpenAI-Organization", "org-1"),
    ("OpenAI-Beta", "responses=v1"),
    ("X-Stainless-Lang", "python"),
    ("anthropic-beta", "context-1m"),
    ("anthropic-version", "2026-10-21"),
    ("content-encoding", "gzip"),
    ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", "vendor=1"),
    ("baggage", "customer=somebody"),
    ("Host", "api.openai.com"),
)


def sent(agent_format, format="anthropic", stream=True):
    call = make_call(agent_format=agent_format, format=format, stream=stream)
    call.agent_headers = AGENT_HEADERS
    return dict(provider_headers(call))


def test_another_providers_agent_gives_nothing_of_its_own():
    assert sent("openai-chat") == {
        "user-agent": f"detour/{addon.__version__}",
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "x-api-key": PROVIDER_KEY,
    }


def test_an_agent_of_the_same_format_keeps_what_gives_its_request_meaning():
    headers = sent("anthropic", stream=False)
    assert headers["anthropic-beta"] == "context-1m"
    assert headers["anthropic-version"] == "2026-10-21"
    assert headers["accept"] == "application/json"
    assert headers["x-api-key"] == PROVIDER_KEY
    assert "openai-beta" not in headers


def test_an_anthropic_agent_gives_no_anthropic_headers_to_others():
    headers = sent("anthropic", "openai-chat")
    assert not [name for name in headers if name.startswith("anthropic")]
    assert headers["authorization"] == f"Bearer {PROVIDER_KEY}"


@pytest.mark.parametrize("format", ["anthropic", "openai-chat"])
def test_a_trace_goes_on_at_a_provider_of_the_same_format(format):
    headers = sent(format, format)
    assert headers["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert headers["tracestate"] == "vendor=1"
    assert "baggage" not in headers


def test_what_rules_add_replaces_headers_of_the_same_name():
    call = make_call()
    call.key_headers = (*call.key_headers, ("Anthropic-Version", "other"), ("x-team", "research"))
    headers = provider_headers(call)
    assert headers.count(("anthropic-version", "other")) == 1
    assert len({name for name, _ in headers}) == len(headers)
    assert ("x-team", "research") in headers


ANSWER_HEADERS = (
    ("request-id", "req_1"),
    ("Retry-After", "7"),
    ("x-should-retry", "true"),
    ("Set-Cookie", "a=b"),
    ("anthropic-organization-id", "org"),
    ("anthropic-ratelimit-requests-limit", "50"),
    ("content-encoding", "gzip"),
    ("transfer-encoding", "chunked"),
    ("alt-svc", "h3"),
)


def test_an_openai_agent_gets_what_its_sdk_reads():
    assert dict(agent_headers(ANSWER_HEADERS, "anthropic", "openai-chat")) == {
        "x-request-id": "req_1",
        "retry-after": "7",
        "x-should-retry": "true",
        "x-ratelimit-limit-requests": "50",
    }


@pytest.mark.parametrize(
    ("target", "name"), [("anthropic", "request-id"), ("openai-chat", "x-request-id")]
)
@pytest.mark.parametrize("given", ["request-id", "X-Request-ID"])
def test_the_request_id_has_the_name_that_the_agent_knows(given, target, name):
    assert agent_headers(((given, "req_2"),), "openai-chat", target) == ((name, "req_2"),)


def test_merging_prefers_the_later_and_ignores_case():
    assert merge((("A", "1"), ("b", "2")), (("a", "3"),)) == (("a", "3"), ("b", "2"))


def test_a_call_does_not_show_its_key():
    call = make_call()
    assert PROVIDER_KEY not in repr(call)
    assert PROVIDER_KEY not in repr([call])
