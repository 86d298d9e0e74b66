"""Node goes through the proxy, also one that is too old to do so by itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from addon.commands.node import PRELOAD, ignores_proxies, node_variables
from addon.embedded import EmbeddedProvider
from tests.support.program import Machine

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")

BODY = "JSON.stringify({model: 'gpt-4o', stream: true, messages: [{role: 'user', content: '%s'}]})"
OPTIONS = """{
    method: 'POST',
    headers: {authorization: 'Bearer k', 'content-type': 'application/json'}"""
FETCH = f"""
const answer = await fetch('https://api.openai.com/v1/chat/completions',
    {OPTIONS}, body: {BODY % "[[say by fetch]]"}}});
console.log(answer.status, (await answer.text()).includes('by '));
console.log((await fetch(process.argv[1] + '/v1/models')).status);
"""
HTTPS = f"""
import https from 'node:https';
const request = https.request('https://api.openai.com/v1/chat/completions', {OPTIONS}}},
    (answer) => answer.resume().on('end', () => console.log(answer.statusCode)));
request.end({BODY % "[[say by https]]"});
"""


def old_node(folder: Path, version: str) -> dict[str, str]:
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("version", "ignores"),
    [
        ("v18.20.1", True),
        ("v20.20.2", True),
        ("v22.20.0", True),
        ("v22.21.0", False),
        ("v23.11.0", True),
        ("v24.0.0", False),
        ("v26.1.0", False),
        ("nonsense", False),
    ],
)
def test_only_an_old_node_is_helped(tmp_path: Path, version: str, ignores: bool) -> None:
    environment = old_node(tmp_path, version)
    assert ignores_proxies(environment) is ignores
    variables = node_variables(environment)
    assert variables["NODE_USE_ENV_PROXY"] == "1"
    assert ("NODE_OPTIONS" in variables) is ignores


def test_without_node_nothing_is_needed(tmp_path: Path) -> None:
    assert node_variables({"PATH": str(tmp_path)}) == {"NODE_USE_ENV_PROXY": "1"}


def test_options_that_are_set_already_stay(tmp_path: Path) -> None:
    environment = {**old_node(tmp_path, "v20.0.0"), "NODE_OPTIONS": "--max-old-space-size=99"}
    options = node_variables(environment)["NODE_OPTIONS"]
    assert options == f'--max-old-space-size=99 --require="{PRELOAD}"'
    again = node_variables({**environment, "NODE_OPTIONS": options})
    assert again["NODE_OPTIONS"] == options


@needs_node
def test_a_node_agent_is_answered(machine: Machine, provider: EmbeddedProvider) -> None:
    machine.write_rules(provider.base_url)
    agent = ["node", "--input-type=module", "-e", FETCH, provider.base_url]
    ended = machine.run("run", "--agent", "my agent", "--", *agent)
    assert ended.stdout == "200 true\n401\n", ended
    ended = machine.run("run", "--", "node", "--input-type=module", "-e", HTTPS)
    assert ended.stdout == "200\n", ended
    assert [request.path for request in provider.requests] == [
        "/v1/messages",
        "/v1/models",
        "/v1/messages",
    ]


@needs_node
def test_the_module_is_found_in_a_folder_with_a_blank(tmp_path: Path) -> None:
    module = tmp_path / "a folder" / "node_proxy.cjs"
    module.parent.mkdir()
    shutil.copy(PRELOAD, module)
    node = shutil.which("node")
    assert node
    ended = subprocess.run(
        [node, "-p", "'ran'"],
        env={"NODE_OPTIONS": f'--require="{module}"', "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (0, "ran\n"), ended
