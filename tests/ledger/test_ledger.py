"""The ledger by itself: what is written stays written, whatever happens to whoever writes."""

import json
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.ledger import COLUMNS, Ledger, Limits, Reader, Selection, UnderWay, moment
from addon.ledger.journal import Journal, journals, left_behind
from addon.ledger.store import Store
from tests.support.ledger import DAY, NOW, record, write


@pytest.fixture
def read(tmp_path):
    readers = []

    def open_reader():
        readers.append(Reader(tmp_path))
        return readers[-1]

    yield open_reader
    for reader in readers:
        reader.close()


FULL = record(
    7,
    agent="planner",
    provider="openai",
    requested_model="gpt-5.1",
    model="claude-sonnet-5-5",
    rule="plan",
    source_format="openai-chat",
    target_format="anthropic",
    stream=True,
    error="overloaded: busy",
    attempts=[{"provider": "zai", "model": "glm-5.3", "seconds": 0.1, "error": "cut: gone"}],
    first_byte_ms=1.5,
    first_token_ms=2.5,
    duration_ms=3.5,
    input_tokens=100,
    cache_read_tokens=50,
    cache_write_tokens=25,
    output_tokens=10,
    reasoning_tokens=5,
    cost_usd=0.25,
    losses=[{"field": "logit_bias", "reason": "unknown there", "action": "dropped"}],
)


def test_what_is_written_is_read_again(tmp_path, read):
    write(tmp_path, FULL, record(8))
    assert [entry for _, entry in read().last(10)] == [FULL, record(8)]


def test_the_table_has_the_columns_of_the_contract(tmp_path):
    write(tmp_path, FULL)
    connection = sqlite3.connect(tmp_path / "detour.db")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(exchanges)")]
    connection.close()
    named = (
        "time, id, agent, endpoint, provider, actual_provider, requested_model, model, rule,"
        " source_format, target_format, stream, status, error, attempts, first_byte_ms,"
        " first_token_ms, duration_ms, input_tokens, cache_read_tokens, cache_write_tokens,"
        " output_tokens, reasoning_tokens, cost_usd, losses"
    )
    assert tuple(columns) == COLUMNS == tuple(named.split(", "))
    assert (tmp_path / "detour.db").stat().st_mode & 0o077 == 0


def test_every_record_is_a_line_of_json_where_asked_for(tmp_path):
    lines = tmp_path / "events.jsonl"
    write(tmp_path, FULL, lines=lines)
    write(tmp_path, record(8), lines=lines)
    first, second = map(json.loads, lines.read_text().splitlines())
    assert tuple(first) == COLUMNS
    assert first["losses"] == FULL.losses
    assert second["cost_usd"] is None


def test_what_is_unknown_is_not_nothing(tmp_path, read):
    known = record(1, agent="a", output_tokens=5, cost_usd=0.5)
    write(tmp_path, known, record(2, agent="a", output_tokens=7), record(3, agent="b"))
    a, b = read().usage(by=("agent",))
    assert a.keys == ("a",)
    assert (a.requests, a.output_tokens, a.cost_usd, a.unpriced) == (2, 12, 0.5, 1)
    assert (b.keys, b.cost_usd, b.unpriced) == (("b",), None, 1)


def test_only_what_came_since_then_counts(tmp_path, read):
    write(tmp_path, record(1, ago=3 * DAY), record(2, ago=DAY / 2))
    assert [row.requests for row in read().usage(Selection(since=NOW - DAY))] == [1]
    assert read().usage(Selection(since=NOW + 1)) == []


def test_days_come_in_their_order(tmp_path, read):
    write(tmp_path, record(1, ago=0), record(2, ago=2 * DAY, cost_usd=9.0), record(3, ago=DAY))
    days = [row.keys[0] for row in read().usage(by=("day",))]
    assert days == sorted(days)
    assert len(days) == 3


def test_old_records_go(tmp_path, read):
    limits = Limits(age=10 * DAY)
    write(tmp_path, record(1, ago=11 * DAY), record(2, ago=9 * DAY), limits=limits)
    assert [entry.id for _, entry in read().last(10)] == ["flow-2"]


def test_the_file_stays_within_its_size(tmp_path, read):
    limits = Limits(size=256 << 10)
    for start in range(0, 4000, 500):
        numbers = range(start, start + 500)
        write(tmp_path, *(record(n, ago=5000 - n, rule="r" * 200) for n in numbers), limits=limits)
    kept = [entry.id for _, entry in read().last(5000)]
    assert 100 < len(kept) < 2000
    assert kept[-1] == "flow-3999"
    assert (tmp_path / "detour.db").stat().st_size < 1 << 20


def test_trouble_with_the_disk_is_told_once_and_never_raised(tmp_path, caplog):
    folder = tmp_path / "nowhere"
    write(folder, record(1))
    ledger = Ledger(folder, lines=folder / "events.jsonl")
    for number in range(3):
        ledger.add(record(number))
        ledger.flush()
    ledger.close()
    told = [line.getMessage() for line in caplog.records if "incomplete" in line.getMessage()]
    assert len(told) == len(set(told)) + 2  # of the journal and the database, by either ledger


def test_a_damaged_file_is_kept_aside(tmp_path, read):
    (tmp_path / "detour.db").write_bytes(b"this is no database, but it is long enough" * 100)
    write(tmp_path, record(1))
    assert [entry.id for _, entry in read().last(10)] == ["flow-1"]
    assert (tmp_path / "detour.db.damaged-1").exists()


def test_what_completes_a_record_may_fail(tmp_path, read, caplog):
    def complete(entry):
        entry.model = "found later"
        raise ValueError

    ledger = Ledger(tmp_path)
    ledger.add(record(1), complete)
    ledger.close()
    assert [entry.model for _, entry in read().last(1)] == ["found later"]
    assert "could not be completed" in caplog.text


WRITER = """
import sys
from pathlib import Path
from addon.ledger import Ledger, Record
ledger = Ledger(Path(sys.argv[1]))
number = 0
while True:
    ledger.add(Record(time="2027-01-15T08:00:00.000Z", id=f"{sys.argv[2]}-{number}",
                      endpoint="chat", output_tokens=1))
    number += 1
    print(number, flush=True)
"""


def start_writer(home, name):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home), name], stdout=subprocess.PIPE, text=True
    )


def killed_writers(home, names=("one", "two"), after=0.5):
    """Kill writers at any moment, and return how many records each has certainly added."""
    writers = {name: start_writer(home, name) for name in names}
    first = {name: process.stdout.readline() for name, process in writers.items()}
    time.sleep(after)
    added = {}
    for name, process in writers.items():
        process.send_signal(signal.SIGKILL)
        added[name] = int((first[name], *process.stdout.read().splitlines())[-1])
        assert process.wait(10) == -signal.SIGKILL
        process.stdout.close()
    return added


def check_all_are_there(added, entries):
    assert len(entries) == len(set(entries))
    for name, count in added.items():
        assert {f"{name}-{number}" for number in range(count)} <= set(entries)


@pytest.mark.parametrize("after", [0.0, 0.05, 0.5])
def test_killed_writers_lose_nothing_that_they_had_added(tmp_path, read, after):
    added = killed_writers(tmp_path, after=after)
    check_all_are_there(added, [entry.id for _, entry in read().last(1_000_000)])
    assert not list((tmp_path / "unwritten").iterdir())
    write(tmp_path, record(1))
    assert read().last(1)[0][1].id == "flow-1"


def test_the_next_writer_records_what_a_killed_one_has_left(tmp_path):
    added = killed_writers(tmp_path)
    ledger = Ledger(tmp_path)
    ledger.open()
    ledger.close()
    connection = sqlite3.connect(tmp_path / "detour.db")
    entries = [name for (name,) in connection.execute("SELECT id FROM exchanges")]
    connection.close()
    check_all_are_there(added, entries)


LINES_WRITER = WRITER.replace(
    "Ledger(Path(sys.argv[1]))", "Ledger(Path(sys.argv[1]), lines=Path(sys.argv[1], 'lines'))"
)


def test_lines_of_json_lose_nothing_either(tmp_path, read):
    process = subprocess.Popen(
        [sys.executable, "-c", LINES_WRITER, str(tmp_path), "one"],
        stdout=subprocess.PIPE,
        text=True,
    )
    heard = [process.stdout.readline() for _ in range(500)]
    process.send_signal(signal.SIGKILL)
    last = (*heard, *process.stdout.read().splitlines())[-1]
    process.wait(10)
    process.stdout.close()
    assert len(read().last(1_000_000)) >= int(last)
    lines = [json.loads(line)["id"] for line in (tmp_path / "lines").read_text().splitlines()]
    assert {f"one-{number}" for number in range(int(last))} <= set(lines)


def test_what_stands_in_the_journal_of_a_living_process_is_left_there(tmp_path):
    journal = Journal(tmp_path, None)
    journal.write(record(1))
    store = Store(tmp_path)
    store.recover()
    assert not store.path.exists()
    journal.close(settled=False)
    store.recover()
    store.recover()
    store.close()
    reader = Reader(tmp_path)
    assert [entry.id for _, entry in reader.last(10)] == ["flow-1"]
    reader.close()


@given(steps=st.lists(st.sampled_from(["write", "store"]), max_size=20), cut=st.integers(0, 40))
def test_a_journal_holds_all_that_is_not_stored(tmp_path_factory, steps, cut):
    """Also when its last line was cut: the crash came before the end of that write."""
    home = tmp_path_factory.mktemp("home")
    journal = Journal(home, None)
    unstored = []
    for number, step in enumerate(steps):
        if step == "write":
            journal.write(record(number))
            unstored.append(f"flow-{number}")
        else:
            journal.turn()
            journal.settle()
            unstored = []
    journal.write(record(99))
    journal.close(settled=False)
    (path,) = journals(home)
    newest = max((path, path.with_suffix(".1")), key=lambda each: b"flow-99" in each.read_bytes())
    content = newest.read_bytes()
    newest.write_bytes(content[: len(content) - cut])
    with left_behind(path) as left:
        kept = [entry.id for entry in left.records]
    assert kept == [*unstored, *(["flow-99"] if cut <= 1 else [])]
    assert not list((home / "unwritten").iterdir())


RUNNING = """
import sys, time
from pathlib import Path
from addon.ledger import Ledger, Record, UnderWay
ledger = Ledger(Path(sys.argv[1]))
records = [Record(time="2027-01-15T08:00:00.000Z", id=name, endpoint="chat", agent="coder")
           for name in ("short", "long")]
ledger.begin(UnderWay(lambda: records[0], lambda: True))
ledger.begin(UnderWay(lambda: records[1], lambda: False))
time.sleep(0.6)
print("running", flush=True)
time.sleep(60)
"""


def test_what_was_under_way_when_a_process_was_killed_is_recorded_as_interrupted(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    reader = Reader(tmp_path)
    assert [entry.id for entry in reader.running()] == ["long"]
    assert reader.page() == []
    reader.close()
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    reader = Reader(tmp_path)
    (entry,) = reader.page()
    assert (entry.id, entry.agent, entry.status) == ("long", "coder", None)
    assert entry.error.startswith("interrupted: ")
    assert reader.running() == []
    assert reader.usage()[0].errors == 1
    reader.close()


def test_an_exchange_that_ends_is_not_under_way_any_more(tmp_path, read):
    ledger = Ledger(tmp_path)
    ended = []
    ledger.begin(UnderWay(lambda: record(1), lambda: bool(ended)))
    time.sleep(0.6)
    assert [entry.id for entry in read().running()] == ["flow-1"]
    ended.append(True)
    ledger.add(record(1))
    ledger.flush()
    assert read().running() == []
    ledger.close()
    assert [entry.id for entry in read().page()] == ["flow-1"]


def test_a_record_is_in_the_database_at_once_after_a_pause(tmp_path, read):
    ledger = Ledger(tmp_path)
    ledger.add(record(1))
    ledger.flush()
    time.sleep(0.2)
    ledger.add(record(2))
    time.sleep(0.05)
    found = [entry.id for _, entry in read().last(10)]
    ledger.close()
    assert found == ["flow-1", "flow-2"]


def test_what_could_not_be_written_is_written_later(tmp_path, read, monkeypatch):
    monkeypatch.setattr("addon.ledger.ledger._AGAIN", 0.1)
    folder = tmp_path / "detour.db"
    folder.mkdir()
    ledger = Ledger(tmp_path)
    ledger.add(record(1))
    ledger.flush()
    ledger.add(record(2))
    ledger.flush()
    folder.rmdir()
    time.sleep(0.3)
    ledger.add(record(3))
    ledger.close()
    assert [entry.id for _, entry in read().last(10)] == ["flow-1", "flow-2", "flow-3"]


def test_what_cannot_be_written_now_waits_for_the_next_process(tmp_path, read):
    folder = tmp_path / "detour.db"
    folder.mkdir()
    write(tmp_path, record(1))
    folder.rmdir()
    write(tmp_path, record(2))
    assert {entry.id for _, entry in read().last(10)} == {"flow-1", "flow-2"}


@pytest.mark.parametrize("values", [{"output_tokens": 1 << 70}, {"agent": "\udc80"}])
def test_a_record_that_nobody_can_write_takes_no_other_with_it(tmp_path, read, values):
    write(tmp_path, record(1), record(2, **values), record(3))
    assert [entry.id for _, entry in read().last(10)] == ["flow-1", "flow-3"]


@pytest.mark.parametrize(
    ("text", "back"),
    [("90m", 5400), ("24h", DAY), ("7d", 7 * DAY), ("2w", 14 * DAY), ("99999999w", NOW)],
)
def test_how_far_back_is_meant(text, back):
    assert moment(text, NOW) == NOW - back


def test_a_day_begins_here_at_midnight():
    assert moment("2026-05-01") == time.mktime((2026, 5, 1, 0, 0, 0, 0, 0, -1))


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7y", "soon", "2026-13-01"])
def test_what_is_no_time(text):
    with pytest.raises(ValueError):
        moment(text)
