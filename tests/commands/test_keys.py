import json
import os

import pytest
from click.testing import CliRunner

from addon.commands import detour
from addon.providers import BUILT_IN, KeyStore

KEY = "sk-0123456789-abcdefghij"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for provider in BUILT_IN.values():
        for name in provider.key_variables:
            monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*arguments, typed=None):
    result = CliRunner().invoke(detour, list(arguments), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert KEY not in result.output
    return result.exit_code, result.output


def test_a_key_is_set_from_standard_input_shown_masked_and_removed(own_home):
    told = f"The key sk-...ghij for zai is in {own_home}/keys.json.\n"
    assert run("keys", "set", "zai", typed=f"{KEY}\n") == (0, told)
    assert KeyStore(own_home).get("zai") == KEY
    assert run("keys", "list") == (0, "zai          sk-...ghij   from key store\n")
    _, output = run("keys", "list", "--json")
    assert json.loads(output) == [{"provider": "zai", "key": "sk-...ghij", "source": "key store"}]
    removed = f"The key for zai is removed from {own_home}/keys.json.\n"
    assert run("keys", "remove", "zai") == (0, removed)
    assert run("keys", "remove", "zai") == (
        1,
        f"Error: there is no key for zai in {own_home}/keys.json\n",
    )
    assert run("keys", "list") == (0, "There is no key. `detour keys set PROVIDER` keeps one.\n")


def test_another_home_has_other_keys(tmp_path, own_home):
    run("keys", "set", "zai", "--home", str(tmp_path / "other"), typed=KEY)
    assert KeyStore(own_home).names() == ()
    assert KeyStore(tmp_path / "other").names() == ("zai",)


def test_a_stronger_place_is_told(monkeypatch):
    monkeypatch.setenv("ZAI_API_KEY", "of-the-environment-0123456789")
    _, output = run("keys", "set", "zai", typed=KEY)
    assert "But the one from ZAI_API_KEY comes first: it stays in use.\n" in output
    assert run("keys", "list") == (0, "zai          of-...6789   from ZAI_API_KEY\n")


def test_providers_of_the_rules_file_have_keys_too(folder):
    (folder / "rules.yaml").write_text(
        "version: 1\nproviders: {office: {base_url: 'http://office.example/v1'}}\n"
        "default: 'office:*'\n"
    )
    assert "no key for office" in run("check")[1]
    assert run("keys", "set", "office", typed=KEY)[0] == 0
    assert run("check") == (0, "rules.yaml is valid: 0 rules\n")
    code, output = run("explain", "--model", "m")
    assert (code, "<key from key store>" in output) == (0, True)


@pytest.mark.parametrize("typed", ["", "\n", "two words", "sk-\x07", "schl\u00fcssel"])
def test_what_is_no_key_is_refused(typed, own_home):
    code, output = run("keys", "set", "zai", typed=typed)
    assert (code, "nothing is set" in output) == (1, True)
    assert KeyStore(own_home).names() == ()


def test_an_unknown_provider_is_wrong_usage():
    code, output = run("keys", "set", "nobody", typed=KEY)
    assert (code, "there is no provider nobody; known: openai, anthropic" in output) == (2, True)
    assert "did you mean `zai`?" in run("keys", "set", "zia", typed=KEY)[1]


def test_a_key_is_never_an_argument():
    assert run("keys", "set", "zai", "a-key")[0] == 2


def test_rotation_by_key_file_and_by_variable(own_home, monkeypatch):
    run("keys", "set", "zai", typed=KEY)
    done = f"1 key in {own_home}/keys.json encrypted anew.\n"
    assert run("keys", "rotate") == (0, done)
    monkeypatch.setenv("DETOUR_NEW_KEY", "a passphrase of my own")
    told = "From now on set DETOUR_KEY to what DETOUR_NEW_KEY holds.\n"
    assert run("keys", "rotate") == (0, done + told)
    monkeypatch.delenv("DETOUR_NEW_KEY")
    code, output = run("keys", "list")
    assert (code, "cannot be opened" in output) == (1, True)
    monkeypatch.setenv("DETOUR_KEY", "a passphrase of my own")
    assert run("keys", "list") == (0, "zai          sk-...ghij   from key store\n")


def test_a_wrong_master_key_is_told_without_losing_anything(own_home, monkeypatch):
    monkeypatch.setenv("DETOUR_KEY", "a passphrase of my own")
    run("keys", "set", "zai", typed=KEY)
    monkeypatch.setenv("DETOUR_KEY", "another passphrase here")
    code, output = run("keys", "list")
    assert (code, "the key of zai" in output) == (1, True)
    assert run("keys", "set", "groq", typed=KEY)[0] == 1
    assert KeyStore(own_home, {"DETOUR_KEY": "a passphrase of my own"}).get("zai") == KEY
    assert "DETOUR_KEY" in os.environ
