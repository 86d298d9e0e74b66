import pytest
from click.testing import CliRunner

from addon.commands import detour

GOOD = "version: 1\nrules: [{name: a, use: 'anthropic:claude-a'}]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    return tmp_path


def check(*arguments):
    result = CliRunner().invoke(detour, ["check", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "sk-secret" not in result.output
    return result.exit_code, result.stdout


def test_a_good_file(folder):
    (folder / "rules.yaml").write_text(GOOD)
    assert check() == (0, "rules.yaml is valid: 1 rule\n")


def test_the_file_can_be_named(folder):
    (folder / "mine.yaml").write_text("version: 1\n")
    assert check("mine.yaml") == (0, "mine.yaml is valid: 0 rules\n")


def test_without_one_here_the_file_in_the_home_folder_is_checked(own_home):
    own_home.mkdir(parents=True)
    (own_home / "rules.yaml").write_text(GOOD)
    assert check() == (0, f"{own_home}/rules.yaml is valid: 1 rule\n")


def test_every_mistake_is_printed_with_its_place(folder):
    (folder / "rules.yaml").write_text(
        "version: 1\n"
        "rules:\n"
        "  - {use: antropic:x, when: {modle: a}}\n"
        "  - {use: 'local:*', when: {filter: '~u ('}}\n"
        "default: x\n"
    )
    code, output = check()
    assert code == 1
    lines = output.splitlines()
    assert lines[:2] == [
        "rules.yaml:3:11: use: unknown provider `antropic`; did you mean `anthropic`?",
        "rules.yaml:3:30: unknown key `modle` in `when`; did you mean `model`?",
    ]
    assert lines[2].startswith(
        "rules.yaml:4:37: filter: `~u (` is not a mitmproxy filter expression: "
    )
    assert lines[3].startswith("rules.yaml:5:10: default: expected PROVIDER:MODEL, found `x`")
    assert len(lines) == 4


def test_notices_do_not_count_as_mistakes(folder, monkeypatch):
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    (folder / "rules.yaml").write_text(
        "version: 1\n"
        "rules:\n"
        "  - {name: a, use: ['zai:glm-5.3', 'anthropic:*']}\n"
        "  - {name: b, use: 'zai:glm-5.3'}\n"
    )
    assert check() == (
        0,
        "rules.yaml:3:21: notice: no key for zai: set ZAI_API_KEY (or Z_AI_API_KEY) in the"
        " environment or in .env beside rules.yaml, or store the key with `detour keys set zai`\n"
        "rules.yaml:4:5: notice: `b` never applies: `a` on line 3 has no `when` and takes every"
        " call\n"
        "rules.yaml is valid: 2 rules\n",
    )


def test_keys_may_stand_in_the_env_file(folder, monkeypatch):
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    (folder / "rules.yaml").write_text("version: 1\ndefault: zai:glm-5.3\n")
    assert "no key for zai" in check()[1]
    (folder / ".env").write_text("ZAI_API_KEY=sk-secret\n")
    assert check() == (0, "rules.yaml is valid: 0 rules\n")


def test_a_missing_file_is_a_mistake(folder):
    code, output = check()
    assert code == 1
    assert output.startswith("rules.yaml:1:1: there is no rules file; write one")


def test_wrong_usage(folder):
    assert check("a", "b")[0] == 2
    assert check("--nonsense")[0] == 2
