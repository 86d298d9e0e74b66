"""Machines in every state, made of temporary folders."""

import os
import sys
from pathlib import Path

import pytest

from addon.authority.certificate import authority_certificate
from addon.commands.options import Address
from addon.doctor import Machine
from addon.embedded import EmbeddedProvider
from tests.support.program import PROVIDER_KEY

RULES = """\
version: 1
providers:
  anthropic: {base_url: "%s"}
rules:
  - {name: everything, use: "anthropic:claude-sonnet-5-5"}
"""

NOBODY = Address("127.0.0.1", 1)
"""Where nothing listens."""


@pytest.fixture(scope="session")
def authority_folder(tmp_path_factory):
    """mitmproxy's folder with an authority in it: a key takes a third of a second."""
    folder = tmp_path_factory.mktemp("authority")
    authority_certificate(folder)
    return folder


@pytest.fixture
def make_machine(tmp_path, authority_folder):
    """Make a machine on which all is well, but for what is said."""

    def make(
        rules=RULES % "http://127.0.0.1:1",
        *,
        listen=NOBODY,
        web=NOBODY,
        authority=authority_folder,
        network=True,
        verify=False,
        path=None,
        **variables,
    ):
        home = tmp_path / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        file = tmp_path / "rules.yaml"
        if rules is not None:
            file.write_text(rules)
        environment = {
            "PATH": path or os.environ["PATH"],
            "ANTHROPIC_API_KEY": PROVIDER_KEY,
            **variables,
        }
        return Machine(
            {name: value for name, value in environment.items() if value is not None},
            home,
            file,
            listen,
            web,
            network=network,
            verify=verify,
            authority_folder=authority,
        )

    return make


@pytest.fixture
def programs(tmp_path):
    """Put programs on a path of their own, each a few lines of Python."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(**texts):
        for name, text in texts.items():
            program = folder / name
            program.write_text(f"#!{sys.executable}\n{text}\n")
            program.chmod(0o755)
        return str(folder)

    return put


@pytest.fixture
async def provider():
    async with EmbeddedProvider() as running:
        yield running


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Nothing of whoever runs the tests counts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ANTHROPIC_API_KEY", PROVIDER_KEY)
    return Path(tmp_path)
