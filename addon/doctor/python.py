"""Whether Python and mitmproxy are of versions that Detour works with."""

from __future__ import annotations

import importlib.metadata
import sys

from addon.doctor.finding import Finding
from addon.doctor.machine import Machine

LEAST_PYTHON = (3, 12)
MITMPROXY = ((12, 2, 3), (13,))
"""The first version that will do, and the first that will not."""
_INSTALLING = (
    "Install mitmproxy 12.2.3 or newer of version 12: `scripts/detour` does it in a checkout, "
    "`pip install 'mitmproxy>=12.2.3,<13'` elsewhere."
)


async def examine(_machine: Machine) -> list[Finding]:
    """Look at the versions."""
    return [_python(sys.version_info[:3]), _mitmproxy(_installed("mitmproxy"))]


def _python(version: tuple[int, ...]) -> Finding:
    shown = ".".join(map(str, version))
    if version >= LEAST_PYTHON:
        return Finding(check="python", state="ok", message=f"Python {shown} ({sys.executable})")
    return Finding(
        check="python",
        state="failed",
        message=f"Python {shown} is too old ({sys.executable})",
        remedy="Install Python 3.12 or newer, for example with `uv python install 3.13`.",
    )


def _mitmproxy(version: str | None) -> Finding:
    if version is None:
        message = "mitmproxy is not installed"
        return Finding(check="python", state="failed", message=message, remedy=_INSTALLING)
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdecimal())
    first, beyond = MITMPROXY
    if first <= numbers < beyond:
        return Finding(check="python", state="ok", message=f"mitmproxy {version}")
    message = f"mitmproxy {version} is not one that Detour works with"
    return Finding(check="python", state="failed", message=message, remedy=_INSTALLING)


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
