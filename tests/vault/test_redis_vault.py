"""The vault on a Redis server: machines that share it, servers that go and come back."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings

from addon.vault import Limits, check_address
from addon.vault.redis_vault import RedisVault, without_password
from tests.support.redis_servers import PASSWORD, SmallRedis, address
from tests.vault.test_vaults import OPERATIONS


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr("addon.vault.write_behind.RETRY_AFTER", 0.05)


@pytest.fixture
def make(redis_server):
    made = []

    def make(**limits):
        made.append(RedisVault(address(redis_server), Limits(**limits)))
        return made[-1]

    yield make
    for vault in made:
        vault.close()


def eventually(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_machines_see_what_others_put_and_deleted(make):
    one, other = make(), make()
    one.put("state", {"a": b"1", "b": b"2"})
    assert one.get("state", ["b", "a", "c"]) == {"a": b"1", "b": b"2"}
    one.flush()
    assert other.get("state", ["b", "a", "c"]) == {"a": b"1", "b": b"2"}
    assert other.get("response", ["a"]) == {}
    other.put("state", {"a": b"3"})
    other.delete("state", ["b", "unknown"])
    other.flush()
    assert one.get("state", ["a", "b"]) == {"a": b"3"}


def test_it_survives_a_restart_of_detour(make, redis_server):
    vault = RedisVault(address(redis_server))
    vault.put("state", {"a": b"1"})
    vault.close()
    vault.put("state", {"a": b"too late"})
    assert vault.get("state", ["a"]) == {}
    assert make().get("state", ["a"]) == {"a": b"1"}


@given(operations=OPERATIONS)
@settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_behaves_as_a_dictionary(redis_server, operations):
    vault = RedisVault(address(redis_server))
    model = {}
    for number, (operation, kind, values) in enumerate(operations):
        if operation == "put":
            vault.put(kind, values)
            model |= {(kind, key): value for key, value in values.items()}
        elif operation == "delete":
            vault.delete(kind, values)
            for key in values:
                model.pop((kind, key), None)
        elif number % 2:
            vault.flush()
        for key in values:
            seen = vault.get(kind, [key])
            if (kind, key) in model:
                assert seen == {key: model[kind, key]}
    for kind, key in model:
        vault.delete(kind, [key])
    vault.close()


def test_reading_begins_the_time_to_live_anew(make):
    vault = make(age=2)
    vault.put("state", {"used": b"1", "old": b"2"})
    vault.flush()
    for _ in range(3):
        time.sleep(0.8)
        assert vault.get("state", ["used"]) == {"used": b"1"}
    assert vault.get("state", ["old"]) == {}


def test_large_and_many_values(make):
    vault = make()
    values = {str(number): bytes([number % 256]) * 9000 for number in range(1500)}
    vault.put("state", values)
    vault.flush()
    assert vault.get("state", values) == values


def test_without_the_server_memory_serves_and_one_warning_is_given(make, redis_server, caplog):
    vault = make()
    vault.put("state", {"before": b"1", "deleted": b"1"})
    vault.flush()
    redis_server.stop()
    try:
        for number in range(20):
            vault.put("state", {"during": str(number).encode()})
            assert vault.get("state", ["during"]) == {"during": str(number).encode()}
            assert vault.get("state", ["before"]) == {}
        vault.delete("state", ["deleted"])
        vault.flush()
    finally:
        redis_server.start()
    eventually(lambda: "can be used again" in caplog.text)
    other = make()
    assert other.get("state", ["during", "deleted"]) == {"during": b"19"}
    assert vault.get("state", ["during"]) == {"during": b"19"}
    assert caplog.text.count("cannot be used") == 1
    assert PASSWORD not in caplog.text


def test_a_server_that_came_back_is_read_again_though_nothing_was_put(make, redis_server):
    vault = make()
    redis_server.stop()
    assert vault.get("state", ["a"]) == {}
    redis_server.start()
    other = make()
    other.put("state", {"a": b"1"})
    other.flush()
    eventually(lambda: vault.get("state", ["a"]) == {"a": b"1"})


def test_a_silent_server_makes_nobody_wait_twice(monkeypatch):
    monkeypatch.setattr("addon.vault.redis_vault._READ_PATIENCE", 0.2)
    monkeypatch.setattr("addon.vault.redis_vault._WRITE_PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        vault = RedisVault(f"redis://127.0.0.1:{deaf.getsockname()[1]}")
        began = time.monotonic()
        for _ in range(50):
            vault.get("state", ["a"])
        assert time.monotonic() - began < 1.5
        vault.close()


def test_a_server_that_takes_nothing_more_can_still_be_read(caplog):
    server = SmallRedis().start()
    vault = RedisVault(address(server))
    vault.put("state", {"old": b"1"})
    vault.flush()
    server.refusal = b"OOM command not allowed when used memory > 'maxmemory'."
    vault.put("state", {"new": b"2"})
    vault.flush()
    assert vault.get("state", ["old", "new"]) == {"old": b"1", "new": b"2"}
    assert caplog.text.count("maxmemory") == 1
    server.refusal = b""
    eventually(lambda: b"detour:state:new" in server.entries)
    vault.close()
    server.stop()


def test_a_wrong_password_is_told_and_not_shown(redis_server, caplog):
    if isinstance(redis_server, SmallRedis):
        url = address(redis_server, "wrong-password")
    else:
        url = address(redis_server, "wrong-password").replace(":wrong", "default:wrong")
    vault = RedisVault(url)
    assert vault.get("state", ["a"]) == {}
    vault.put("state", {"a": b"1"})
    assert vault.get("state", ["a"]) == {"a": b"1"}
    vault.close()
    assert f"redis://127.0.0.1:{redis_server.port}/0 cannot be used" in caplog.text
    assert "wrong-password" not in caplog.text


def test_what_waits_for_the_server_is_bounded(monkeypatch):
    monkeypatch.setattr("addon.vault.write_behind._MOST_PENDING", 10_000)
    vault = RedisVault("redis://127.0.0.1:1")
    vault.get("state", ["a"])
    for number in range(100):
        vault.put("state", {str(number): bytes(1000)})
    kept = vault.get("state", map(str, range(100)))
    assert len(kept) <= 11
    assert "99" in kept
    vault.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@host:6379/1?password=secret", "redis://host:6379/1"),
        ("unix://:secret@/run/redis.sock?db=1", "unix:///run/redis.sock"),
    ],
)
def test_a_url_is_shown_without_what_is_secret(url, shown):
    assert without_password(url) == shown


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://:secret@host", "must be a URL such as redis://"),
        ("secret", "must be a URL"),
        ("redis://:secret@host:port/0", "Port could not be cast"),
        ("redis://:secret@host/name", "number of a database"),
        ("redis://:secret@host/0?wrong=1", "does not know"),
    ],
)
def test_a_url_that_cannot_be_used(url, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        check_address(url)
    assert "secret" not in str(caught.value)


def test_the_package_is_optional(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "addon.vault.redis_vault", None)
    with pytest.raises(ValueError, match="the package redis is not installed; run "):
        check_address("redis://host")
