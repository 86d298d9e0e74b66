"""The group: its help, its version, its exit codes."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from addon import __version__
from addon.commands import detour
from tests.support.program import Machine

NAMES = ("serve", "run", "env", "demo", "check", "explain", "translate")


def test_help_lists_every_command_and_imports_none(machine: Machine) -> None:
    said = machine.run("--help")
    assert said.returncode == 0
    for name in NAMES:
        assert f"\n  {name} " in said.stdout
    check = "import sys, addon.commands; sys.exit('mitmproxy' in sys.modules)"
    assert machine.run("--version").stdout == f"detour {__version__}\n"
    quick = [sys.executable, "-c", check]
    assert subprocess.run(quick, env=machine.environment()).returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(detour, [name, "--help"], prog_name="detour")
    assert (result.exit_code, result.exception) == (0, None)
    assert result.output.startswith(f"Usage: detour {name}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["serve", "--nothing"],
        ["serve", "--ui", "gtk"],
        ["serve", "--listen", "somewhere"],
        ["serve", "--listen", "127.0.0.1:99999"],
        ["run"],
        ["run", "--proxy", "127.0.0.1:1", "--rules", "rules.yaml", "true"],
        ["env", "--nothing"],
        ["demo", "please"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(detour, arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.output
