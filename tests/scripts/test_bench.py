import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return lambda name: import_module(f"benchmarks.{name}")


def run(*arguments):
    command = [sys.executable, str(SCRIPTS / "bench.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_costs_of_translation_are_told_with_their_budgets():
    done = run("--quick", "--only", "translation", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {"date", "cpu", "cores", "python", "mitmproxy", "detour"} <= set(told["machine"])
    assert set(told) == {"machine", "events", "requests", "answers", "growth", "one_event"}
    for section, unit in (("events", "µs"), ("requests", "ms"), ("answers", "ms"), ("growth", "x")):
        assert told[section]
        for row in told[section]:
            values = row["values"].values() if "values" in row else [row["value"]]
            assert min(values) > 0
            assert row["unit"] == unit
            assert row["within"] is (
                None if row["budget"] is None else max(values) <= row["budget"]
            )
    for section in ("events", "requests", "growth"):
        directions = {row["name"] for row in told[section]}
        assert len(directions) == 16
        assert {"gemini → openai-responses", "anthropic unchanged"} <= directions
    assert "cost per event" in done.stderr


@pytest.mark.parametrize("part", ["--quick", "--only=translation"])
def test_a_part_of_the_measurement_is_not_published(part):
    done = run("--write", part)
    assert done.returncode == 2
    assert "--write" in done.stderr


def test_figures_of_a_round_are_compared_with_those_of_the_same_round(benchmarks):
    rounds = {"direct": [[0.1]], "bare": [[1.0, 2.0], [3.0]], "detour": [[3.0], [3.0]]}
    row = benchmarks("figures").compare("first byte", "ms", rounds, scale=1e3, target=1.6)
    assert (row.direct, row.bare, row.detour) == (100, 2000, 3000)
    assert (row.ratio, row.lowest, row.highest) == (1.5, 1.0, 2.0)
    assert row.within


def test_a_page_holds_every_figure_and_what_was_missed(benchmarks):
    figures = benchmarks("figures")
    kept = figures.Cost(name="an event", value=2.345, unit="µs", budget=5)
    missed = figures.Comparison(
        name="a chunk", unit="µs", direct=None, bare=200.0, detour=300.0, target=1.3
    )
    several = figures.Costs("a direction", {"small": 0.25, "large": None}, "ms", 0.2)
    sections = [
        figures.Section("costs", "Costs", [kept]),
        figures.Section("several", "Several", [several]),
        figures.Section("ways", "Ways", [missed]),
    ]
    page = benchmarks("report").as_markdown(benchmarks("machine").this_machine(), sections)
    assert "| an event | 2.35 µs | 5 µs | kept |" in page
    assert "|  | small | large | budget |  |" in page
    assert "| a direction | 0.250 ms |  | 0.2 ms | MISSED |" in page
    assert "| a chunk | µs |  | 200 | 300 | 1.50 |  | 1.3 | MISSED |" in page


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the CPU time of others")
async def test_every_way_leads_to_the_provider_and_tells_the_same(benchmarks, tmp_path):
    ask = benchmarks("conversations").openai_chat
    small = benchmarks("conversations").SMALL
    directive = benchmarks("fast_provider").directive
    async with benchmarks("processes").ways(tmp_path) as ways:
        assert [way.name for way in ways] == ["direct", "bare", "detour"]
        for way in ways:
            agent = await way.connect()
            answer = await agent.call(ask(small, text=directive(7, 1000)), events=7)
            assert len(answer.delays) == 7
            assert min(answer.delays) > 0
            await agent.call(ask(small, stream=False))
            agent.close()
        assert all(way.cpu() > 0.1 for way in ways[1:])
        assert all(way.memory() > 10 for way in ways[1:])
