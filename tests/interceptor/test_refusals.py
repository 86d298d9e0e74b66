import json
import logging

import msgspec
from mitmproxy.test import tflow

from addon.formats import FORMATS
from addon.interceptor.refusals import refuse
from addon.neutral import ErrorInfo


def refused(format="openai-chat", **keywords):
    flow = tflow.tflow()
    refuse(flow, ErrorInfo("invalid_request", "no"), format, **keywords)
    return flow.response


def test_an_error_is_in_the_agents_format():
    assert refused().status_code == 400
    assert json.loads(refused().content)["error"]["message"] == "no"
    assert json.loads(refused("anthropic").content)["type"] == "error"


def test_no_client_tries_again():
    assert refused().headers["x-should-retry"] == "false"


def test_status_and_headers_can_be_given():
    response = refused(status=426, headers={"upgrade": "HTTP/1.1"})
    assert (response.status_code, response.headers["upgrade"]) == (426, "HTTP/1.1")


def test_even_a_broken_format_does_not_let_a_call_through(monkeypatch, caplog):
    def fail(_):
        raise RuntimeError("a bug")

    broken = msgspec.structs.replace(FORMATS["openai-chat"], render_error=fail)
    monkeypatch.setitem(FORMATS, "openai-chat", broken)
    with caplog.at_level(logging.ERROR):
        response = refused()
    assert response.status_code == 500
    assert json.loads(response.content)["error"]["code"] == "detour_failed"
    assert "a bug" in caplog.text
