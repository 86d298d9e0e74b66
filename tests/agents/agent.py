"""What there is to know of an agent: what it is made of, how it is installed, how it is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PROGRAMS = Path(__file__).parent / "programs"
PROMPT = "{prompt}"
"""Stands in an agent's arguments for the task."""
TASK = (
    "Create a file named hello.txt in the current folder containing exactly the text hi. Use your "
    "shell or file tool, once. Then answer with one short sentence."
)
NODE = "node"
"""The folder of the Node that npm's agents are run by."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An agent as its users have it: nothing in it knows of Detour."""

    name: str
    title: str
    mode: str = ""
    """Which of its ways of working this is; empty for the usual one."""
    speaks: str
    """The format in which it calls, and so the host."""
    registry: Literal["npm", "pip"]
    packages: tuple[str, ...]
    """Pinned, in the registry's own notation; the first is the agent itself."""
    command: tuple[str, ...]
    """A program of the package, or of `programs` here; then its arguments."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    task: str = TASK
    newest_python: tuple[int, int] | None = None
    """The last release of Python that its packages can be installed for."""

    @property
    def label(self) -> str:
        """Its name, and its mode if it has several."""
        return f"{self.name} {self.mode}".strip()

    @property
    def version(self) -> str:
        """The version of the agent itself."""
        return self.packages[0].rpartition("@" if self.registry == "npm" else "==")[2]

    def folder(self, home: Path) -> Path:
        """Where it is installed."""
        return home / self.name

    def is_installed(self, home: Path) -> bool:
        """Tell whether exactly these versions are there."""
        stamp = self.stamp(home)
        return stamp.is_file() and stamp.read_text() == self.stamp_text

    def stamp(self, home: Path) -> Path:
        """Name the file that says what was installed."""
        return self.folder(home) / "installed"

    @property
    def stamp_text(self) -> str:
        """What that file holds."""
        return "\n".join(self.packages) + "\n"

    def command_line(self, home: Path) -> list[str]:
        """Return what starts it on its task."""
        program, *arguments = self.command
        folder = self.folder(home)
        start = {
            ".py": [str(folder / "bin" / "python"), str(PROGRAMS / program)],
            # Node looks for packages beside the program, so the program was put there.
            ".mjs": ["node", str(folder / program)],
        }.get(Path(program).suffix)
        binaries = folder / ("bin" if self.registry == "pip" else "node_modules/.bin")
        given = [self.task if argument == PROMPT else argument for argument in arguments]
        return [*(start or [str(binaries / program)]), *given]


def node_folder(home: Path) -> Path:
    """Name the folder of programs of the Node that is installed beside the agents."""
    return home / NODE / "node_modules" / "node" / "bin"


def search_path(home: Path) -> str:
    """Return the PATH that agents are run and installed with."""
    return f"{node_folder(home)}{os.pathsep}{os.environ['PATH']}"
