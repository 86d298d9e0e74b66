"""What was said in exchanges: kept apart, and not for ever."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from addon.ledger import Bodies, Limits, read_bodies
from tests.support.ledger import DAY, NOW, record

LIMITS = Limits()


def keep(home, *entries, limits=LIMITS):
    bodies = Bodies(home, limits, now=lambda: NOW)
    for entry, parts in entries:
        bodies.write(entry, parts)
    bodies.close()


@given(st.dictionaries(st.sampled_from(["request", "sent", "answer"]), st.binary(max_size=50)))
def test_what_is_written_is_read_again(tmp_path_factory, parts):
    home = tmp_path_factory.mktemp("home")
    keep(home, (record(1), parts), (record(2), {"request": b"another"}))
    assert read_bodies(home, record(1)) == parts
    assert read_bodies(home, record(3)) == {}
    assert (home / "bodies.db").stat().st_mode & 0o077 == 0


def test_nothing_was_kept(tmp_path):
    assert read_bodies(tmp_path, record(1)) == {}


def test_old_bodies_go(tmp_path):
    parts = {"request": b"Hi"}
    limits = Limits(age=10 * DAY)
    entries = [(record(1, ago=11 * DAY), parts), (record(2, ago=9 * DAY), parts)]
    keep(tmp_path, *entries, limits=limits)
    assert read_bodies(tmp_path, entries[0][0]) == {}
    assert read_bodies(tmp_path, entries[1][0]) == parts


def test_the_file_stays_within_its_size(tmp_path):
    limits = Limits(size=256 << 10)
    noise = bytes(range(256)) * 8
    for number in range(400):
        body = bytes((byte * number + number) % 251 for byte in noise)
        keep(tmp_path, (record(number, ago=1000 - number), {"answer": body}), limits=limits)
    with closing(sqlite3.connect(tmp_path / "bodies.db")) as connection:
        rows = [name for (name,) in connection.execute("SELECT id FROM bodies ORDER BY time")]
    assert rows[-1] == "flow-399"
    assert (tmp_path / "bodies.db").stat().st_size < 1 << 20
