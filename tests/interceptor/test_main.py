"""mitmproxy's own programs with Detour as a script, in processes of their own."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.support.calls import request_body
from tests.support.proxy import AGENT_KEY, agent_context, configuration_folder
from tests.support.rules import write_default

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def start(tmp_path):
    """Starts mitmdump from a folder that is not the repository's, with nothing on the path."""
    processes = []

    def run(*settings):
        arguments = [item for setting in settings for item in ("--set", setting)]
        process = subprocess.Popen(
            [
                PROGRAMS / "mitmdump",
                *("-s", ROOT / "addon" / "main.py"),
                *("--listen-host", "127.0.0.1", "--listen-port", "0"),
                *("--set", f"confdir={configuration_folder()}", *arguments),
            ],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def wait_for_port(process):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if match := re.search(r"proxy listening at 127\.0\.0\.1:(\d+)", line):
            return int(match[1]), lines
    raise AssertionError("".join(lines))


def test_a_plain_script(start, tmp_path):
    rules = tmp_path / "my rules.yaml"
    rules.write_text(write_default("block"))
    process = start(f"detour_rules={rules}")
    port, _ = wait_for_port(process)
    proxy = f"http://127.0.0.1:{port}"
    with httpx2.Client(proxy=proxy, verify=agent_context(), trust_env=False) as client:
        answer = client.post(
            "https://api.openai.com/v1/chat/completions",
            content=request_body(),
            headers={"authorization": f"Bearer {AGENT_KEY}"},
        )
    assert answer.status_code == 403
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=10)[0]
    assert process.returncode == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in output
    assert AGENT_KEY not in output


def test_mistakes_in_the_rules_do_not_keep_it_from_answering(start):
    process = start("detour_rules=missing.yaml")
    port, lines = wait_for_port(process)
    proxy = f"http://127.0.0.1:{port}"
    with httpx2.Client(proxy=proxy, verify=agent_context(), trust_env=False) as client:
        answer = client.post("https://api.openai.com/v1/chat/completions", content=request_body())
    assert answer.status_code == 400
    assert "missing.yaml" in answer.json()["error"]["message"]
    del lines


def test_an_option_that_cannot_be_read_keeps_it_from_starting(start):
    process = start("detour_flow_limit=many")
    output = process.communicate(timeout=15)[0]
    assert process.returncode == 1
    assert "detour_flow_limit must be a number, not 'many'" in output
