"""`detour usage` and `detour log`."""

import json
import re
import signal
import ssl
import sys
import time

import httpx2
import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.commands.log import line_of
from addon.ledger import Ledger, Reader, Record, timestamp
from addon.optional_packages import installing
from addon.providers import table_date
from tests.support.program import AGENT_KEY, listening_at


def run(*arguments):
    result = CliRunner().invoke(detour, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def write(home, *records):
    home.mkdir(exist_ok=True)
    ledger = Ledger(home)
    for number, (ago, values) in enumerate(records):
        given = {"endpoint": "chat", "status": 200, "actual_provider": "anthropic", **values}
        ledger.add(Record(time=timestamp(time.time() - ago), id=str(number), **given))
    ledger.close()


OPUS = {"model": "claude-opus", "agent": "planner", "rule": "plan", "input_tokens": 1000}
GLM = {"actual_provider": "zai", "model": "glm-5.3", "agent": "coder", "rule": "code"}


@pytest.fixture
def recorded(tmp_path):
    home = tmp_path / "detour-home"
    write(
        home,
        (20 * 86400, {**GLM, "output_tokens": 7_000_000, "cost_usd": 70.0}),
        (60, {**OPUS, "output_tokens": 200, "cache_read_tokens": 900, "cost_usd": 1.25}),
        (50, {**OPUS, "output_tokens": 34, "cost_usd": 0.5}),
        (40, {**GLM, "output_tokens": 5000}),
        (30, {**GLM, "status": 529, "error": "overloaded: busy"}),
    )
    return home


def test_the_table_adds_up_by_model(recorded):
    code, output = run("usage", "--home", str(recorded))
    assert code == 0
    *table, nothing, note = output.splitlines()
    heads, opus, glm, total = (re.split(r"  +", line) for line in table)
    assert (nothing, note.partition(";")[0]) == ("", f"Prices as of {table_date()}")
    assert "what one request cost is not known" in note
    assert heads == ["model", "requests", "errors", "input", "cached", "output", "cost"]
    assert opus == ["anthropic:claude-opus", "2", "0", "2,000", "900", "234", "$1.7500"]
    assert glm == ["zai:glm-5.3", "2", "1", "0", "0", "5,000", "?"]
    assert total == ["total", "4", "1", "2,000", "900", "5,234", "$1.7500 + ?"]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("agent", {"planner", "coder"}),
        ("provider", {"anthropic", "zai"}),
        ("rule", {"plan", "code"}),
    ],
)
def test_other_groups_and_json(recorded, by, keys):
    code, output = run("usage", "--home", str(recorded), "--by", by, "--json")
    told = json.loads(output)
    assert code == 0
    assert {group[by] for group in told["groups"]} == keys
    assert told["total"]["output_tokens"] == 5234
    assert told["total"]["unpriced"] == 1
    unknown = next(group for group in told["groups"] if group["output_tokens"] == 5000)
    assert unknown["cost_usd"] is None


def test_groups_of_several_things(recorded):
    _, output = run("usage", "--home", str(recorded), "--by", "agent,day,agent", "--json")
    groups = json.loads(output)["groups"]
    assert {group["agent"]: group["requests"] for group in groups} == {"planner": 2, "coder": 2}
    assert all(group["day"] for group in groups)
    _, output = run("usage", "--home", str(recorded), "--by", "rule,provider")
    assert re.split(r"  +", output.splitlines()[1])[:3] == ["plan", "anthropic", "2"]
    assert run("usage", "--home", str(recorded), "--by", "agent,colour")[0] == 2


@pytest.mark.parametrize(
    ("options", "requests"),
    [
        (["--agent", "planner"], 2),
        (["--agent", "c*"], 2),
        (["--provider", "zai"], 2),
        (["--model", "anthropic:claude-opus"], 2),
        (["--rule", "code", "--agent", "coder"], 2),
        (["--until", "45m"], 0),
        (["--since", "45s", "--agent", "coder"], None),
    ],
)
def test_only_some_exchanges(recorded, options, requests):
    code, output = run("usage", "--home", str(recorded), *options, "--json")
    if requests is None:
        assert code == 2  # seconds are no unit
        return
    total = json.loads(output)["total"]
    assert (total["requests"] if total else 0) == requests


def test_columns_of_what_nobody_used_are_left_out(tmp_path):
    home = tmp_path / "detour-home"
    write(home, (60, {**OPUS, "cache_write_tokens": 5, "reasoning_tokens": 7, "cost_usd": 1.0}))
    _, output = run("usage", "--home", str(home))
    heads, row, _, note = output.splitlines()
    assert heads.split()[3:] == ["input", "cached", "written", "output", "thought", "cost"]
    assert row.split()[1:] == ["1", "0", "1,000", "0", "5", "0", "7", "$1.0000"]
    assert note == f"Prices as of {table_date()}."


@pytest.mark.parametrize(
    "options", [[], ["--by", "day"], ["--by", "agent,model"], ["--since", "24h"]]
)
def test_a_plot(recorded, tmp_path, options):
    pytest.importorskip("matplotlib")
    for name, beginning in (("used.png", b"\x89PNG"), ("used.SVG", b"<?xml")):
        path = tmp_path / name
        code, _ = run("usage", "--home", str(recorded), *options, "--plot", str(path))
        assert code == 0
        assert path.read_bytes().startswith(beginning)
    drawing = path.read_text()
    assert "Cost: $1.75, and 1 request of unknown price" in drawing
    assert "Tokens, read and written: 7.23k" in drawing
    assert ("planner · anthropic:claude-opus" in drawing) == ("agent,model" in options)


def test_a_plot_of_many_groups_has_one_for_the_smallest(tmp_path):
    pytest.importorskip("matplotlib")
    home = tmp_path / "detour-home"
    used = [(60 * n, {**OPUS, "agent": f"agent-{n:02}", "cost_usd": 1.0 / n}) for n in range(1, 21)]
    write(home, *used)
    path = tmp_path / "used.svg"
    run("usage", "--home", str(home), "--by", "agent", "--plot", str(path))
    drawing = path.read_text()
    assert re.findall(r"agent-\d\d", drawing) == [f"agent-{n:02}" for n in range(1, 7)]
    assert "14 others" in drawing


def test_a_plot_that_cannot_be_drawn(recorded, tmp_path, monkeypatch):
    assert run("usage", "--home", str(recorded), "--plot", "used.pdf")[0] == 2
    missing = str(tmp_path / "nowhere" / "used.png")
    result = CliRunner().invoke(detour, ["usage", "--home", str(recorded), "--plot", missing])
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "addon.commands.usage_plot", raising=False)
    result = CliRunner().invoke(detour, ["usage", "--home", str(recorded), "--plot", "used.png"])
    assert result.exit_code == 1
    assert f"run {installing('plot')}" in result.stderr


def test_how_far_back(recorded):
    _, output = run("usage", "--home", str(recorded), "--since", "4w", "--by", "day", "--json")
    groups = json.loads(output)["groups"]
    assert groups[0]["cost_usd"] == 70
    assert sum(group["requests"] for group in groups) == 5
    code, _ = run("usage", "--home", str(recorded), "--since", "long ago")
    assert code == 2


def test_nothing_used_yet(tmp_path):
    assert run("usage", "--home", str(tmp_path)) == (0, "Nothing was used in this time.\n")
    assert run("log", "--home", str(tmp_path)) == (0, "Nothing has been recorded yet.\n")
    empty = {"groups": [], "total": None, "prices_as_of": table_date()}
    assert json.loads(run("usage", "--home", str(tmp_path), "--json")[1]) == empty


def test_a_ledger_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "detour.db").write_bytes(b"no database at all, but long enough" * 100)
    assert run("usage", "--home", str(tmp_path))[0] == 1
    assert run("log", "--home", str(tmp_path))[0] == 1


def test_the_log_has_a_line_for_each_exchange(recorded):
    _, output = run("log", "--home", str(recorded), "-n", "3")
    opus, glm, failed = output.splitlines()
    assert "-> anthropic:claude-opus (plan) 200" in opus
    assert opus.endswith("1,000 in 34 out $0.5000")
    assert glm.endswith("? in 5,000 out $?")
    assert failed.endswith("(code) 529 overloaded: busy")
    _, output = run("log", "--home", str(recorded), "-n", "1", "--json")
    assert json.loads(output)["error"] == "overloaded: busy"
    assert run("log", "--home", str(recorded), "-n", "0") == (0, "")


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (["--errors"], 1),
        (["--agent", "coder"], 3),
        (["--agent", "coder", "--since", "7d"], 2),
        (["--provider", "anthropic"], 2),
        (["--model", "glm-5.3", "-n", "1"], 1),
        (["--rule", "plan"], 2),
        (["--rule", "none"], 0),
    ],
)
def test_the_log_can_be_of_some_exchanges(recorded, options, lines):
    _, output = run("log", "--home", str(recorded), *options)
    assert len(output.splitlines()) == lines


def test_the_log_has_colours_on_a_terminal_only(recorded):
    arguments = ["log", "--home", str(recorded), "-n", "3"]
    assert "\x1b[" not in CliRunner().invoke(detour, arguments).stdout
    coloured = CliRunner().invoke(detour, arguments, color=True).stdout
    assert "\x1b[32m200\x1b[0m" in coloured
    assert "\x1b[31m529\x1b[0m" in coloured


def test_what_an_error_says_does_not_steer_the_terminal():
    record = Record(time=timestamp(0), id="1", endpoint="chat", error="bad: \x1b]0;title\x07red")
    assert "\x1b]" not in line_of(record)
    assert "\x07" not in line_of(record)


def test_the_log_follows_into_a_new_file(machine, tmp_path):
    home = tmp_path / "detour-home"
    write(home, (0, {**OPUS}))
    with machine.start("log", "-f", "-n", "1", "--agent", "*", "--home", str(home)) as process:
        assert "claude-opus" in process.stdout.readline()
        for path in home.glob("detour.db*"):
            path.unlink()
        write(home, (0, {**GLM}))
        assert "glm-5.3" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_the_log_follows(machine, tmp_path):
    home = tmp_path / "detour-home"
    with machine.start("log", "--follow", "-n", "1", "--home", str(home)) as process:
        write(home, (0, {**OPUS}))
        assert "claude-opus" in process.stdout.readline()
        write(home, (0, {**GLM}))
        assert "glm-5.3" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()


def call(address, authority, text, **more):
    context = ssl.create_default_context(cafile=str(authority))
    with httpx2.Client(
        proxy=f"http://{address}", verify=context, trust_env=False, timeout=20
    ) as client:
        return client.post(
            "https://api.openai.com/v1/chat/completions",
            headers={"authorization": f"Bearer {AGENT_KEY}"},
            json={"model": "gpt-5.1", "messages": [{"role": "user", "content": text}], **more},
        )


def serve(machine, home):
    arguments = ("--ui", "dump", "--listen", "127.0.0.1:0", "--home", str(home))
    return machine.start("serve", *arguments)


def records(home):
    reader = Reader(home)
    try:
        return [record for _, record in reader.last(1000)]
    finally:
        reader.close()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_proxy_that_is_ended_keeps_what_it_recorded(machine, provider, tmp_path, ending):
    home = tmp_path / "detour-home"
    authority = machine.home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
    machine.write_rules(provider.base_url)
    spent = 0
    for _ in range(2):
        with serve(machine, home) as process:
            address = listening_at(process)
            for _ in range(10):
                answer = call(address, authority, "[[say one two three]]").json()
                spent += answer["usage"]["completion_tokens"]
            process.send_signal(ending)
            process.wait(20)
    assert sum(record.output_tokens for record in records(home)) == spent
    _, output = run("usage", "--home", str(home), "--json")
    assert json.loads(output)["total"]["requests"] == 20
