"""Where figures come from: the machine, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from addon import __version__

QUIET = 0.7
"""Load average of a machine that does nothing else."""

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The circumstances of a run."""

    date: str
    cpu: str
    cores: int
    system: str
    load: float
    """Load average of the minute before the run."""
    python: str
    mitmproxy: str
    detour: str
    msgspec: str
    httpx2: str

    @property
    def busy(self) -> bool:
        """Whether other programs were at work, which makes every figure doubtful."""
        return self.load > QUIET


def this_machine() -> Machine:
    """Describe this machine, now."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        load=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        mitmproxy=version("mitmproxy"),
        detour=" ".join(filter(None, (__version__, _commit()))),
        msgspec=version("msgspec"),
        httpx2=version("httpx2"),
    )


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"({described.stdout.strip()})" if described.returncode == 0 else ""
