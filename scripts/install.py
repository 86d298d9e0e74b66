"""Create or refresh the project's virtual environment from a lock file.

Called by `environment.sh` when the environment's stamp does not fit. Safe when several start at
once: one works, the others wait and find it done. Standard library only; needs no network when
everything is installed already.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

STAMPS = (".detour-stamp", ".detour-extras-stamp", ".detour-development-stamp")


def main() -> int:
    """Install what the lock file names; return the exit code."""
    root, lock_name, stamp_name, stamp = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    environment = root / ".venv"
    with exclusive(root / "scripts" / "install.py"):
        if is_stamped(environment / stamp_name, stamp):
            return 0
        if not is_sound(environment, root):
            if environment.is_symlink():
                environment.unlink()  # it leads to somebody else's, which is not ours to clear
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        code = install(environment / "bin" / "python", root / lock_name)
        if code == 0:
            link(environment, root)
            (environment / stamp_name).write_text(stamp + "\n")
        return code


@contextmanager
def exclusive(path: Path) -> Generator[None]:
    """Hold the one right to change the environment; the system gives it back if we die."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that is setting up the environment ...\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_stamped(path: Path, stamp: str) -> bool:
    """Tell whether the environment holds what the lock file names."""
    return path.is_file() and path.read_text() == stamp + "\n"


def is_sound(environment: Path, root: Path) -> bool:
    """Tell whether an environment can be refreshed: it runs, is new enough, and was not moved."""
    stamps = [environment / name for name in STAMPS]
    moved = any(path.is_file() and path.read_text().split("\n")[0] != str(root) for path in stamps)
    check = "import sys, pip; sys.exit(sys.version_info < (3, 12))"
    command = [environment / "bin" / "python", "-c", check]
    try:
        return not moved and subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def install(python: Path, lock: Path) -> int:
    """Run pip with a line of progress; return its exit code."""
    started = time.monotonic()
    total = sum(1 for line in lock.read_text().splitlines() if "==" in line)
    say(f"Setting up Detour in {python.parents[1]} (once; it takes about half a minute) ...\n")
    command = [python, "-m", "pip", "install", "--require-hashes", "--requirement", lock]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout
        seen = 0
        for line in pip.stdout:
            lines.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen += 1
                package = line.removeprefix("Requirement already satisfied:").split()
                show_progress(f"  {seen} of about {total}: {package[-1].split('==')[0]}")
            elif line.startswith("Installing collected packages"):
                show_progress("  installing")
    show_progress("")
    if pip.returncode:
        say("".join(lines[-20:]))
        say(f"Setting up failed: pip could not install {lock.name}; its last words are above.\n")
    else:
        say(f"Ready after {time.monotonic() - started:.0f} s.\n")
    return pip.returncode


def link(environment: Path, root: Path) -> None:
    """Let the environment's Python find the package wherever it is started."""
    for packages in environment.glob("lib/python*/site-packages"):
        (packages / "detour-checkout.pth").write_text(f"{root}\n")


def show_progress(text: str) -> None:
    """Overwrite the line of progress, where there is a screen."""
    if sys.stderr.isatty():
        say(f"\r\033[K{text}")


def say(text: str) -> None:
    """Write to the screen; standard output belongs to the program that is started."""
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
