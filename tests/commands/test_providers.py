import json

import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.providers import BUILT_IN

RULES = "version: 1  # mine\nrules:\n  - use: anthropic:claude-a\n"


@pytest.fixture(autouse=True)
def rules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-0123456789-secret")
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def run(*arguments):
    result = CliRunner().invoke(detour, ["providers", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "0123456789" not in result.output
    return result.exit_code, result.output


def listed():
    code, output = run("--json")
    assert code == 0
    return {row["id"]: row for row in json.loads(output)}


def test_the_list_tells_address_key_and_models():
    rows = listed()
    assert list(rows) == list(BUILT_IN)
    assert rows["anthropic"]["key"] == "sk-...cret from ANTHROPIC_API_KEY"
    assert rows["local"]["key"] == "none needed"
    assert rows["qwen"]["regions"] == ["intl", "us"]
    code, output = run()
    assert code == 0
    assert "bedrock      not yet: Amazon Bedrock" in output
    assert "needs a base_url: https://RESOURCE.openai.azure.com/openai/v1" in output


def test_a_provider_comes_changes_and_goes(rules):
    command = ("add", "office", "--base-url", "http://office.example/v1", "--model", "big")
    assert run(*command, "--no-key") == (0, "The provider office is in rules.yaml.\n")
    row = listed()["office"]
    assert (row["built_in"], row["key"], row["default_model"]) == (False, "none needed", "big")
    assert run(*command)[0] == 1
    assert run("edit", "office", "--key-variable", "OFFICE_KEY", "--title", "Ours")[0] == 0
    row = listed()["office"]
    assert (row["title"], row["key"], row["default_model"]) == ("Ours", "missing", "big")
    assert run("disable", "office") == (0, "The provider office is disabled.\n")
    assert "Ours (disabled)" in run()[1]
    assert run("enable", "office") == (0, "The provider office is enabled.\n")
    assert run("remove", "office") == (0, "The provider office is removed from rules.yaml.\n")
    assert rules.read_text() == RULES


def test_a_region_is_chosen():
    assert run("edit", "qwen", "--region", "intl")[0] == 0
    url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    assert listed()["qwen"]["formats"]["openai-chat"] == url


def test_a_setting_is_taken_away_by_an_empty_text(rules):
    assert run("edit", "qwen", "--region", "intl", "--key-variable", "OUR_KEY")[0] == 0
    assert listed()["qwen"]["key"] == "missing"
    assert run("edit", "qwen", "--region", "", "--key-variable", "")[0] == 0
    assert rules.read_text() == RULES


def test_who_has_no_key_yet_is_told_how_to_give_one():
    _, output = run("add", "office", "--base-url", "http://office.example/v1")
    assert "It has no key yet: `detour keys set office` keeps one" in output
    assert "`detour providers edit office --no-key`" in output


def test_azure_wants_an_address():
    command = ("edit", "azure", "--base-url", "https://mine.openai.azure.com/openai/v1")
    assert run(*command, "--api-version", "preview")[0] == 0
    assert set(listed()["azure"]["formats"]) == {"openai-responses", "openai-chat"}


def test_a_built_in_provider_stays():
    code, output = run("remove", "zai")
    assert (code, "zai is built in and stays" in output) == (1, True)


def test_a_mistake_is_told_with_its_place_and_changes_nothing(rules):
    code, output = run("edit", "qwen", "--region", "moon")
    assert code == 1
    assert "rules.yaml:4:13: qwen: region: unknown region `moon`" in output.replace("\n", " ")
    assert "Nothing is changed." in output
    assert rules.read_text() == RULES


def test_nothing_to_change_is_wrong_usage():
    assert run("edit", "qwen")[0] == 2


def test_rules_with_mistakes_are_told_beside_the_list(rules):
    rules.write_text("version: 2\n")
    code, output = run()
    assert code == 0
    assert "rules.yaml:1:10: version: expected 1" in output
    assert "anthropic    Anthropic" in output
