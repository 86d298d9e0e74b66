"""The processes of a benchmark: a provider, bare mitmproxy and Detour."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.agent import Agent, AnswerError
from benchmarks.certificates import Certificates, make_certificates

START_LIMIT = 30.0
"""Seconds that a process has to start."""
END_LIMIT = 5.0
"""Seconds that it has to end after it was told to."""

_ROOT = Path(__file__).parents[2]
_PROVIDER_IS_READY = re.compile(r"^(\d+)$", re.MULTILINE)
_MITMPROXY_IS_READY = re.compile(r"listening at \S*:(\d+)")
_DETOUR_IS_READY = re.compile(r"Detour is listening on \S*:(\d+)")
_MITMDUMP = "import sys; from mitmproxy.tools.main import mitmdump; sys.exit(mitmdump())"
_RULES = """\
version: 1
providers:
  benchmark: {{base_url: "https://127.0.0.1:{port}", formats: [anthropic], api_key: benchmark}}
rules:
  - name: everything goes to the provider of the benchmark
    use: benchmark:claude-sonnet-4-5
"""


class StartError(Exception):
    """A process did not start."""


@dataclass(frozen=True)
class Way:
    """One way from the agent to the provider."""

    name: str
    """`direct`, `bare` or `detour`."""
    port: int
    certificates: Certificates
    process: int = 0
    """Id of the proxy; 0 where there is none."""

    async def connect(self) -> Agent:
        """Connect an agent."""
        context = self.certificates.agent_context
        return await Agent.connect(self.name, self.port, context, proxy=self.process > 0)

    def cpu(self) -> float:
        """Return the CPU seconds that the proxy has used so far, all its threads together."""
        # Linux counts the CPU time of every process by a clock of its own, of this number; see
        # clock_getcpuclockid(3). /proc knows it too, but only in steps of 10 ms.
        return time.clock_gettime((~self.process << 3) | 2) if self.process else 0.0

    def memory(self) -> float:
        """Return the proxy's resident memory in MB."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def ways(folder: Path) -> AsyncGenerator[list[Way]]:
    """Start the provider and both proxies, and end them afterwards.

    Raises:
        StartError: One does not start.
    """
    certificates = make_certificates(folder)
    settings = [
        f"--set=confdir={certificates.mitmproxy_folder}",
        f"--set=ssl_verify_upstream_trusted_ca={certificates.provider_authority}",
        "--set=flow_detail=0",
    ]
    async with AsyncExitStack() as stack:

        async def start(
            name: str, ready: re.Pattern[str], *arguments: str | Path, **variables: str
        ) -> tuple[int, int]:
            log = folder / f"{name}.log"
            return await stack.enter_async_context(_running(arguments, log, ready, variables))

        provider = ("-m", "benchmarks.fast_provider", certificates.provider)
        _, port = await start("provider", _PROVIDER_IS_READY, *provider)
        bare = ("-c", _MITMDUMP, "--listen-host=127.0.0.1", "--listen-port=0", *settings)
        bare += ("--set=connection_strategy=lazy", "--set=http2=false")
        bare += ("-s", str(Path(__file__).with_name("bare_addon.py")))
        bare_process, bare_port = await start(
            "mitmproxy", _MITMPROXY_IS_READY, *bare, BENCHMARK_PROVIDER_PORT=str(port)
        )
        rules = _written(folder / "rules.yaml", _RULES.format(port=port))
        detour = ("-P", "-m", "addon", "serve", "--ui=dump", "--listen=127.0.0.1:0")
        detour += (f"--rules={rules}", f"--home={folder / 'home'}", "--", *settings)
        detour_process, detour_port = await start("detour", _DETOUR_IS_READY, *detour)
        try:
            yield [
                Way("direct", port, certificates),
                Way("bare", bare_port, certificates, bare_process),
                Way("detour", detour_port, certificates, detour_process),
            ]
        except AnswerError as error:
            for name in ("provider", "mitmproxy", "detour"):
                error.add_note(f"--- {name}\n{_tail(folder / f'{name}.log')}")
            raise


@asynccontextmanager
async def _running(
    arguments: Sequence[str | Path],
    log: Path,
    ready: re.Pattern[str],
    variables: dict[str, str],
) -> AsyncGenerator[tuple[int, int]]:
    """Run Python until it is no longer needed; give its process id and the port it listens on."""
    path = os.pathsep.join((str(_ROOT / "scripts"), str(_ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **variables}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=PIPE,
            stdout=output,
            stderr=STDOUT,
            env=environment,
            cwd=log.parent,
        )
    try:
        yield process.pid, await _port(process, log, ready)
    finally:
        await _end(process)


async def _port(process: Process, log: Path, ready: re.Pattern[str]) -> int:
    deadline = time.monotonic() + START_LIMIT
    while process.returncode is None and time.monotonic() < deadline:
        if found := ready.search(_tail(log)):
            return int(found[1])
        await asyncio.sleep(0.02)
    raise StartError(f"{log.stem} did not start:\n{_tail(log)}")


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
