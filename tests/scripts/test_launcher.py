"""The launcher: finds a Python, sets up, and starts the program in the caller's folder.

A checkout with nothing to install stands in for the real one, so that no network is needed.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PROGRAM = """
import os, sys
print(sys.argv[1:], os.getcwd(), "%d.%d" % sys.version_info[:2])
sys.exit(int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 0)
"""
TOOLS = ("sh", "cat", "cksum", "dirname", "env", "readlink", "sed", "tr", "uname")
ELSEWHERE = [Path(folder) for folder in ("/usr/local/bin", "/opt/homebrew/bin")]


class Checkout:
    """A project of the same shape, and a machine whose own Pythons are of no use."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.machine = folder / "machine"
        shutil.copytree(SCRIPTS, self.root / "scripts")
        for lock in ("requirements.lock", "requirements-extras.lock"):
            (self.root / lock).write_text("# nothing\n")
        (self.root / "addon").mkdir()
        (self.root / "addon" / "__main__.py").write_text(PROGRAM)
        self.tools = self.machine / "bin"
        self.tools.mkdir(parents=True)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            (self.tools / tool).symlink_to(found)
        for name in ("python3.13", "python3", "python"):
            useless = self.tools / name
            useless.write_text('#!/bin/sh\necho "pyenv: version not installed" >&2; exit 127\n')
            useless.chmod(0o755)

    def add_pyenv(self) -> None:
        """Put this test's own Python where pyenv keeps its versions."""
        python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
        version = self.machine / "home" / ".pyenv" / "versions" / "3.12.99" / "bin"
        version.mkdir(parents=True)
        (version / "python3").symlink_to(python)

    def start(
        self,
        *arguments: str,
        script: Path | None = None,
        cwd: Path | None = None,
        home: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script or self.root / "scripts" / "detour", *arguments],
            cwd=cwd or self.machine,
            env={"PATH": str(self.tools), "HOME": str(home or self.machine / "home")},
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that has been set up by two starts at the same time."""
    checkout = Checkout(tmp_path_factory.mktemp("launcher"))
    checkout.add_pyenv()
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: checkout.start("first"), range(2)))
    assert [one.returncode for one in started] == [0, 0], started
    errors = "".join(one.stderr for one in started)
    assert errors.count("Setting up Detour") == 1
    return checkout


def test_a_good_python_is_found_behind_useless_ones(checkout: Checkout) -> None:
    said = checkout.start("--version").stdout
    assert said.startswith("['--version']")
    assert said.split()[-1] == f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_once_set_up_nothing_is_done_again(checkout: Checkout) -> None:
    assert checkout.start("again").stderr == ""


def test_the_callers_folder_arguments_and_exit_code_are_kept(
    checkout: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "addon").mkdir()
    (tmp_path / "addon" / "__main__.py").write_text("print('the wrong one')")
    ended = checkout.start("7", "a b", "--", "$x", cwd=tmp_path)
    assert ended.returncode == 7
    assert ended.stdout.startswith(f"['7', 'a b', '--', '$x'] {tmp_path}")


def test_it_works_through_symbolic_links(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(checkout.root / "scripts" / "detour")
    (tmp_path / "two").symlink_to("one")
    assert checkout.start("x", script=tmp_path / "two", cwd=tmp_path).stdout.startswith("['x']")


def test_a_changed_lock_and_a_moved_checkout_are_noticed(checkout: Checkout) -> None:
    lock = checkout.root / "requirements.lock"
    lock.write_text("# nothing, but otherwise\n")
    assert "Setting up" in checkout.start().stderr
    assert checkout.start().stderr == ""
    moved = checkout.root.with_name("moved")
    checkout.root.rename(moved)
    try:
        ended = checkout.start("x", script=moved / "scripts" / "detour")
        assert "Setting up" in ended.stderr
        assert ended.stdout.startswith("['x']")
    finally:
        moved.rename(checkout.root)


def test_an_environment_that_works_needs_no_other_python(
    checkout: Checkout, tmp_path: Path
) -> None:
    (checkout.root / "requirements.lock").write_text("# nothing, once more\n")
    assert "Ready" in checkout.start(home=tmp_path).stderr


def test_optional_packages_are_asked_for_once_and_kept_in_step(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.add_pyenv()
    extras = checkout.root / "scripts" / "extras"
    lock = checkout.root / "requirements-extras.lock"
    lock.write_text("./no-such-package\n")
    checkout.start()  # which does not look at the optional packages
    failed = checkout.start(script=extras)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "pip could not install requirements-extras.lock" in failed.stderr
    assert checkout.start().stderr == ""  # what could not be had is not asked for at every start
    lock.write_text("# nothing\n")
    for setting_up in (True, False):
        ended = checkout.start(script=extras)
        assert ended.stdout == "The optional packages are installed.\n"
        assert ("Setting up" in ended.stderr) == setting_up
    assert checkout.start().stderr == ""
    lock.write_text("# nothing, but otherwise\n")
    assert "Setting up" in checkout.start().stderr
    assert checkout.start().stderr == ""


def test_a_failed_installation_is_said_and_tried_again(checkout: Checkout) -> None:
    lock = checkout.root / "requirements.lock"
    before = lock.read_text()
    lock.write_text("./no-such-package\n")
    try:
        for _ in range(2):
            ended = checkout.start("x")
            assert (ended.returncode, ended.stdout) == (1, "")
            assert "pip could not install requirements.lock" in ended.stderr
    finally:
        lock.write_text(before)


@pytest.mark.skipif(
    any((folder / name).exists() for folder in ELSEWHERE for name in ("python3", "python3.13")),
    reason="a Python stands where the launcher always looks",
)
def test_without_a_python_it_says_what_to_do(tmp_path: Path) -> None:
    ended = Checkout(tmp_path).start("--version")
    assert ended.returncode == 1
    assert "no Python 3.12 or newer was found" in ended.stderr
    assert "DETOUR_PYTHON=" in ended.stderr


def test_the_scripts_are_executable_and_portable() -> None:
    for name in ("detour", "extras", "test"):
        script = SCRIPTS / name
        assert os.access(script, os.X_OK)
        assert script.read_text().startswith("#!/bin/sh\n")
        assert subprocess.run(["sh", "-n", script]).returncode == 0
