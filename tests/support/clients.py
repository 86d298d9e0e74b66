"""A running Detour, and unmodified clients in front of it as processes of their own."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from addon.embedded import EmbeddedProvider, ReceivedRequest
from tests.support.program import (
    AGENT_KEY,
    DETOUR,
    PROVIDER_KEY,
    Machine,
    background_provider,
    listening_at,
)

PROGRAMS = Path(__file__).parents[1] / "clients" / "programs"
CHAT_URL = "https://api.openai.com/v1/chat/completions"
LONGEST = 60.0
"""Seconds that a client may take for all its cases."""
QUIET = ("--", "--set", "flow_detail=0")
RULES = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
  openai: {{base_url: "{url}/v1", api_key: "{key}"}}
  compatible: {{base_url: "{url}/v1", formats: [openai-chat], api_key: "{key}"}}
  refusing: {{base_url: "{url}", formats: [anthropic], api_key: bad-key}}
rules:
  - name: a key that the provider refuses
    when: {{model: gpt-unauthorized}}
    use: refusing:claude-sonnet-5-5
  - name: Anthropic's format, natively
    when: {{endpoint: messages, agent: native}}
    use: anthropic:*
  - name: Anthropic's format elsewhere
    when: {{endpoint: messages}}
    use: compatible:qwen3-coder
  - name: the same format at OpenAI itself
    when: {{agent: openai}}
    use: openai:*
  - name: the same format under another name
    when: {{agent: renamed}}
    use: openai:gpt-renamed
  - name: the same format elsewhere
    when: {{agent: compatible}}
    use: compatible:qwen3-coder
  - name: a model that obeys forced tool choice
    when: {{model: "gpt-4*"}}
    use: anthropic:claude-sonnet-4-5
  - name: a model that obeys system messages amid the conversation
    when: {{model: "o*"}}
    use: anthropic:claude-opus-5-5
  - name: everything else
    when: {{endpoint: chat}}
    use: anthropic:claude-sonnet-5-5
default: block
"""


def chat_body(text: str, **more: Any) -> bytes:
    """Write the body of a request to Chat Completions."""
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "gpt-5.1", "messages": messages, **more}).encode()


class Outcomes:
    """What one run of a client program printed, and what the provider got meanwhile."""

    def __init__(self, cases: dict[str, Any], requests: Sequence[ReceivedRequest]) -> None:
        self._cases = cases
        self._requests = requests

    def __getitem__(self, case: str) -> Any:
        return self._cases[case]

    def requests(self, case: str) -> list[ReceivedRequest]:
        """Return what the provider got in one case; each case names itself in its prompts."""
        mark = f"(case {case})".encode()
        return [request for request in self._requests if mark in request.body]

    def bodies(self, case: str) -> list[dict[str, Any]]:
        """Return the decoded bodies of the same."""
        return [request.json() for request in self.requests(case)]


class RunningDetour:
    """A `detour serve` with the embedded provider behind it."""

    def __init__(self, machine: Machine, provider: EmbeddedProvider, address: str) -> None:
        self.provider = provider
        self.log = machine.folder / "proxy.log"
        self._machine = machine
        self._address = address
        self._exports: dict[str | None, dict[str, str]] = {}

    def environment(self, agent: str | None = None) -> dict[str, str]:
        """Return what a client's environment holds: what `detour env` prints, and a key."""
        if agent not in self._exports:
            name = ("--agent", agent) if agent else ()
            said = self._machine.run("env", "--proxy", self._address, *name)
            assert said.returncode == 0, said
            exports = [
                shlex.split(line)[1].split("=", 1)
                for line in said.stdout.splitlines()
                if line.startswith("export ")
            ]
            self._exports[agent] = dict(exports)
        environment = self._machine.environment(**self._exports[agent])
        del environment["PYTHONPATH"]
        return environment

    def run(self, program: str, agent: str | None = None, **variables: str) -> Outcomes:
        """Run a client program to its end, under the agent's name."""
        before = len(self.provider.requests)
        interpreter = "node" if program.endswith(".mjs") else sys.executable
        ended = subprocess.run(
            [interpreter, PROGRAMS / program],
            env={**self.environment(agent), **variables},
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        cases = {line["case"]: line["outcome"] for line in lines}
        assert len(cases) == len(lines)
        return Outcomes(cases, self.provider.requests[before:])


@contextlib.contextmanager
def running_detour(machine: Machine) -> Iterator[RunningDetour]:
    """Run the provider and Detour for the length of a block."""
    with background_provider() as provider, contextlib.ExitStack() as stack:
        rules = machine.folder / "rules.yaml"
        rules.write_text(RULES.format(url=provider.base_url, key=PROVIDER_KEY))
        log = stack.enter_context((machine.folder / "proxy.log").open("w"))
        process = subprocess.Popen(
            [*DETOUR, "serve", "--ui", "dump", "--listen", "127.0.0.1:0", *QUIET],
            cwd=machine.folder,
            env=machine.environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            running = RunningDetour(machine, provider, listening_at(process))
            yield running
            process.terminate()
            assert process.wait(10) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            assert process.stdout
            process.stdout.close()
        log.flush()
        said = running.log.read_text()
        assert "Traceback" not in said, said
        assert AGENT_KEY not in said
        assert PROVIDER_KEY not in said
