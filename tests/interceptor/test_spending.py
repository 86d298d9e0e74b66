"""What counts for limits: exact within a process, known to all that share a home folder."""

import asyncio
import tempfile
import time
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addon.interceptor.spending import STALE, Spending
from addon.ledger import Ledger, Record, timestamp
from addon.rules import Used, load_rules
from tests.support.program import Machine, background_provider, listening_at
from tests.support.rules import write_rules

NOON = 1_780_000_000.0
RULES = """
version: 1
providers: {anthropic: {api_key: k}}
rules:
  - name: one
    use: anthropic:*
    limit: [{tokens: 1000000, per: day}, {requests: 9999, per: hour}]
  - {name: two, use: 'anthropic:*', limit: {requests: 1000, by: agent}}
"""


class Process:
    """What one process knows of limits and writes into the ledger."""

    def __init__(self, home, clock):
        self.ledger = Ledger(home, now=clock)
        self.spending = Spending(home, self.ledger.flush, clock, stale=0)
        self.running = []

    def begin(self, rules, index, agent):
        rule = rules.rules[index]
        self.spending.look(rules)
        admission = self.spending.admit(rule, agent)
        assert admission is not None
        self.running.append((admission, rule.name, agent))

    def end(self, which, name, tokens, now):
        admission, rule, agent = self.running.pop(which)
        record = Record(
            time=timestamp(now),
            id=name,
            agent=agent,
            rule=rule,
            endpoint="chat",
            actual_provider="anthropic",
            input_tokens=tokens,
        )
        admission.settle(record)
        self.ledger.add(record)

    def close(self):
        self.ledger.close()
        self.spending.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("begin", "begin", "end", "look", "restart", "limits off and on")),
        st.integers(0, 2),  # which process
        st.integers(0, 1),  # which rule
        st.sampled_from((None, "a", "b")),
        st.integers(0, 100),
    ),
    min_size=1,
    max_size=25,
)


def check(process, rules, ended):
    """Hold that a process knows all of its own calls, and all that have ended."""
    running = [(rule, by, 0) for _, rule, by in process.running]
    for rule in rules.rules:
        for agent in (None, "a", "b"):
            for standing in process.spending.standing(rule, agent):
                counted = [
                    tokens
                    for name, by, tokens in (*ended, *running)
                    if name == rule.name and (not standing.limit.by_agent or by == agent)
                ]
                assert standing.used == Used(requests=len(counted), tokens=sum(counted))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_any_number_of_processes_agree(steps):
    """Each knows its own calls at once, and those of others once they have ended."""
    rules = load_rules(RULES, "rules.yaml", {})
    without = load_rules(RULES.partition("rules:")[0], "rules.yaml", {})
    with tempfile.TemporaryDirectory() as folder:
        home, clock = Path(folder), lambda: NOON
        processes = [Process(home, clock) for _ in range(3)]
        ended: list[tuple[str, str | None, int]] = []
        for number, (action, who, index, agent, tokens) in enumerate(steps):
            process = processes[who]
            match action:
                case "begin":
                    process.begin(rules, index, agent)
                case "end" if process.running:
                    rule, by = process.running[0][1:]
                    process.end(0, f"call {number}", tokens, NOON)
                    process.ledger.flush()
                    ended.append((rule, by, tokens))
                case "look":
                    process.spending.look(rules)
                case "limits off and on":
                    process.spending.look(without)
                    process.spending.look(rules)
                case "restart" if not process.running:
                    process.close()
                    processes[who] = Process(home, clock)
            for looker in processes:
                looker.spending.look(rules)
                check(looker, rules, ended)
        for process in processes:
            process.close()


def test_nothing_is_read_where_no_rule_has_a_limit(tmp_path, monkeypatch):
    spending = Spending(tmp_path, lambda: pytest.fail("waited for the ledger"))
    monkeypatch.setattr(spending, "look", lambda rules: pytest.fail("read the ledger"))
    rules = load_rules("version: 1\nrules: [{use: block}]\n", "rules.yaml", {})
    asyncio.run(spending.prepare(rules))


async def test_it_is_not_read_more_often_than_said(tmp_path, monkeypatch):
    looks = []
    spending = Spending(tmp_path, lambda: None, stale=0.2)
    look = spending.look
    monkeypatch.setattr(spending, "look", lambda rules: (looks.append(1), look(rules)))
    rules = load_rules(RULES, "rules.yaml", {})
    await asyncio.gather(*(spending.prepare(rules) for _ in range(20)))
    await spending.prepare(rules)
    assert len(looks) == 1
    await asyncio.sleep(0.25)
    await spending.prepare(rules)
    assert len(looks) == 2


def test_the_next_period_begins_anew(tmp_path):
    now = [NOON]
    process = Process(tmp_path, lambda: now[0])
    rules = load_rules(RULES, "rules.yaml", {})
    process.begin(rules, 0, "a")
    process.end(0, "x", 7, now[0])
    process.ledger.flush()
    now[0] += 3600
    process.spending.look(rules)
    day, hour = process.spending.standing(rules.rules[0], None)
    assert (day.used.tokens, hour.used.tokens) == (7, 0)
    process.close()


def ask(place):
    with httpx2.Client(proxy=f"http://{place}", verify=False, trust_env=False) as client:
        body = {"model": "m", "messages": [{"role": "user", "content": "[[say hi]]"}]}
        return client.post("https://api.openai.com/v1/chat/completions", json=body).status_code


def test_proxies_that_share_a_home_folder_share_its_limits(tmp_path):
    machine = Machine(tmp_path, tmp_path)
    serve = ("serve", "--ui", "dump", "--listen", "127.0.0.1:0")
    with background_provider() as provider:
        text = write_rules(provider.base_url, limit={"requests": 4})
        (tmp_path / "rules.yaml").write_text(text)
        with (
            machine.start(*serve, ANTHROPIC_API_KEY="k") as first,
            machine.start(*serve, ANTHROPIC_API_KEY="k") as second,
        ):
            one, two = listening_at(first), listening_at(second)
            statuses = [ask(one), ask(two), ask(one)]
            time.sleep(STALE + 1)
            statuses += [ask(two), ask(two)]  # one of four is left, whoever had the others
            time.sleep(STALE + 1)
            statuses.append(ask(one))
        assert statuses == [200, 200, 200, 200, 429, 429]
        assert len(provider.requests) == 4
