"""A proxy of one's own, started for one agent and ended with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from addon.commands.options import LISTENING, Address, AddressType

LOG = "proxy.log"
"""In the home folder: what the proxies that `detour run` starts have to say."""
LONGEST_LOG = 10_000_000
"""Bytes after which a new log is begun; one old log is kept."""


class ProxyProcess:
    """A running `detour serve`."""

    def __init__(self, address: Address, log: Path, begins_at: int) -> None:
        self.address = address
        self._log = log
        self._begins_at = begins_at

    def read_log(self) -> str:
        """Return what this proxy has logged."""
        with self._log.open("rb") as file:
            file.seek(self._begins_at)
            return file.read().decode(errors="replace")


@contextmanager
def start_proxy(rules: Path, home: Path) -> Generator[ProxyProcess]:
    """Run a proxy on a free port for the length of a block.

    It ends with this process however that ends, for it watches the pipe on its standard input. It
    is in a session of its own: Ctrl-C in the terminal is the agent's.

    Raises:
        ClickException: It does not start; the message says why.
    """
    command = [sys.executable, "-P", "-m", "addon", "serve", "--ui", "dump", "--end-with-stdin"]
    command += ["--listen", "127.0.0.1:0", "--rules", str(rules), "--home", str(home)]
    command += ["--", "--set", "flow_detail=0", "--set", "detour_dashboard=off"]
    log = home / LOG
    if log.is_file() and log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_suffix(".log.old"))
    with log.open("ab") as errors:
        begins_at = errors.tell()
        process = subprocess.Popen(  # noqa: S603 - this very program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        assert process.stdout
        line = process.stdout.readline().decode()
        if not line.startswith(LISTENING):
            process.wait()
            with log.open("rb") as file:
                file.seek(begins_at)
                reason = file.read().decode(errors="replace").strip()
            raise click.ClickException(f"the proxy did not start.\n{reason}")
        address = AddressType().convert(line.removeprefix(LISTENING).strip(), None, None)
        yield ProxyProcess(address, log, begins_at)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
