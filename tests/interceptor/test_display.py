import io
import logging

import pytest
from mitmproxy import flowfilter
from mitmproxy import io as flow_files
from mitmproxy.test import tflow, tutils
from msgspec import structs

from addon.interceptor.access import all_headers
from addon.interceptor.display import show_outcome, show_route
from addon.interceptor.planning import Route
from addon.interceptor.secrecy import HIDDEN, hide_secrets
from addon.neutral import ErrorInfo, Loss, Usage
from addon.views.metadata import ORIGINAL, SUMMARY
from tests.support.calls import make_call, request_body
from tests.support.proxy import AGENT_KEY, PROVIDER_KEY


@pytest.fixture
def flow():
    made = tflow.tflow(
        req=tutils.treq(
            host="api.openai.com",
            scheme=b"https",
            port=443,
            method=b"POST",
            path=b"/v1/chat/completions",
            headers=((b"authorization", b"Bearer " + AGENT_KEY.encode()), (b"x-a", b"1")),
            content=request_body(),
        )
    )
    made.request.http_version = "HTTP/2.0"
    return made


@pytest.fixture
def route(flow):
    call = make_call("https://provider.example")
    call.agent_headers = all_headers(flow.request)
    return Route(
        call=call,
        rule="all to Claude",
        requested_model="gpt-5.1",
        original_body=request_body(),
    )


def saved(flow):
    file = io.BytesIO()
    flow_files.FlowWriter(file).add(flow)
    return file.getvalue()


def test_a_flow_shows_what_the_provider_gets(flow, route):
    original = flow.request
    show_route(flow, route)
    assert flow.request.url == "https://provider.example/v1/messages"
    assert flow.request.content == route.call.rendered.body
    assert flow.request.headers["x-api-key"] == HIDDEN
    assert flow.comment == "gpt-5.1 -> anthropic:claude-sonnet-5-5 (all to Claude)"
    assert flow.request.http_version == "HTTP/2.0"
    # mitmproxy frames its answer by the agent's own request.
    assert original.headers["authorization"] == f"Bearer {AGENT_KEY}"


def test_no_key_is_kept(flow, route):
    show_route(flow, route)
    text = saved(flow)
    assert AGENT_KEY.encode() not in text
    assert PROVIDER_KEY.encode() not in text
    assert b"https://api.openai.com/v1/chat/completions" in text


def test_not_even_in_the_original_address(flow, route):
    flow.request.path = f"/v1/x?key={AGENT_KEY}&a=b"
    show_route(flow, route)
    assert AGENT_KEY.encode() not in saved(flow)
    assert "a=b" in flow.metadata[ORIGINAL]["url"]
    assert flow.metadata[ORIGINAL]["headers"] == [
        ["authorization", HIDDEN],
        ["x-a", "1"],
    ]


def test_the_outcome_is_added_and_told(flow, route, caplog):
    show_route(flow, route)
    outcome = route.call.outcome
    outcome.losses = (Loss("logit_bias", "no such thing"),)
    outcome.usage = Usage(input_tokens=5)
    outcome.status = 200
    with caplog.at_level(logging.INFO):
        show_outcome(flow, route)
    summary = flow.metadata[SUMMARY]
    assert summary["usage"] == {"input_tokens": 5}
    assert summary["losses"][-1]["field"] == "logit_bias"
    assert "gpt-5.1 -> anthropic:claude-sonnet-5-5 (all to Claude): 200" in caplog.text
    assert "logit_bias dropped (no such thing)" in caplog.text


def test_a_failure_is_a_warning(flow, route, caplog):
    show_route(flow, route)
    route.call.outcome.error = ErrorInfo("overloaded", "Overloaded")
    with caplog.at_level(logging.WARNING):
        show_outcome(flow, route)
    assert "overloaded: Overloaded" in caplog.text
    assert saved(flow)


def test_secrets_are_hidden_wherever_they_are():
    request = tutils.treq(
        path=b"/v1beta/models/x:generateContent?alt=sse&key=sk-1&key=sk-2",
        headers=((b"Cookie", b"a=b"), (b"X-Goog-Api-Key", b"sk-3"), (b"accept", b"*/*")),
    )
    hide_secrets(request)
    assert "sk-" not in str(request.headers) + request.path
    assert request.query["alt"] == "sse"
    assert request.headers["accept"] == "*/*"
    response = tutils.tresp(headers=((b"set-cookie", b"a=b"),))
    hide_secrets(response)
    assert response.headers["set-cookie"] == HIDDEN


def test_what_is_no_text_can_be_saved_all_the_same(flow, route):
    flow.request.headers.fields = ((b"x-name", b"\xff\xfe"), *flow.request.headers.fields)
    flow.request.data.path = b"/v1/chat/completions?\xff"
    route.call.agent_headers = all_headers(flow.request)
    route = structs.replace(route, requested_model="gpt-\ud800", rule="a\udcff")
    show_route(flow, route)
    route.call.outcome.error = ErrorInfo("server_error", "\udc80")
    show_outcome(flow, route)
    assert saved(flow)


def test_flows_are_found_by_what_became_of_them(flow, route):
    show_route(flow, route)

    def finds(expression):
        return bool(flowfilter.match(expression, flow))

    assert finds('~meta "detour.provider: anthropic"')
    assert finds('~meta "detour.model: claude-.*"')
    assert finds('~meta "detour.requested_model: gpt-5"')
    assert finds('~meta "detour.rule: all to Claude"')
    assert not finds('~meta "detour.provider: openai"')
    # What is kept at length is no part of that: everything would be found by everything.
    assert not finds("~meta messages")
    assert not finds("~meta logit_bias")
