"""What every vault promises, whatever it stores in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.vault import Limits, MemoryVault, SqliteVault

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(("put", "get", "delete")),
        st.sampled_from(("state", "response")),
        st.dictionaries(st.text(max_size=3), st.binary(max_size=20), max_size=4),
    ),
    max_size=30,
)


class Clock:
    def __init__(self):
        self.time = 1_000_000.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def make(request, tmp_path, clock):
    made = []

    def make(**limits):
        if request.param == "memory":
            vault = MemoryVault(Limits(**limits), clock)
        else:
            vault = SqliteVault(tmp_path / "vault.db", Limits(**limits), clock)
        made.append(vault)
        return vault

    yield make
    for vault in made:
        vault.close()


def test_what_was_put_can_be_read_at_once(make):
    vault = make()
    vault.put("state", {"a": b"1", "b": b"2"})
    assert vault.get("state", ["b", "a", "c"]) == {"a": b"1", "b": b"2"}


def test_kinds_do_not_meet(make):
    vault = make()
    vault.put("state", {"a": b"1"})
    assert vault.get("response", ["a"]) == {}


def test_the_last_write_wins(make):
    vault = make()
    for value in (b"1", b"2", b"3"):
        vault.put("state", {"a": value})
    assert vault.get("state", ["a"]) == {"a": b"3"}


def test_what_was_deleted_is_gone(make):
    vault = make()
    vault.put("state", {"a": b"1", "b": b"2"})
    vault.delete("state", ["a", "unknown"])
    assert vault.get("state", ["a", "b"]) == {"b": b"2"}


def test_what_nobody_asked_for_is_forgotten_in_time(make, clock):
    vault = make(age=3 * 86400)
    vault.put("state", {"old": b"1", "used": b"2"})
    wait(vault)
    for _ in range(4):
        clock.time += 86400
        assert vault.get("state", ["used"]) == {"used": b"2"}
        vault.put("other", {"tick": b""})
        wait(vault)
    assert vault.get("state", ["old"]) == {}


def test_the_longest_unused_goes_first(make, clock):
    vault = make(size=2 << 20)
    for number in range(40):
        vault.put("state", {str(number): bytes(100_000)})
        wait(vault)
        clock.time += 4000
        assert vault.get("state", ["0"]), number
    kept = vault.get("state", map(str, range(40)))
    assert {"0", "39", "38", "35"} <= kept.keys()
    assert not {"1", "2", "10"} & kept.keys()
    assert 12 < len(kept) <= 21


def test_an_entry_larger_than_the_vault_harms_nobody(make):
    vault = make(size=100_000)
    vault.put("state", {"huge": bytes(1_000_000)})
    wait(vault)
    vault.put("state", {"small": b"1"})
    wait(vault)
    assert vault.get("state", ["small"]) == {"small": b"1"}


def test_a_thousand_keys_are_one_question(make):
    vault = make()
    values = {str(number): str(number).encode() for number in range(1500)}
    vault.put("state", values)
    wait(vault)
    assert vault.get("state", values) == values


@given(operations=OPERATIONS)
@settings(deadline=None, max_examples=30)
def test_a_vault_behaves_as_a_dictionary(tmp_path_factory, operations):
    for vault in (MemoryVault(), SqliteVault(tmp_path_factory.mktemp("law") / "vault.db")):
        model = {}
        for operation, kind, values in operations:
            if operation == "put":
                vault.put(kind, values)
                model |= {(kind, key): value for key, value in values.items()}
            elif operation == "delete":
                vault.delete(kind, values)
                for key in values:
                    model.pop((kind, key), None)
            expected = {key: model[kind, key] for key in values if (kind, key) in model}
            assert vault.get(kind, values) == expected
        vault.close()


def wait(vault):
    if isinstance(vault, SqliteVault):
        vault.flush()


def test_any_text_is_a_key(make):
    vault = make()
    key = "resp_\udcff\ud800"
    vault.put("response", {key: b"1", "é": b"2"})
    assert vault.get("response", [key, "é"]) == {key: b"1", "é": b"2"}
    if isinstance(vault, SqliteVault):
        vault.flush()
    assert vault.get("response", [key, "é"]) == {key: b"1", "é": b"2"}
    vault.delete("response", [key])
    assert vault.get("response", [key]) == {}
