import base64

import pytest
from mitmproxy.test import tflow

from addon.interceptor.identity import Identities, user_name


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def connect(credential, flow=None):
    flow = flow or tflow.tflow()
    flow.request.headers["Proxy-Authorization"] = credential
    return flow


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (basic("planner:x"), "planner"),
        (basic("planner:"), "planner"),
        (basic("planner"), "planner"),
        (basic("plän ner:x:y"), "plän ner"),
        (basic(":x"), None),
        (basic(""), None),
        ("Basic ???", None),
        ("Basic /w==", None),
        ("Bearer abc", None),
        ("", None),
    ],
)
def test_the_user_name_of_a_credential(value, name):
    assert user_name(value) == name


def test_a_connection_keeps_its_name():
    identities = Identities()
    flow = connect(basic("planner:x"))
    identities.note(flow)
    assert "proxy-authorization" not in flow.request.headers
    later = tflow.tflow(client_conn=flow.client_conn)
    later.request.headers["User-Agent"] = "curl/8"
    assert identities.agent(later) == "planner"
    assert identities.agent(tflow.tflow()) != "planner"
    identities.forget(flow.client_conn.id)
    assert identities.agent(later) == "curl"


def test_without_a_name_the_program_says_who_it_is():
    flow = tflow.tflow()
    flow.request.headers["User-Agent"] = "OpenAI/Python 3.52.0"
    assert Identities().agent(flow) == "openai-python"


def test_a_name_that_mitmproxy_has_checked_counts():
    flow = tflow.tflow()
    flow.metadata["proxyauth"] = ("coder", "secret")
    assert Identities().agent(flow) == "coder"


def test_an_unreadable_credential_is_no_name_but_does_not_go_on():
    identities = Identities()
    flow = connect("Basic ???")
    identities.note(flow)
    assert "proxy-authorization" not in flow.request.headers
