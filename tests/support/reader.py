"""Somebody who follows README: a working folder, a home, agents, and what stands on PATH."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from addon.embedded import EmbeddedProvider
from tests.support.program import AGENT_KEY, ROOT

README = ROOT / "README.md"
AGENTS = ROOT / "tests" / "readme" / "agents"
PROVIDER_KEY = "your-key"
"""README's own."""
LONGEST = 120.0
_PORTS = (8080, 8081)
"""The ports that README's commands use."""

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_PROGRAMS = ("scripts/", "mitmweb ", "pip ")


def blocks(markdown: str, language: str) -> list[str]:
    """Return the code blocks of a language."""
    return [text for name, text in _FENCED.findall(markdown) if name == language]


def commands(markdown: str) -> list[str]:
    """Return the commands of all shell blocks, and those within the text, each once."""
    found: list[str] = []
    for block in blocks(markdown, "sh"):
        whole = re.sub(r"(\||\\)\n", r"\1\0", block)
        found += [line.replace("\0", "\n") for line in whole.splitlines() if line.strip()]
    prose = _FENCED.sub("", markdown)
    found += [span for span in _INLINE.findall(prose) if span.startswith(_PROGRAMS)]
    return list(dict.fromkeys(found))


class Reader:
    """Runs commands as they are written."""

    def __init__(self, folder: Path, provider: EmbeddedProvider) -> None:
        self.folder = folder
        self.provider = provider
        self._tools = folder.parent / "tools"
        self._home = folder.parent / "home"
        self._lay_out()

    def _lay_out(self) -> None:
        """Put into the folder what a checkout has, and beside it the reader's own things."""
        for folder in (self.folder / "scripts", self._tools, self._home / ".mitmproxy"):
            folder.mkdir(parents=True)
        (self.folder / "scripts" / "detour").symlink_to(ROOT / "scripts" / "detour")
        (self.folder / "addon").symlink_to(ROOT / "addon")
        shutil.copy(AGENTS / "my_agent.py", self.folder)
        shutil.copy(AGENTS / "my_agent.mjs", self.folder)
        question = '{"model": "gpt-5", "messages": [{"role": "user", "content": "Who are you?"}]}'
        (self.folder / "request.json").write_text(question)
        self._stand_in(self.folder / "my_agent")
        for agent in ("codex", "opencode"):
            self._stand_in(self._tools / agent)
        if shutil.which("node") is None:
            self._stand_in(self._tools / "node")
        # The shipped rules, but for where Anthropic is.
        shipped = (ROOT / "rules.yaml").read_text()
        key = "    api_key: ${ANTHROPIC_API_KEY}"
        assert shipped.count(key) == 1
        there = f"    base_url: {self.provider.base_url}\n{key}"
        (self.folder / "rules.yaml").write_text(shipped.replace(key, there))
        # Whoever runs the tests at a desk does not want a window with mitmweb.
        (self._home / ".mitmproxy" / "config.yaml").write_text("web_open_browser: false\n")

    def _stand_in(self, path: Path) -> None:
        script = (AGENTS / "stand_in.py").read_text()
        path.write_text(f"#!{sys.executable}\n{script}")
        path.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """Return the reader's own variables: keys, and nothing of a proxy."""
        python = Path(sys.executable).parent
        return {
            "HOME": str(self._home),
            "PATH": f"{self._tools}:{python}:{os.environ['PATH']}",
            "OPENAI_API_KEY": AGENT_KEY,
            "ANTHROPIC_API_KEY": PROVIDER_KEY,
        }

    def run(self, command: str) -> str:
        """Run a command to its good end, and return what it prints."""
        ended = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        return ended.stdout

    @contextlib.contextmanager
    def running(self, command: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command that goes on until it is told to end, which it must do in good order."""
        wait_for_ports()
        with (self.folder / "log").open("w") as log:
            process = subprocess.Popen(
                command.split(),
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout
        try:
            self._wait_until_reachable(process)
            yield process
            process.terminate()
            assert process.wait(10) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()

    def _wait_until_reachable(self, process: subprocess.Popen[str]) -> None:
        """Wait until the proxy takes connections."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            assert process.poll() is None, (self.folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", _PORTS[0]), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(process.args)


def wait_for_ports() -> None:
    """Wait for README's ports; the machine may be running another of its proxies."""
    deadline = time.monotonic() + 20
    while not all(is_free(port) for port in _PORTS):
        if time.monotonic() > deadline:
            pytest.skip(f"another program uses port {_PORTS[0]} or {_PORTS[1]} of this machine")
        time.sleep(0.1)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
