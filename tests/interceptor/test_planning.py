import json

import pytest
from mitmproxy.test import tutils

from addon.interceptor.access import all_headers
from addon.interceptor.carrying import plan_carried
from addon.interceptor.endpoints import endpoint_of
from addon.interceptor.planning import Incoming, Pass, Refusal, Route, plan
from addon.neutral import ClientRequestError
from addon.providers import MissingKeyError, provider_for_host
from addon.rules import load_rules
from tests.support.calls import request_body
from tests.support.proxy import PROVIDER_KEY
from tests.support.rules import write_default, write_rules

ENVIRONMENT = {"ANTHROPIC_API_KEY": PROVIDER_KEY}


def decide(text, path="/v1/chat/completions", *, body=None, environment=ENVIRONMENT, **keywords):
    request = tutils.treq(
        host="api.openai.com",
        method=b"POST",
        path=path.encode(),
        headers=((b"x-team", b"research"),),
    )
    incoming = Incoming(
        endpoint=endpoint_of(request, provider_for_host),
        agent="tester",
        headers=all_headers(request),
        body=request_body() if body is None else body,
        matches_filter=lambda expression: expression == "~all",
        **keywords,
    )
    rules = load_rules(text, "rules.yaml", environment, None)
    if incoming.endpoint.format is None:
        return plan_carried(incoming, rules)
    return plan(incoming, rules, 7)


def test_a_call_is_routed():
    planned = decide(write_rules("https://provider.example"))
    assert isinstance(planned, Route)
    call = planned.call
    assert planned.comment == "gpt-5.1 -> anthropic:claude-sonnet-5-5 (all to Claude)"
    assert call.rendered.url == "https://provider.example/v1/messages"
    assert call.key_headers == (("x-api-key", PROVIDER_KEY),)
    assert PROVIDER_KEY not in str(call.rendered)
    assert (call.stream, call.keep_alive) == (True, 7)
    assert planned.original_body == request_body()


def test_a_rules_own_edits_come_first():
    planned = decide(write_rules(set={"temperature": 0.2}, drop=["max_tokens"]))
    sent = json.loads(planned.call.rendered.body)
    assert sent["max_tokens"] != 100  # the provider needs one, but not the agent's
    assert planned.original_body == request_body()
    assert json.loads(planned.call.body)["temperature"] == 0.2


@pytest.mark.parametrize(
    "when",
    [
        {"agent": "tester"},
        {"model": "gpt-*"},
        {"endpoint": "chat"},
        {"provider": "openai"},
        {"header": {"x-team": "research"}},
        {"has": "stream"},
        {"input_tokens": "< 100"},
        {"filter": "~all"},
    ],
)
def test_rules_may_look_at_everything(when):
    assert isinstance(decide(write_rules(when=when)), Route)


@pytest.mark.parametrize("when", [{"agent": "other"}, {"has": "images"}, {"filter": "~none"}])
def test_what_does_not_match_goes_on(when):
    assert isinstance(decide(write_rules(when=when)), Pass)


def test_a_body_that_cannot_be_read_goes_on_when_no_rule_applies():
    assert isinstance(decide(write_default("pass"), body=b"not JSON"), Pass)


def test_a_body_that_cannot_be_read_is_not_sent_elsewhere():
    with pytest.raises(ClientRequestError):
        decide(write_rules(), body=b"not JSON")


def test_a_call_may_be_blocked():
    planned = decide(write_default("block"))
    assert isinstance(planned, Refusal)
    assert planned.error.kind == "permission"
    assert "rules.yaml" in planned.error.message
    assert isinstance(decide(write_rules(use="block")), Refusal)


def test_a_key_must_be_there():
    with pytest.raises(MissingKeyError, match="ANTHROPIC_API_KEY"):
        decide(write_rules(), environment={})


class TestUntranslatable:
    """Addresses that no format covers, and providers that do not offer the same."""

    def test_with_pass_they_go_where_they_were_meant_to_go(self):
        assert isinstance(decide(write_rules(), "/v1/embeddings"), Pass)

    def test_with_block_they_do_not(self):
        planned = decide(write_default("block"), "/v1/embeddings")
        assert planned.error.kind == "permission"

    def test_with_another_provider_they_are_refused(self):
        planned = decide(write_default("anthropic:claude-sonnet-5-5"), "/v1/embeddings")
        assert planned.error.kind == "not_found"
        assert "POST /v1/embeddings" in planned.error.message
