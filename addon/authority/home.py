"""The folder that holds what must survive a restart."""

from __future__ import annotations

from pathlib import Path

HOME = Path("~/.detour")
"""Where it is unless told otherwise."""


def open_home(home: Path = HOME) -> Path:
    """Return the home folder, made if need be, that nobody but its owner can look into.

    Raises:
        OSError: It cannot be made.
    """
    folder = home.expanduser()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder.resolve()
