"""A real llama.cpp server with the tiny model, where the program is installed.

It is looked for under the name in DETOUR_LLAMA_SERVER, else as `llama-server` on PATH.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tiny_model import write_tiny_model

PROGRAM = shutil.which(os.environ.get("DETOUR_LLAMA_SERVER") or "llama-server")
CONTEXT = 16384
"""Tokens of one conversation."""

needs_llama_server = pytest.mark.skipif(
    PROGRAM is None,
    reason="llama.cpp's llama-server is not installed (name it in DETOUR_LLAMA_SERVER)",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def llama_server(folder: Path, *options: str, alias: str = "tiny") -> Iterator[int]:
    """Run the server for the length of a block, and give its port."""
    model = write_tiny_model(folder / f"{alias}.gguf")
    with _running(folder, "-m", model.name, "--alias", alias, "--parallel", "1", *options) as port:
        yield port


@contextlib.contextmanager
def llama_router(folder: Path, *names: str) -> Iterator[int]:
    """Run one that loads each of several models when it is asked for."""
    models = folder / "models"
    models.mkdir()
    for name in names:
        write_tiny_model(models / f"{name}.gguf")
    with _running(folder, "--models-dir", "models") as port:
        yield port


@contextlib.contextmanager
def _running(folder: Path, *options: str) -> Iterator[int]:
    assert PROGRAM
    port = free_port()
    command = [PROGRAM, "--host", "127.0.0.1", "--port", str(port), "-c", str(CONTEXT)]
    command += ["-t", "1", "--jinja", *options]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        try:
            _wait_until_ready(process, port, log)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())
