"""Every command of the page on the doctor runs, and the page names every check."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from addon.doctor import CHECKS
from addon.doctor.runtimes import RUNTIMES
from tests.readme.test_commands import doctor
from tests.support.program import ROOT, background_provider
from tests.support.reader import PROVIDER_KEY, Reader, commands, wait_for_ports

PAGE = ROOT / "docs" / "doctor.md"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with background_provider() as provider:
        yield Reader(tmp_path_factory.mktemp("reader") / "detour", provider)


def chosen(reader: Reader, command: str) -> None:
    names = {line.split()[1] for line in reader.run(command).splitlines()[:-1]}
    assert names == set(re.findall(r"--only (\w+)", command))


def verified(reader: Reader, command: str) -> None:
    reached, answered, _ = reader.run(f"ANTHROPIC_API_KEY={PROVIDER_KEY} {command}").splitlines()
    assert reached.startswith("ok       providers   anthropic: http://127.0.0.1:")
    assert re.search(r"\(anthropic, claude-\S+\) answers, in ", answered)


def told_to_scripts(reader: Reader, command: str) -> None:
    wait_for_ports()
    told = json.loads(reader.run(command))
    assert told["ok"]
    assert {finding["check"] for finding in told["findings"]} == set(CHECKS)


WAYS = {
    "scripts/detour doctor": doctor,
    "scripts/detour doctor --only environment --only trust": chosen,
    "scripts/detour doctor --no-network": doctor,
    "scripts/detour doctor --only providers --verify": verified,
    "scripts/detour doctor --no-network --json": told_to_scripts,
}


def test_every_command_is_tried() -> None:
    assert set(WAYS) == set(commands(PAGE.read_text()))


@pytest.mark.parametrize("command", WAYS)
def test_a_command(reader: Reader, command: str) -> None:
    WAYS[command](reader, command)


def test_the_page_names_every_check_and_every_runtime() -> None:
    page = PAGE.read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == list(CHECKS)
    (listed,) = re.findall(r"on `PATH` \((.*?)\)", page)
    assert listed.split(", ") == [runtime.name for runtime in RUNTIMES]
