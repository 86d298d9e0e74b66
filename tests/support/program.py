"""The program `detour` as a child process, with a home of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from addon.embedded import EmbeddedProvider

ROOT = Path(__file__).parents[2]
DETOUR = [sys.executable, "-P", "-m", "addon"]
WITHOUT = Path(__file__).with_name("without")
"""Hides what users do not have, and every program would import: trio comes with selenium alone."""
LISTENING = "Detour is listening on "
AGENT_KEY = "sk-agent-0123456789abcdef"
PROVIDER_KEY = "sk-provider-fedcba9876543210"
RULES = """\
version: 1
providers:
  anthropic: {{base_url: "{url}", api_key: "{key}"}}
rules:
  - name: everything
    use: anthropic:claude-sonnet-4-5
"""


@contextlib.contextmanager
def background_provider() -> Iterator[EmbeddedProvider]:
    """Run the embedded provider in a thread, for tests that wait for child processes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    provider = EmbeddedProvider()
    try:
        asyncio.run_coroutine_threadsafe(provider.__aenter__(), loop).result(10)
        try:
            yield provider
        finally:
            asyncio.run_coroutine_threadsafe(provider.__aexit__(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Machine:
    """A user's home, a folder with a rules file, and a clean environment."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home = home
        self.folder = folder

    def write_rules(self, url: str) -> Path:
        """Write rules that send everything to a provider at this URL."""
        path = self.folder / "rules.yaml"
        path.write_text(RULES.format(url=url, key=PROVIDER_KEY))
        return path

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{WITHOUT}:{ROOT}",
            "OPENAI_API_KEY": AGENT_KEY,
            **more,
        }

    def run(
        self, *arguments: str, timeout: float = 60, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*DETOUR, *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    @contextlib.contextmanager
    def start(self, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command for the length of a block."""
        process = subprocess.Popen(
            [*DETOUR, *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()


def listening_at(process: subprocess.Popen[str]) -> str:
    """Wait for the line that scripts wait for, and return HOST:PORT."""
    assert process.stdout
    impatience = threading.Timer(60, process.kill)
    impatience.start()
    try:
        line = process.stdout.readline()
    finally:
        impatience.cancel()
    assert line.startswith(LISTENING), (line, process.stderr and process.stderr.read())
    return line.removeprefix(LISTENING).strip()
