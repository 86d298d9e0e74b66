"""Every command in README does what README says, exactly as it is written there."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from addon.commands.conformance_rules import EMBEDDED
from addon.conformance.suite import AGENTS, SCENARIOS
from addon.embedded.scenario import GREETING
from tests.support.program import AGENT_KEY, ROOT, background_provider
from tests.support.reader import PROVIDER_KEY, README, Reader, commands, wait_for_ports

SERVE = "scripts/detour serve --listen 127.0.0.1:8080"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with background_provider() as provider:
        yield Reader(tmp_path_factory.mktemp("reader") / "detour", provider)


def demo(reader: Reader, command: str) -> None:
    said = reader.run(command)
    assert "the first word arrived before the provider sent the second" in said
    assert "All of it was seen" in said


def whole_suite(reader: Reader, command: str) -> None:
    """Run the script on a Python that notes what it is to do: the suite cannot run itself."""
    checkout = reader.folder.parent / "checkout"
    for folder in ("scripts", ".ci"):
        shutil.copytree(ROOT / folder, checkout / folder, symlinks=True)
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    notes = checkout / "notes"
    python.write_text(f'#!/bin/sh\necho "$@" >>{notes}\ntest "$2" != "$FAILING"\n')
    python.chmod(0o755)
    for lock, stamp in (
        ("requirements.lock", ".detour-stamp"),
        ("requirements-development.lock", ".detour-development-stamp"),
    ):
        shutil.copy(ROOT / lock, checkout)
        make = f'root=$PWD; . scripts/environment.sh; stamp_for {lock} >".venv/{stamp}"'
        subprocess.run(["sh", "-c", make], cwd=checkout, check=True)
    steps = ["-m ruff check .", "-m ruff format --check .", "-m basedpyright"]
    for script in (command, ".ci/run"):
        for failing in ("", "basedpyright"):
            notes.unlink(missing_ok=True)
            environment = {**reader.environment, "FAILING": failing}
            arguments = ["sh", "-c", f"{script} -x"]
            ended = subprocess.run(arguments, cwd=checkout, env=environment, capture_output=True)
            assert ended.returncode == (1 if failing else 0), ended
            assert notes.read_text().splitlines() == [*steps, "-m pytest -x"]


def installation(_reader: Reader, _command: str) -> None:
    """Check what pip would install: it builds a package by tools that it has to download."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, name = project["project"]["scripts"]["detour"].split(":")
    assert callable(getattr(importlib.import_module(module), name))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["addon"]


def extras(_reader: Reader, command: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (named,) = re.findall(r"\[([\w,]+)\]", command)
    assert set(named.split(",")) == set(project["optional-dependencies"])


def extras_of_a_checkout(reader: Reader, command: str) -> None:
    """Run the script where nothing is left to be done: packages are not downloaded in a test."""
    checkout = reader.folder.parent / "extras"
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    shutil.copy(ROOT / "requirements-extras.lock", checkout)
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    make = (
        "root=$PWD; . scripts/environment.sh; "
        "stamp_for requirements-extras.lock >.venv/.detour-extras-stamp"
    )
    subprocess.run(["sh", "-c", make], cwd=checkout, check=True)
    ended = subprocess.run(command.split(), cwd=checkout, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "The optional packages are installed.\n"


def check(reader: Reader, command: str) -> None:
    assert reader.run(command) == "rules.yaml is valid: 2 rules\n"


def explanation(reader: Reader, command: str) -> None:
    said = reader.run(command)
    assert "anthropic:claude-sonnet-5-5" in said
    assert f"POST {reader.provider.base_url}/v1/messages" in said


def export(reader: Reader, command: str) -> None:
    assert reader.run(f"{command}; printenv ANTHROPIC_API_KEY") == f"{PROVIDER_KEY}\n"


def stored_key(reader: Reader, command: str) -> None:
    said = reader.run(f"echo {PROVIDER_KEY} | {command}")
    assert said.startswith("The key *** for anthropic is in ")
    assert "\nanthropic    ***          from " in f"\n{reader.run('scripts/detour keys list')}"
    reader.run("scripts/detour keys remove anthropic")


def provider_list(reader: Reader, command: str) -> None:
    assert reader.provider.base_url in reader.run(command)


def model_list(reader: Reader, command: str) -> None:
    said = reader.run(f"ANTHROPIC_API_KEY={PROVIDER_KEY} {command}")
    assert re.search(r"claude-sonnet-5-5 +1M in +128k out", said)


def verification(reader: Reader, command: str) -> None:
    said = reader.run(f"ANTHROPIC_API_KEY={PROVIDER_KEY} {command} 2>/dev/null")
    assert said.startswith("works  anthropic    anthropic         claude-sonnet-5-5")


def agent(reader: Reader, command: str) -> None:
    """Run an agent, which must get Claude's answer."""
    before = len(reader.provider.requests)
    said = reader.run(command)
    assert GREETING in said
    (request,) = reader.provider.requests[before:]
    assert request.path == "/v1/messages"
    assert request.header("x-api-key") == PROVIDER_KEY
    assert not any(AGENT_KEY in value for _, value in request.headers)


def used(reader: Reader, command: str) -> None:
    assert "cost" in reader.run(command).splitlines()[0]


def last_exchanges(reader: Reader, command: str) -> None:
    lines = reader.run(command).splitlines()
    assert 0 < len(lines) <= 5
    assert "-> anthropic:" in lines[-1]


def curl(reader: Reader, command: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    agent(reader, command)


def serve(reader: Reader, command: str) -> None:
    with reader.running(command) as process:
        assert process.stdout
        assert process.stdout.readline() == "Detour is listening on 127.0.0.1:8080\n"
        page = process.stdout.readline().removeprefix("Watch it at ").strip()
        with urllib.request.urlopen(page, timeout=10) as answer:
            assert b"mitmproxy" in answer.read()


def agent_behind_a_running_proxy(reader: Reader, command: str) -> None:
    with reader.running(SERVE):
        agent(reader, command)


def variables(reader: Reader, command: str) -> None:
    with reader.running(SERVE):
        agent(reader, f"{command}; python my_agent.py")


def printed_variables(reader: Reader, command: str) -> None:
    said = reader.run(command)
    assert "export HTTPS_PROXY=http://127.0.0.1:8080\n" in said
    assert "keytool -importcert" in said


def own_mitmproxy(reader: Reader, command: str) -> None:
    with reader.running(command):
        exports = 'eval "$(scripts/detour env --proxy 127.0.0.1:8080)"'
        agent(reader, f"{exports}; python my_agent.py")


def translation(reader: Reader, command: str) -> None:
    rendered = json.loads(reader.run(command))
    assert rendered["url"] == "https://api.anthropic.com/v1/messages"
    assert rendered["body"]["model"] == "claude-opus-5-5"
    assert [loss["field"] for loss in rendered["losses"]] == ["seed"]


def doctor(reader: Reader, command: str) -> None:
    wait_for_ports()
    said = reader.run(f"{command} --no-network")  # tests ask nobody beyond this machine
    for found in ("python", "ports", "rules", "keys", "loop        Python called"):
        assert f"ok       {found}" in said


def conformance(reader: Reader, command: str) -> None:
    said = reader.run(command)
    assert [one.title for one in EMBEDDED if f"Agents against {one.title}" not in said] == []
    counts = re.search(r"(\d+) ok, 0 failed, (\d+) not applicable", said)
    assert counts
    assert sum(map(int, counts.groups())) == len(SCENARIOS) * len(AGENTS) * len(EMBEDDED) * 2


WAYS: dict[str, Callable[[Reader, str], None]] = {
    "scripts/detour demo": demo,
    "scripts/test": whole_suite,
    "pip install .": installation,
    "scripts/extras": extras_of_a_checkout,
    "pip install '.[plot,opentelemetry,redis]'": extras,
    "scripts/detour check rules.yaml": check,
    "scripts/detour explain --model gpt-5 --endpoint chat": explanation,
    "export ANTHROPIC_API_KEY=your-key": export,
    "scripts/detour keys set anthropic": stored_key,
    "scripts/detour providers": provider_list,
    "scripts/detour models --offline": model_list,
    "scripts/detour verify anthropic": verification,
    "scripts/detour usage --since 30d --by agent,model": used,
    "scripts/detour log -n 5": last_exchanges,
    "scripts/detour run -- python my_agent.py": agent,
    "scripts/detour run --agent coder.planning -- python my_agent.py": agent,
    SERVE: serve,
    "scripts/detour run --proxy 127.0.0.1:8080 -- python my_agent.py": agent_behind_a_running_proxy,
    'eval "$(scripts/detour env --proxy 127.0.0.1:8080)"': variables,
    "mitmweb -s addon/main.py --set detour_rules=rules.yaml": own_mitmproxy,
    "scripts/detour run -- node my_agent.mjs": agent,
    'scripts/detour run --agent codex -- codex exec "say hi"': agent,
    'scripts/detour run -- opencode run --model openai/gpt-5.1 "say hi"': agent,
    "scripts/detour run -- ./my_agent": agent,
    "scripts/detour run -- curl -sS https://api.openai.com/v1/chat/completions -d @request.json": (
        curl
    ),
    "scripts/detour env": printed_variables,
    (
        """echo '{"model": "gpt-5", "seed": 7, """
        """"messages": [{"role": "user", "content": "hi"}]}' |\n"""
        "  scripts/detour translate request --from openai-chat --to anthropic"
        " --target anthropic:claude-opus-5-5"
    ): translation,
    "scripts/detour doctor": doctor,
    "scripts/detour conformance": conformance,
}
"""Every command: what must come of it."""


@pytest.mark.parametrize("command", commands(README.read_text()))
def test_a_command(reader: Reader, command: str) -> None:
    assert command in WAYS, "README has a command that nobody tries"
    WAYS[command](reader, command)


def test_no_command_is_tried_that_readme_no_longer_has() -> None:
    assert set(WAYS) == set(commands(README.read_text()))
