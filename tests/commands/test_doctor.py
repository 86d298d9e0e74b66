"""`detour doctor` as people run it."""

import json
import os
import pty
import re
import subprocess
import time

import pytest

from addon.doctor import CHECKS
from tests.support.program import DETOUR, PROVIDER_KEY, background_provider


@pytest.fixture(scope="module")
def provider():
    with background_provider() as running:
        yield running


def paths(machine):
    return {path.relative_to(machine.home) for path in machine.home.rglob("*")}


def test_a_machine_on_which_all_is_well(machine, provider):
    machine.write_rules(provider.base_url)
    before = paths(machine)
    began = time.monotonic()
    ended = machine.run("doctor", "--no-network", "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")
    assert time.monotonic() - began < 40  # on a machine that is busy with other tests
    assert ended.returncode == 0, ended
    lines = [line for line in ended.stdout.splitlines() if not line.startswith(" ")]
    assert {line.split()[1] for line in lines[:-1]} == set(CHECKS)
    assert {line.split()[0] for line in lines[:-1]} <= {"ok", "warning", "skipped"}
    assert PROVIDER_KEY not in ended.stdout + ended.stderr
    assert paths(machine) == before


def test_what_is_wrong_is_told_with_what_to_do(machine):
    (machine.folder / "rules.yaml").write_text("version: 1\nrules: [{name: a, use: nobody:x}]\n")
    ended = machine.run("doctor", "--only", "rules", "--only", "environment", NO_PROXY="*")
    assert ended.returncode == 1
    first, remedy, *_, last = ended.stdout.splitlines()
    assert re.match(r"failed +rules +rules\.yaml:2:\d+: ", first)
    assert remedy.startswith(" " * 21 + "Mend it there")
    assert "warning  environment" in ended.stdout
    assert last == "1 failed and 1 to think about; what to do stands below each."


def test_as_json(machine, provider):
    machine.write_rules(provider.base_url)
    ended = machine.run("doctor", "--only", "rules", "--json")
    assert ended.returncode == 0
    told = json.loads(ended.stdout)
    assert told == {
        "ok": True,
        "findings": [
            {
                "check": "rules",
                "state": "ok",
                "message": "rules.yaml is valid: 1 rule",
                "remedy": "",
            }
        ],
    }


def test_a_check_that_is_not_there(machine):
    ended = machine.run("doctor", "--only", "weather")
    assert ended.returncode == 2
    assert "'weather' is not one of" in ended.stderr


def test_on_a_screen_it_says_what_is_being_waited_for(machine, provider):
    machine.write_rules(provider.base_url)
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*DETOUR, "doctor", "--only", "rules", "--only", "clock", "--no-network"],
            cwd=machine.folder,
            env=machine.environment(),
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        said, _ = process.communicate(timeout=60)
        assert b"... the clock" in os.read(ours, 65536)
        assert b"..." not in said
    finally:
        os.close(ours)
