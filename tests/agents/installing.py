"""Installing agents, each into a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.agents.agent import NODE, PROGRAMS, Agent, search_path

NODE_PACKAGE = "node@24.21.0"
"""The newest agents need a Node that many machines do not have."""


class InstallationError(Exception):
    """An agent cannot be installed here; the text says why."""


def install(agent: Agent, home: Path) -> None:
    """Install an agent, unless it is there in these versions.

    Raises:
        InstallationError: It could not be.
    """
    if agent.is_installed(home):
        return
    if agent.registry == "npm":
        _install_with_npm(home, home / NODE, (NODE_PACKAGE,))
        _install_with_npm(home, agent.folder(home), agent.packages)
        if (PROGRAMS / agent.command[0]).is_file():
            shutil.copy(PROGRAMS / agent.command[0], agent.folder(home))
    else:
        _install_with_pip(agent, home)
    agent.stamp(home).write_text(agent.stamp_text)


def _install_with_npm(home: Path, folder: Path, packages: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "package.json"
    if not manifest.exists():
        manifest.write_text(json.dumps({"private": True}))
    command = ["npm", "install", "--no-fund", "--no-audit", "--loglevel=error", *packages]
    _run(command, folder, search_path(home))


def _install_with_pip(agent: Agent, home: Path) -> None:
    folder = agent.folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    path = os.environ["PATH"]
    _run([_python_for(agent), "-m", "venv", str(folder)], folder, path)
    _run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *agent.packages],
        folder,
        path,
    )


def _python_for(agent: Agent) -> str:
    """Name a Python that the agent can live with: this one, else an older one on PATH."""
    newest = agent.newest_python
    if newest is None or sys.version_info[:2] <= newest:
        return sys.executable
    name = f"python{newest[0]}.{newest[1]}"
    found = shutil.which(name)
    if found is None or subprocess.run([found, "-c", ""], capture_output=True).returncode:
        raise InstallationError(f"needs {name} on PATH")
    return found


def _run(command: list[str], folder: Path, path: str) -> None:
    environment = {**os.environ, "PATH": path}
    try:
        ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    except FileNotFoundError:
        raise InstallationError(f"needs {command[0]} on PATH") from None
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip() or "it said nothing").splitlines()[-1]
        raise InstallationError(f"{Path(command[0]).name} failed: {last}")
