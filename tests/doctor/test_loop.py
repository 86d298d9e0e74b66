"""Calls through the doctor's own proxy: real programs, and programs that fail in every way."""

import os
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from addon.doctor import loop, runtimes
from tests.doctor.test_machine_checks import make_authority

REAL = ("python3", "node", "curl", "git")


@pytest.fixture
def real_programs(tmp_path):
    """Return a path on which only the real runtimes are."""
    folder = tmp_path / "real"
    folder.mkdir()
    for name in (*REAL, "sh", "env"):
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return str(folder)


def by_name(findings):
    names = sorted((one.name for one in runtimes.RUNTIMES), key=len, reverse=True)
    return {next(n for n in names if f.message.startswith(n)): f for f in findings}


async def test_what_is_installed_here_gets_through(make_machine):
    installed = [one for one in REAL if shutil.which(one)]
    path = os.environ["PATH"]
    found = by_name(await loop.examine(make_machine(path=path)))
    for one in runtimes.RUNTIMES:
        if one.program in installed:
            assert found[one.name].state == "ok", found[one.name]


async def test_an_expired_authority_is_refused_by_real_programs(
    make_machine, tmp_path, real_programs
):
    now = datetime.now(UTC)
    folder = make_authority(tmp_path / "old", now - timedelta(days=400), now - timedelta(days=1))
    found = by_name(await loop.examine(make_machine(authority=folder, path=real_programs)))
    assert found
    for finding in found.values():
        assert finding.state == "failed", finding
        assert finding.remedy
    if "curl" in found:
        assert "CURL_CA_BUNDLE" in found["curl"].remedy


async def test_settings_of_the_shell_do_not_reach_the_programs(make_machine, programs):
    path = programs(
        curl="import os; print('DETOUR-WORKS' if 'STRANGE' not in os.environ else 'no')"
    )
    machine = make_machine(path=path, STRANGE="1", CURL_CA_BUNDLE="/nowhere")
    assert by_name(await loop.examine(machine))["curl"].state == "ok"


@pytest.mark.parametrize(
    ("program", "state", "message", "remedy"),
    [
        ("print('DETOUR-WORKS')", "ok", "understood the answer", ""),
        (
            "import sys; sys.exit('Error: self-signed certificate in certificate chain')",
            "failed",
            "Node does not trust the proxy: Error: self-signed",
            "NODE_EXTRA_CA_CERTS",
        ),
        (
            "import sys; sys.exit(3)",
            "failed",
            "got no answer through the proxy",
            "detour run -- node",
        ),
        ("print('hello')", "failed", "got no answer through the proxy: hello", "detour log"),
        (
            "import time; print('thinking', flush=True); time.sleep(60)",
            "warning",
            "has not come to an end within 0.5 s: thinking",
            "detour run -- node",
        ),
    ],
)
async def test_a_program_that_fails_is_told_of(
    make_machine, programs, monkeypatch, program, state, message, remedy
):
    node = next(one for one in runtimes.RUNTIMES if one.program == "node")
    patience = 0.5 if state == "warning" else 10.0
    monkeypatch.setattr(loop, "RUNTIMES", (node._replace(patience=patience),))
    monkeypatch.setattr("addon.commands.node._TIMEOUT", patience)  # of its version
    began = time.monotonic()
    (finding,) = await loop.examine(make_machine(path=programs(node=program)))
    assert time.monotonic() - began < 10
    assert finding.state == state, finding
    assert message in finding.message
    assert remedy in finding.remedy


async def test_without_any_runtime_there_is_nothing_to_try(make_machine, programs):
    (finding,) = await loop.examine(make_machine(path=programs()))
    assert finding.state == "warning"


async def test_a_java_without_keytool_is_told_of(make_machine, programs):
    (finding,) = await loop.examine(make_machine(path=programs(java="")))
    assert finding.state == "warning"
    assert "keytool" in finding.message


@pytest.mark.skipif(
    not (shutil.which("java") and shutil.which("keytool")), reason="Java is not installed"
)
async def test_a_real_java_gets_through(make_machine, monkeypatch):
    java = next(one for one in runtimes.RUNTIMES if one.program == "java")
    monkeypatch.setattr(loop, "RUNTIMES", (java._replace(patience=40.0),))
    (finding,) = await loop.examine(make_machine())
    assert finding.state == "ok", finding
