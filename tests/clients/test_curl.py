"""The unmodified curl, plain and streaming."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.clients import CHAT_URL, RunningDetour, chat_body
from tests.support.proxy import authority, server_context
from tests.support.streams import data_of, text_of

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(params=[None, "compatible"], ids=["claude", "compatible"])
def agent(request: pytest.FixtureRequest) -> str | None:
    return request.param


def curl(detour: RunningDetour, agent: str | None, body: bytes, *options: str) -> bytes:
    command = ["curl", "-sS", *options, CHAT_URL, "-H", "content-type: application/json"]
    ended = subprocess.run(
        [*command, "-H", "authorization: Bearer sk-of-the-agent", "-d", "@-"],
        env=detour.environment(agent),
        input=body,
        capture_output=True,
        timeout=20,
    )
    assert (ended.returncode, ended.stderr) == (0, b""), ended
    return ended.stdout


def test_a_plain_answer(detour: RunningDetour, agent: str | None) -> None:
    said = curl(detour, agent, chat_body("[[say Good day]]"), "--fail")
    answer = json.loads(said)
    assert answer["choices"][0]["message"]["content"] == "Good day"


def test_a_stream(detour: RunningDetour, agent: str | None) -> None:
    said = curl(detour, agent, chat_body("[[say Good day to you]]", stream=True), "-N")
    assert text_of(said) == "Good day to you"
    assert data_of(said).count("[DONE]") == 1
    assert data_of(said)[-1] == "[DONE]"


def test_a_stream_that_breaks_off_has_no_good_end(detour: RunningDetour, agent: str | None) -> None:
    said = curl(detour, agent, chat_body("[[events 30]] [[cut 20]]", stream=True), "-N")
    *chunks, last = data_of(said)
    assert last["error"]["code"] == "upstream_cut"
    assert "[DONE]" not in chunks
    assert not any(choice["finish_reason"] for chunk in chunks for choice in chunk["choices"])


def test_status_and_headers_of_an_error(detour: RunningDetour, agent: str | None) -> None:
    prompt = "[[error 429 rate_limit_error Slow down]] [[retry-after 7]]"
    head, _, body = curl(detour, agent, chat_body(prompt), "-i").rpartition(b"\r\n\r\n")
    # In front of it stands the proxy's own answer to CONNECT.
    *_, status, headers = head.rpartition(b"HTTP/1.1 ")
    assert headers.startswith(b"429 ")
    assert b"\r\nretry-after: 7\r\n" in headers.lower()
    assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    assert status == b"HTTP/1.1 "


async def test_other_hosts_keep_their_own_certificate(
    detour: RunningDetour, tmp_path: Path
) -> None:
    roots = tmp_path / "roots.pem"
    authority().cert_pem.write_to_path(str(roots))
    async with EmbeddedProvider(certificate=server_context("127.0.0.1")) as elsewhere:
        client = await asyncio.create_subprocess_exec(
            *("curl", "-sS", "--noproxy", "", "--cacert", str(roots), "-w", "%{http_connect}"),
            f"{elsewhere.base_url}/nothing",
            env=detour.environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await asyncio.wait_for(client.communicate(), 20)
    assert b"Not Found: /nothing" in said
    assert said.endswith(b"200"), "the way led through the proxy"
