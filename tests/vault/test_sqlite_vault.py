"""The vault's file: restarts, damage, full disks, several processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from addon.vault import Limits, MemoryVault, SqliteVault, open_vault

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from addon.vault import SqliteVault

path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
vault = SqliteVault(path)
for number in range(count):
    vault.put("state", {f"{name}-{number}": f"{name} {number}".encode(), "shared": name.encode()})
    assert vault.get("state", [f"{name}-{number}"])
    if number % 50 == 49:
        vault.flush()
        print(number, flush=True)
vault.close()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vault.db"


def start(path, name, count):
    return subprocess.Popen(
        [sys.executable, "-P", "-c", WRITER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_it_survives_a_restart(path):
    vault = SqliteVault(path)
    vault.put("state", {"a": b"1"})
    vault.close()
    again = SqliteVault(path)
    assert again.get("state", ["a"]) == {"a": b"1"}
    again.close()


def test_nobody_else_may_read_it(path):
    vault = SqliteVault(path)
    vault.put("state", {"a": b"1"})
    vault.flush()
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    vault.close()


def test_permissions_that_are_too_wide_are_narrowed(path):
    path.touch(0o644)
    path.chmod(0o644)
    SqliteVault(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to have a header" * 100, b"SQLite format 3\0" * 9]
)
def test_a_damaged_file_is_set_aside(path, content, caplog):
    path.write_bytes(content)
    vault = SqliteVault(path)
    vault.put("state", {"a": b"1"})
    vault.flush()
    assert vault.get("state", ["a"]) == {"a": b"1"}
    vault.close()
    assert path.with_name("vault.db.damaged-1").read_bytes() == content
    assert "is damaged" in caplog.text


def test_a_database_of_somebody_else_is_set_aside(path):
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE entries (something TEXT)")
    foreign.close()
    vault = SqliteVault(path)
    vault.put("state", {"a": b"1"})
    vault.close()
    assert path.with_name("vault.db.damaged-1").exists()


@pytest.mark.parametrize("first", ["get", "put"])
def test_damage_that_shows_while_it_runs_is_survived(path, first, caplog):
    before = SqliteVault(path)
    before.put("state", {str(number): bytes(5000) for number in range(200)})
    before.close()
    content = path.read_bytes()
    vault = SqliteVault(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(len(content) - 4096))
    if first == "get":
        assert vault.get("state", ["5"]) in ({}, {"5": bytes(5000)})
    for number in range(3):
        vault.put("state", {"new": str(number).encode()})
        vault.flush()
    assert vault.get("state", ["new"]) == {"new": b"2"}
    vault.close()
    again = SqliteVault(path)
    assert again.get("state", ["new"]) == {"new": b"2"}
    again.close()
    assert caplog.text.count("is damaged") == 1


def test_a_file_that_is_deleted_while_in_use_is_made_anew(path):
    vault = SqliteVault(path)
    vault.put("state", {"a": b"1"})
    vault.flush()
    for file in list(path.parent.iterdir()):
        file.unlink()
    assert vault.get("state", ["a"]) == {}
    vault.put("state", {"b": b"2"})
    vault.close()
    again = SqliteVault(path)
    assert again.get("state", ["a", "b"]) == {"b": b"2"}
    again.close()


def test_what_cannot_be_stored_is_kept_in_memory(path, caplog, monkeypatch):
    monkeypatch.setattr("addon.vault.sqlite_vault._WRITE_PATIENCE", 0.05)
    vault = SqliteVault(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for number in range(3):
        vault.put("state", {"a": str(number).encode()})
        vault.flush()
    assert vault.get("state", ["a"]) == {"a": b"2"}
    assert caplog.text.count("cannot be used") == 1
    holder.execute("ROLLBACK")
    holder.close()
    vault.put("state", {"a": b"stored"})
    vault.flush()
    assert vault.get("state", ["a"]) == {"a": b"stored"}
    vault.close()


def test_without_a_file_it_lives_in_memory(tmp_path, caplog):
    (tmp_path / "vault.db").mkdir()
    vault = open_vault(tmp_path)
    assert isinstance(vault, MemoryVault)
    assert "cannot be opened" in caplog.text


def test_the_file_stays_within_its_size(path):
    vault = SqliteVault(path, Limits(size=1 << 20))
    for number in range(100):
        vault.put("state", {str(number): os.urandom(50_000)})
        vault.flush()
    vault.close()
    assert path.stat().st_size < 1.3 * (1 << 20)


def test_several_processes_share_one_file(path):
    processes = [start(path, name, 300) for name in "abc"]
    for process in processes:
        assert process.communicate(timeout=60)
        assert process.returncode == 0
    vault = SqliteVault(path)
    for name in "abc":
        for number in (0, 150, 299):
            key = f"{name}-{number}"
            assert vault.get("state", [key]) == {key: f"{name} {number}".encode()}
    assert vault.get("state", ["shared"])["shared"] in (b"a", b"b", b"c")
    vault.close()


def test_a_killed_process_loses_nothing_that_was_stored(path):
    process = start(path, "killed", 1_000_000)
    assert process.stdout is not None
    stored = 0
    for _ in range(5):
        stored = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    vault = SqliteVault(path)
    keys = [f"killed-{number}" for number in range(stored + 1)]
    assert len(vault.get("state", keys)) == stored + 1
    vault.put("state", {"after": b"1"})
    vault.close()


def test_a_lookup_is_quick(path):
    vault = SqliteVault(path)
    vault.put("state", {f"call-{number}": bytes(2000) for number in range(5000)})
    vault.flush()
    keys = [f"call-{number}" for number in range(0, 5000, 500)]
    vault.get("state", keys)
    fastest = min(_time(lambda: vault.get("state", keys)) for _ in range(50))
    assert fastest < 0.001  # about 0.05 ms on a quiet machine
    vault.close()


def _time(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
