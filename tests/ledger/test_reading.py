"""What can be asked of the ledger."""

import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.ledger import Cursor, Reader, Selection, starts, timestamp
from addon.ledger.record import COLUMNS
from addon.ledger.schema import SCHEMA
from tests.support.ledger import DAY, NOW, record, write

OPUS = {"agent": "planner", "rule": "plan", "model": "claude-opus-5-5", "requested_model": "gpt-5"}
GLM = {
    "agent": "coder",
    "rule": "code",
    "model": "glm-5.3",
    "requested_model": "gpt-5-mini",
    "actual_provider": "zai",
}
LOST = {"field": "seed", "reason": "unknown there", "action": "dropped"}
RECORDS = (
    record(1, ago=5 * DAY, **OPUS, output_tokens=10, cost_usd=3.0),
    record(2, ago=4 * DAY, **OPUS, output_tokens=20, cost_usd=2.0, losses=[LOST]),
    record(3, ago=3 * DAY, **GLM, output_tokens=30),
    record(4, ago=2 * DAY, **{**GLM, "status": 529}, error="overloaded: come again"),
    record(5, ago=DAY, **{**GLM, "status": None}, error="disconnected: gone", losses=[LOST]),
    record(6, ago=DAY, **{**OPUS, "model": None, "actual_provider": None}, provider="openai"),
    record(7, ago=0, **{**GLM, "status": 529}, error="overloaded: still busy", losses=[LOST, LOST]),
)


@pytest.fixture
def reader(tmp_path):
    write(tmp_path, *RECORDS)
    reader = Reader(tmp_path)
    yield reader
    reader.close()


def numbers(records):
    return [int(entry.id.removeprefix("flow-")) for entry in records]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1]),
        ({"since": NOW - 2 * DAY}, [7, 6, 5, 4]),
        ({"until": NOW - 3 * DAY}, [2, 1]),
        ({"status": 529}, [7, 4]),
        ({"status": 500}, []),
        ({"agent": "planner"}, [6, 2, 1]),
        ({"agent": "c*"}, [7, 5, 4, 3]),
        ({"agent": ""}, []),
        ({"provider": "zai"}, [7, 5, 4, 3]),
        ({"provider": "openai"}, [6]),
        ({"model": "glm-5.3"}, [7, 5, 4, 3]),
        ({"model": "gpt-5"}, [6, 2, 1]),
        ({"model": "gpt-5*"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"model": "anthropic:claude-opus-5-5"}, [2, 1]),
        ({"model": "zai:*"}, [7, 5, 4, 3]),
        ({"rule": "plan"}, [6, 2, 1]),
        ({"endpoint": "responses"}, []),
        ({"status": "error"}, [7, 5, 4]),
        ({"status": "ok"}, [6, 3, 2, 1]),
        ({"text": "BUSY overloaded"}, [7]),
        ({"text": "flow-3"}, [3]),
        ({"text": "100%_'"}, []),
        ({"agent": "coder", "status": "ok"}, [3]),
    ],
)
def test_exchanges_are_found(reader, selection, found):
    assert numbers(reader.page(Selection(**selection))) == found


def test_a_bracket_in_a_name_is_no_class(tmp_path):
    write(tmp_path, record(1, agent="a[b]c"), record(2, agent="abc"))
    reader = Reader(tmp_path)
    assert numbers(reader.page(Selection(agent="a[b]*"))) == [1]
    reader.close()


@given(
    moments=st.lists(st.integers(0, 4), max_size=30),
    size=st.integers(1, 7),
)
def test_pages_hold_everything_once(tmp_path_factory, moments, size):
    home = tmp_path_factory.mktemp("home")
    write(home, record(0), *(record(n + 1, ago=ago) for n, ago in enumerate(moments)))
    reader = Reader(home)
    seen, before = [], None
    while page := reader.page(count=size, before=before):
        assert len(page) <= size
        seen += page
        before = Cursor(page[-1].time, page[-1].id)
    reader.close()
    assert sorted(numbers(seen)) == list(range(len(moments) + 1))
    keys = [(entry.time, entry.id) for entry in seen]
    assert keys == sorted(keys, reverse=True)


def test_one_exchange_is_found_by_its_id(reader):
    assert reader.exchange("flow-4") == RECORDS[3]
    assert reader.exchange("flow-9") is None


def test_groups_can_be_of_several_things(reader):
    rows = reader.usage(Selection(), ("agent", "model"))
    assert {row.keys: (row.requests, row.errors, row.unpriced) for row in rows} == {
        ("planner", "anthropic:claude-opus-5-5"): (2, 0, 0),
        ("coder", "zai:glm-5.3"): (4, 3, 2),
        ("planner", "gpt-5"): (1, 0, 0),
    }
    assert rows[0].keys[0] == "planner"  # the dearest
    assert [row.requests for row in reader.usage(Selection(status="error"))] == [3]


def test_a_series_has_a_point_for_each_day_and_group(reader):
    points = reader.series("day", Selection(), ("agent",))
    assert [point.start for point in points] == sorted(point.start for point in points)
    assert sum(point.requests for point in points) == len(RECORDS)
    days = starts("day", NOW - 5 * DAY, NOW)
    assert {point.start for point in points} <= set(days)
    assert len(days) == 6
    last = [point for point in points if point.start == days[-1]]
    assert [(point.keys, point.errors) for point in last] == [(("coder",), 1)]


def test_a_series_of_hours(reader):
    points = reader.series("hour")
    hours = starts("hour", NOW - 5 * DAY, NOW)
    assert {point.start for point in points} <= set(hours)
    assert len(hours) == 5 * 24 + 1
    assert points[0].keys == ()


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)), st.integers(0, 100))
def test_hours_follow_one_another(begin, hours):
    since = begin.replace(tzinfo=UTC).timestamp()
    named = starts("hour", since, since + hours * 3600)
    assert len(named) == hours + 1
    first = datetime.fromisoformat(named[0])
    assert first <= datetime.fromtimestamp(since, UTC) < first + timedelta(hours=1)
    assert len(set(named)) == len(named)
    assert timestamp(since)[:13] == named[0][:13]


def test_troubles_are_counted(reader):
    told = {(each.kind, each.name, each.provider): each for each in reader.troubles()}
    overloaded = told["error", "overloaded", "zai"]
    assert (overloaded.count, overloaded.last_id) == (2, "flow-7")
    assert overloaded.detail == "overloaded: still busy"
    assert told["error", "disconnected", "zai"].count == 1
    lost = told["loss", "seed", "zai"]
    assert (lost.count, lost.detail, lost.last_id) == (3, "dropped: unknown there", "flow-7")
    assert told["loss", "seed", "anthropic"].last == timestamp(NOW - 4 * DAY)
    assert len(told) == 4
    found = reader.troubles(Selection(text="flow-2"))
    assert [each.last_id for each in found] == ["flow-2"]


def test_the_names_that_can_be_chosen(reader):
    names = reader.names()
    assert names.agents == ["coder", "planner"]
    assert names.providers == ["anthropic", "zai"]
    assert names.models == ["anthropic:claude-opus-5-5", "zai:glm-5.3"]
    assert names.rules == ["code", "plan"]


def test_a_new_file_is_read_on(tmp_path, reader):
    before = reader.file
    for path in tmp_path.glob("detour.db*"):
        path.unlink()
    assert reader.page() == []
    write(tmp_path, record(8))
    assert numbers(reader.page()) == [8]
    assert reader.file != before


def test_a_file_that_is_just_being_made_is_empty(tmp_path):
    (tmp_path / "detour.db").touch()
    reader = Reader(tmp_path)
    assert reader.page() == reader.usage() == reader.troubles() == []
    assert reader.end() == 0
    reader.close()


MANY = 200_000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A ledger of many exchanges, one for each second."""
    home = tmp_path_factory.mktemp("large")
    connection = sqlite3.connect(home / "detour.db")
    connection.executescript(SCHEMA)
    template = record(
        attempts=[{"provider": "anthropic", "model": "claude", "seconds": 1.0}], **OPUS
    ).row()
    values = dict(zip(COLUMNS, template, strict=True))
    chosen = {
        "time": f"strftime('%Y-%m-%dT%H:%M:%fZ', {NOW} - n, 'unixepoch')",
        "id": "'flow-' || n",
        "agent": f"CASE WHEN n = {MANY - 1} THEN 'rare' ELSE 'agent-' || (n % 7) END",
        "error": "CASE WHEN n % 1000 = 0 THEN 'overloaded: busy' END",
    }
    columns = ", ".join(chosen.get(name, f":{name}") for name in COLUMNS)
    with connection:
        connection.execute(
            f"WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c LIMIT {MANY})"
            f" INSERT INTO exchanges SELECT {columns} FROM c",
            values,
        )
    connection.close()
    reader = Reader(home)
    yield reader
    reader.close()


@pytest.mark.parametrize(
    "selection",
    [
        {},
        {"agent": "rare"},
        {"rule": "plan"},
        {"status": "error"},
        {"since": NOW - 60},
        {"model": "anthropic:none"},
    ],
)
def test_a_page_of_many_exchanges_does_not_sort_them_all(large, selection):
    where, values = Selection(**selection).clause()
    plan = large._query(
        f"EXPLAIN QUERY PLAN SELECT * FROM exchanges WHERE {where}"
        " ORDER BY time DESC, id DESC LIMIT 100",
        values,
    )
    told = " ".join(row["detail"] for row in plan)
    assert re.search(r"USING INDEX exchanges_\w+", told), told
    assert "SCAN" not in told, told


def seconds(ask):
    best = 60.0
    for _ in range(3):
        began = time.perf_counter()
        ask()
        best = min(best, time.perf_counter() - began)
    return best


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.page(),
        lambda reader: reader.page(before=Cursor(timestamp(NOW - MANY / 2), "flow-0")),
        lambda reader: reader.page(Selection(agent="rare")),
        lambda reader: reader.page(Selection(status="error"), count=100),
        lambda reader: reader.exchange("flow-5000"),
        lambda reader: reader.usage(Selection(since=NOW - 600), ("agent", "model")),
        lambda reader: reader.series("hour", Selection(since=NOW - 600), ("agent",)),
        lambda reader: reader.troubles(),
        lambda reader: reader.used("plan", NOW - 600, reader.end()),
        lambda reader: reader.after(MANY - 10),
    ],
)
def test_what_a_dashboard_asks_looks_at_few_of_many(large, ask):
    everything = seconds(lambda: large.usage(Selection(), ("agent",)))
    assert seconds(lambda: ask(large)) < everything / 3
