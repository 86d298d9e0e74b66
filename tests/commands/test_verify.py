import json

import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.providers import BUILT_IN

KEY = "sk-0123456789-abcdefghij"


@pytest.fixture(autouse=True)
def rules(tmp_path, monkeypatch, provider):
    monkeypatch.chdir(tmp_path)
    for known in BUILT_IN.values():
        for name in known.key_variables:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OFFICE_KEY", KEY)
    (tmp_path / "rules.yaml").write_text(
        f"""
version: 1
providers:
  office:
    base_url: {{openai-chat: '{provider.base_url}/v1', anthropic: '{provider.base_url}'}}
    api_key: ${{OFFICE_KEY}}
    models:
      - {{id: claude-sonnet-5-5, title: Sonnet, context: 1000, price: {{input: 1, output: 2}}}}
  local: {{enabled: false, base_url: 'http://127.0.0.1:9/v1'}}
""",
        "utf-8",
    )
    return tmp_path / "rules.yaml"


def run(*arguments):
    result = CliRunner().invoke(detour, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert KEY not in result.output
    return result.exit_code, result.stdout


def test_every_format_of_every_usable_provider_is_tried():
    code, output = run("verify", "--json")
    verdicts = json.loads(output)
    assert [(v["provider"], v["format"], v["ok"]) for v in verdicts] == [
        ("office", "openai-chat", True),
        ("office", "anthropic", True),
    ]
    assert all(verdict["status"] == 200 and verdict["seconds"] > 0 for verdict in verdicts)
    assert code == 0


def test_a_wrong_key_is_told_in_the_providers_own_words(monkeypatch):
    monkeypatch.setenv("OFFICE_KEY", "bad-key")
    code, output = run("verify", "office")
    assert code == 1
    lines = output.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("FAILED office") and " 401 " in line for line in lines)
    assert "invalid x-api-key" in lines[1]


def test_a_missing_key_an_unknown_model_and_a_dead_server_are_told():
    code, output = run("verify", "zai", "office:claude-nobody", "local:m")
    assert code == 1
    assert "no key for zai: set ZAI_API_KEY" in output
    assert "claude-nobody" in output
    assert "refused the connection: nothing listens there" in output


def test_an_unknown_provider_is_wrong_usage():
    assert run("verify", "nobody")[0] == 2


def test_with_no_key_at_all_there_is_nobody_to_ask(monkeypatch):
    monkeypatch.delenv("OFFICE_KEY")
    code, output = run("verify")
    assert (code, output.startswith("There is nobody to ask")) == (1, True)


def test_models_of_usable_providers_are_listed_with_size_and_price():
    code, output = run("models", "--offline", "--json")
    (model,) = json.loads(output)["office"]
    assert code == 0
    assert (model["title"], model["context"], model["input_price"]) == ("Sonnet", 1000, 1)
    assert model["default"] is True
    code, output = run("models", "--offline")
    assert "claude-sonnet-5-5      1k in       ? out       $1 in       $2 out  (default)" in output


def test_all_models_and_those_of_one_provider():
    _, output = run("models", "--offline", "--all", "--json")
    assert {"anthropic", "zai", "office"} <= set(json.loads(output))
    _, output = run("models", "--offline", "--provider", "zai", "--json")
    assert set(json.loads(output)) == {"zai"}
    assert run("models", "--provider", "nobody")[0] == 2


def test_providers_are_asked_for_their_models():
    code, output = run("models", "--json")
    names = [model["id"] for model in json.loads(output)["office"]]
    assert (code, names[0]) == (0, "claude-sonnet-5-5")
