"""Following the ledger: each exchange comes once, whatever becomes of the file."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.ledger import Follower, Reader, Selection
from tests.support.ledger import record, write


def ids(records):
    return [entry.id for entry in records]


@pytest.fixture
def reader(tmp_path):
    write(tmp_path, *(record(number) for number in range(5)))
    reader = Reader(tmp_path)
    yield reader
    reader.close()


def test_the_last_ones_come_first_and_new_ones_follow(tmp_path, reader):
    follower = Follower(reader, Selection(), 2)
    assert ids(follower.receive()) == ["flow-3", "flow-4"]
    assert follower.receive() == []
    write(tmp_path, record(5))
    assert ids(follower.receive()) == ["flow-5"]
    assert follower.receive() == []


def test_none_of_the_last_ones(tmp_path, reader):
    follower = Follower(reader, Selection(), 0)
    assert follower.receive() == []
    write(tmp_path, record(5, agent="other"), record(6))
    assert ids(follower.receive()) == ["flow-5", "flow-6"]


def test_what_is_removed_makes_no_difference(tmp_path, reader):
    follower = Follower(reader, Selection(), 0)
    connection = sqlite3.connect(tmp_path / "detour.db")
    with connection:
        connection.execute("DELETE FROM exchanges WHERE id <> 'flow-4'")
    write(tmp_path, record(5))
    assert ids(follower.receive()) == ["flow-5"]
    with connection:
        connection.execute("DELETE FROM exchanges")
    assert follower.receive() == []
    connection.close()
    write(tmp_path, record(6))
    assert ids(follower.receive()) == ["flow-6"]


@given(agents=st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=8))
def test_each_one_that_is_meant_comes_once(tmp_path_factory, agents):
    home = tmp_path_factory.mktemp("home")
    write(home, record(99, agent="c"))
    reader = Reader(home)
    follower = Follower(reader, Selection(agent="a"), 0)
    seen = []
    for number, agent in enumerate(agents):
        write(home, record(number, agent=agent))
        seen += follower.receive()
    reader.close()
    assert ids(seen) == [f"flow-{number}" for number, agent in enumerate(agents) if agent == "a"]
