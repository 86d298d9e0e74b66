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
    async with _stage(folder) as stage:
        bare = ("-c", _MITMDUMP, "--listen-host=127.0.0.1", "--listen-port=0", *stage.settings)
        bare += ("--set=connection_strategy=lazy", "--set=http2=false")
        bare += ("-s", str(Path(__file__).with_name("bare_addon.py")))
        variables = {"BENCHMARK_PROVIDER_PORT": str(stage.provider)}
        yield [
            Way("direct", stage.provider, stage.certificates),
            await stage.start("bare", _MITMPROXY_IS_READY, *bare, **variables),
            await stage.detour("detour", "--ui=dump"),
        ]


@asynccontextmanager
async def watching_ways(folder: Path) -> AsyncGenerator[tuple[Way, Way]]:
    """Start two Detours in mitmweb: one that neither records nor keeps streams, one that does both.

    Raises:
        StartError: One does not start.
    """
    web = ("--ui=web", "--web=127.0.0.1:0")
    off = ("--set=detour_ledger_size=0", "--set=detour_stream_limit=0")
    async with _stage(folder) as stage:
        yield await stage.detour("off", *web, options=off), await stage.detour("on", *web)


class _Stage:
    """A provider, and what starts beside it."""

    def __init__(self, folder: Path, certificates: Certificates, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.certificates = certificates
        self.settings = (
            f"--set=confdir={certificates.mitmproxy_folder}",
            f"--set=ssl_verify_upstream_trusted_ca={certificates.provider_authority}",
            "--set=flow_detail=0",
        )
        self.logs: list[Path] = []
        self.provider = 0
        """The provider's port."""
        self._stack = stack

    async def start(
        self, name: str, ready: re.Pattern[str], *arguments: str | Path, **variables: str
    ) -> Way:
        log = self.folder / f"{name}.log"
        self.logs.append(log)
        running = _running(arguments, log, ready, variables)
        process, port = await self._stack.enter_async_context(running)
        return Way(name, port, self.certificates, process)

    async def detour(self, name: str, *arguments: str, options: Sequence[str] = ()) -> Way:
        rules = _written(self.folder / "rules.yaml", _RULES.format(port=self.provider))
        detour = ("-P", "-m", "addon", "serve", "--listen=127.0.0.1:0", *arguments)
        detour += (f"--rules={rules}", f"--home={self.folder / f'home-{name}'}")
        return await self.start(name, _DETOUR_IS_READY, *detour, "--", *self.settings, *options)


@asynccontextmanager
async def _stage(folder: Path) -> AsyncGenerator[_Stage]:
    """Start the provider, and tell what all processes said where an answer is not right."""
    async with AsyncExitStack() as stack:
        stage = _Stage(folder, make_certificates(folder), stack)
        provider = ("-m", "benchmarks.fast_provider", stage.certificates.provider)
        stage.provider = (await stage.start("provider", _PROVIDER_IS_READY, *provider)).port
        try:
            yield stage
        except AnswerError as error:
            for log in stage.logs:
                error.add_note(f"--- {log.stem}\n{_tail(log)}")
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
