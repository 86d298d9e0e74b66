import json
import time

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


@pytest.mark.parametrize(
    ("conduct", "status", "told"),
    [
        ("[[error 529 overloaded_error Come back at noon]]", 529, "Come back at noon"),
        ("[[error 402 error Insufficient Balance]]", 402, "Insufficient Balance"),
        ("[[html 502]]", 502, "502"),
    ],
)
def test_what_a_provider_says_is_told_as_it_says_it(provider, conduct, status, told):
    provider.conduct = conduct
    code, output = run("verify", "--json")
    assert code == 1
    for verdict in json.loads(output):
        assert (verdict["ok"], verdict["status"]) == (False, status)
        assert told in verdict["message"]
        assert verdict["model"] == "claude-sonnet-5-5"
    assert f" {status} " in run("verify")[1]


def test_all_are_asked_at_the_same_time(provider):
    provider.conduct = "[[silent 0.7]]"
    began = time.monotonic()
    code, output = run("verify", "--json")
    took = time.monotonic() - began
    seconds = [verdict["seconds"] for verdict in json.loads(output)]
    assert (code, len(seconds)) == (0, 2)
    assert min(seconds) >= 0.7
    assert took < sum(seconds)
    assert len(provider.requests) == 2


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


def test_an_unusable_provider_shows_only_where_all_are_asked_for():
    usable, everybody = (
        set(json.loads(run("models", "--offline", "--json", *more)[1])) for more in ([], ["--all"])
    )
    assert usable == {"office"}
    assert everybody > {"office", "anthropic", "openai"}


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
