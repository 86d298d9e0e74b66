"""docs/usage.md: it names every column and option, and its commands work as they are written."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.interceptor.options import _OPTIONS
from addon.ledger import COLUMNS, Record, timestamp
from tests.support.ledger import write
from tests.support.program import ROOT

PAGE = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("scripts/detour ")
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    for line in block.splitlines()
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "--plot" in command:
        pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    now = timestamp(time.time() - 60)
    write(
        tmp_path / "home",
        Record(time=now, id="1", endpoint="chat", agent="codex", rule="plan with Opus", status=200),
    )
    arguments = [word for word in shlex.split(command) if word != "--follow"]
    result = CliRunner().invoke(detour, [*arguments, "--home", str(tmp_path / "home")])
    assert result.exit_code == 0, result.output
    drawn = [path.name for path in tmp_path.glob("*.svg")]
    assert drawn == (["usage.svg"] if "--plot" in command else [])


def test_every_column_is_explained() -> None:
    table = PAGE[: PAGE.index("**Nothing is lost")]
    assert set(COLUMNS) <= set(re.findall(r"`(\w+)`", table))


def test_every_option_is_told_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(detour_\w+)` \| (?:`(\w*)`)? ?\|", PAGE, re.M))
    ours = [name for name in _OPTIONS if re.match(r"detour_(ledger|events|record|bodies)", name)]
    assert rows == {name: _OPTIONS[name][0] for name in ours}
