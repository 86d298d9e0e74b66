"""Which process listens on a port, and whether it is Detour itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_PATIENCE = 3.0
_PROCESSES = Path("/proc")
"""Linux's own tables."""
_LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp."""
_OURS = ("addon serve", "detour serve", "addon/main.py", "addon run", "detour run")


class Holder(NamedTuple):
    """The process that holds a port."""

    pid: int
    command: str

    @property
    def is_detour(self) -> bool:
        """Whether it is a proxy of ours."""
        return any(words in self.command for words in _OURS)


def ports_of_detour(ports: Iterable[int]) -> list[int]:
    """Return those of some ports at which a proxy of ours listens."""
    holders = ((port, find_holder(port)) for port in ports)
    return [port for port, holder in holders if holder is not None and holder.is_detour]


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
    if not inodes:
        return None
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
