"""An agent and a provider of the same format: the bytes stay as they are.

The client is Python's own urllib, a process of its own that sends and prints raw bytes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request

import pytest

from tests.support.clients import PROGRAMS, RunningDetour

ODD = (
    '{ "model" :"gpt-5.1",\n\t"messages":[{"content":"[[say Gr\\u00fc\\u00DFe \\/ ü 😀]]", '
    '"role":"user"} ],  "seed":7, "temperature": 1.0E0,"logit_bias":{}, "user" : "\\u0041"%s }\n'
)
"""A request as no encoder would write it."""
PLAIN = (ODD % "").encode()
STREAM = (ODD % ',"stream":true,"stream_options":{"include_usage":true}').encode()
_OWN = re.compile(rb"chatcmpl-[A-Z0-9]+|call_[A-Z0-9]+")


def send(detour: RunningDetour, agent: str, body: bytes) -> tuple[bytes, bytes]:
    """Return what the provider got and what the client got."""
    before = len(detour.provider.requests)
    ended = subprocess.run(
        [sys.executable, PROGRAMS / "standard_library.py"],
        env=detour.environment(agent),
        input=body,
        capture_output=True,
        timeout=20,
    )
    assert (ended.returncode, ended.stderr) == (0, b"200\n"), ended
    (request,) = detour.provider.requests[before:]
    return request.body, ended.stdout


def ask_directly(detour: RunningDetour, body: bytes) -> bytes:
    """Return what the provider answers when nobody stands between."""
    headers = {"content-type": "application/json", "authorization": "Bearer any"}
    url = f"{detour.provider.base_url}/v1/chat/completions"
    request = urllib.request.Request(url, data=body, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        return answer.read()


def anonymous(answer: bytes) -> bytes:
    """Take out the ids, which differ from call to call."""
    return _OWN.sub(b"id", answer)


@pytest.mark.parametrize("body", [PLAIN, STREAM], ids=["plain", "stream"])
def test_nothing_is_changed_at_openai_itself(detour: RunningDetour, body: bytes) -> None:
    sent, got = send(detour, "openai", body)
    assert sent == body
    assert anonymous(got) == anonymous(ask_directly(detour, body))


@pytest.mark.parametrize("body", [PLAIN, STREAM], ids=["plain", "stream"])
def test_only_the_models_name_is_changed_by_a_rule_that_does_so(
    detour: RunningDetour, body: bytes
) -> None:
    sent, got = send(detour, "renamed", body)
    assert sent == body.replace(b'"gpt-5.1"', b'"gpt-renamed"')
    assert anonymous(got) == anonymous(ask_directly(detour, sent))


@pytest.mark.parametrize("body", [PLAIN, STREAM], ids=["plain", "stream"])
def test_only_what_another_server_refuses_is_taken_out(detour: RunningDetour, body: bytes) -> None:
    sent, got = send(detour, "compatible", body)
    assert b'"messages":[{"content":"[[say Gr\\u00fc\\u00DFe' in sent
    assert b'"seed":7, "temperature": 1.0E0,' in sent
    assert b"logit_bias" not in sent
    assert anonymous(got) == anonymous(ask_directly(detour, sent))


def test_the_agents_key_is_replaced(detour: RunningDetour) -> None:
    send(detour, "openai", PLAIN)
    assert detour.provider.requests[-1].header("authorization") == (
        "Bearer sk-provider-fedcba9876543210"
    )
