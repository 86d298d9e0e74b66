"""`detour usage` and `detour log`."""

import json
import re
import signal
import ssl
import time

import httpx2
import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.ledger import Ledger, Reader, Record, timestamp
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
    heads, opus, glm, total = (re.split(r"  +", line) for line in output.splitlines())
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
    empty = {"groups": [], "total": None}
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
