"""The ledger by itself: what is written stays written, whatever happens to whoever writes."""

import json
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from addon.ledger import COLUMNS, Ledger, Limits, Reader, Selection, moment
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
    assert len(told) == 3  # one of the first ledger, one for each file of the second


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
    if number % 50 == 0:
        ledger.flush()
        print(number, flush=True)
"""


def start_writer(home, name):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home), name], stdout=subprocess.PIPE, text=True
    )


def test_killed_writers_lose_nothing_that_they_had_written(tmp_path, read):
    writers = {name: start_writer(tmp_path, name) for name in ("one", "two")}
    written = {}
    for name, process in writers.items():
        for _ in range(6):
            written[name] = int(process.stdout.readline())
    for process in writers.values():
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        process.stdout.close()
    entries = [entry.id for _, entry in read().last(1_000_000)]
    assert len(entries) == len(set(entries))
    for name, count in written.items():
        assert {f"{name}-{number}" for number in range(count)} <= set(entries)
    write(tmp_path, record(1))
    assert read().last(1)[0][1].id == "flow-1"


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
