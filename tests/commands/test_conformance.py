"""`detour conformance` as a person runs it."""

import functools
import json
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from addon.commands import detour
from addon.commands.conformance_rules import EMBEDDED, embedded_rules, real_rules
from addon.conformance.scenario import Scenario
from addon.conformance.session import Failed, Session
from addon.conformance.suite import AGENTS, SCENARIOS, play_all
from addon.inspection.loading import load


async def fail(_session: Session) -> None:
    raise Failed("on purpose")


@pytest.mark.parametrize("broken", [False, True])
def test_outcomes_as_json(monkeypatch: pytest.MonkeyPatch, broken: bool) -> None:
    """README's own call plays everything against every provider; one of them is enough here."""
    candidate = EMBEDDED[-1]
    scenarios = [Scenario("broken", fail)] if broken else SCENARIOS
    play = functools.partial(play_all, scenarios=scenarios)
    monkeypatch.setattr("addon.commands.conformance.EMBEDDED", [candidate])
    monkeypatch.setattr("addon.commands.conformance.play_all", play)
    done = CliRunner().invoke(detour, ["conformance", "--json"], catch_exceptions=False)
    records = json.loads(done.stdout)
    assert len(records) == len(scenarios) * len(AGENTS) * 2
    verdicts = {"failed"} if broken else {"ok", "not applicable"}
    assert {record["verdict"] for record in records} == verdicts
    assert done.exit_code == int(broken)
    played = {(record["provider"], record["agent"]) for record in records}
    assert played == {(candidate.title, agent.name) for agent in AGENTS}


def test_the_rules_lead_every_name_to_its_format(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(embedded_rules("http://127.0.0.1:1"))
    rules = load(path, tmp_path)
    for candidate in EMBEDDED:
        assert list(rules.providers[candidate.name].base_urls) == [candidate.format]


def test_a_real_provider_is_taken_as_the_users_rules_have_it(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "version: 1\n"
        "providers:\n"
        "  here: {base_url: 'http://127.0.0.1:1/v1', formats: [openai-chat], api_key: none}\n"
    )
    text, candidate = real_rules("here", "small", own, tmp_path)
    written = yaml.safe_load(text)
    assert written["providers"]["here"]["base_url"] == "http://127.0.0.1:1/v1"
    assert written["rules"][0]["use"] == "here:small"
    assert candidate.format == ""
    with pytest.raises(click.ClickException, match="which model of here"):
        real_rules("here", None, own, tmp_path)
    with pytest.raises(click.ClickException, match="there is no provider 'nobody'"):
        real_rules("nobody", None, own, tmp_path)


def test_a_built_in_provider_has_a_model(tmp_path: Path) -> None:
    _, candidate = real_rules("deepseek", None, None, tmp_path)
    assert candidate.model == "deepseek-v4-pro"


def test_a_model_without_a_provider_is_a_mistake() -> None:
    done = CliRunner().invoke(detour, ["conformance", "--model", "x"])
    assert done.exit_code == 2
    assert "--model goes with --provider" in done.output
