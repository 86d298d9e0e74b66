"""Whether the ports are free, or held by Detour itself."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

from addon.commands.options import Address
from addon.doctor.finding import Finding
from addon.doctor.machine import Machine

_PATIENCE = 3.0
_PROCESSES = Path("/proc")
"""Linux's own tables."""
_LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp."""
_OURS = ("addon serve", "detour serve", "addon/main.py", "addon run", "detour run")
_SHOWN = 60
"""Characters of a command line."""


class Holder(NamedTuple):
    """The process that holds a port."""

    pid: int
    command: str

    @property
    def is_detour(self) -> bool:
        """Whether it is a proxy of ours."""
        return any(words in self.command for words in _OURS)


async def examine(machine: Machine) -> list[Finding]:
    """Look at both ports."""
    ports = ((machine.listen, "--listen", "agents"), (machine.web, "--web", "the pages"))
    return [await asyncio.to_thread(_examine, *port) for port in ports]


def _examine(address: Address, option: str, use: str) -> Finding:
    trouble = _trouble(address)
    if trouble is None:
        return Finding(check="ports", state="ok", message=f"{address} is free, for {use}")
    if trouble != errno.EADDRINUSE:
        message = f"{address} cannot be listened on: {os.strerror(trouble)}"
        remedy = f"Choose another address: `detour serve {option} HOST:PORT`."
        return Finding(check="ports", state="failed", message=message, remedy=remedy)
    holder = find_holder(address.port)
    if holder is not None and holder.is_detour:
        message = f"{address} is held by a Detour that runs (process {holder.pid}), for {use}"
        return Finding(check="ports", state="ok", message=message)
    who = f"process {holder.pid}: {holder.command[:_SHOWN]}" if holder else "another program"
    free = f"{address.host}:{_free_port(address.host)}"
    return Finding(
        check="ports",
        state="failed",
        message=f"{address}, for {use}, is held by {who}",
        remedy=f"Stop that program, or take another port: `detour serve {option} {free}`.",
    )


def _trouble(address: Address) -> int | None:
    """Return the number of the error with which an address cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return None


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def find_holder(port: int) -> Holder | None:
    """Find the process that listens on a port; None where that cannot be told."""
    pid = _by_proc(port) if _PROCESSES.exists() else _by_lsof(port)
    return None if pid is None else Holder(pid, _command(pid))


def _by_proc(port: int) -> int | None:
    """Look it up in Linux's tables: the socket's inode, then whose it is."""
    inodes: set[str] = set()
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (_PROCESSES / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for folder in _PROCESSES.glob("[0-9]*/fd"):
        try:
            if any(str(link.readlink()) in inodes for link in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:
            continue  # somebody else's, or gone
    return None


def _by_lsof(port: int) -> int | None:
    lsof = shutil.which("lsof")
    if lsof is None:
        return None
    command = [lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-t"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE).stdout  # noqa: S603 - a program of the system
    except (OSError, subprocess.SubprocessError):
        return None
    first = said.split("\n")[0]
    return int(first) if first.isdecimal() else None


def _command(pid: int) -> str:
    try:
        return (
            (_PROCESSES / f"{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
        )
    except OSError:
        pass
    command = ["ps", "-o", "command=", "-p", str(pid)]
    try:
        shown = subprocess.run(  # noqa: S603 - a fixed program
            command, capture_output=True, text=True, timeout=_PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return shown.stdout.strip()
