"""Where agents are tried: strict providers, and a real Detour in front of them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from addon.embedded import EmbeddedProvider
from tests.agents.witness import NOTES
from tests.support.program import PROVIDER_KEY, ROOT, background_provider, listening_at

DETOUR = ROOT / "scripts" / "detour"
LONGEST = 150.0
"""Seconds that an agent may take for its task."""


class ProviderFormat(NamedTuple):
    """How the strict provider answers in one format."""

    model: str
    path: str
    """What its address holds, in lower case."""


PROVIDER_FORMATS = {
    "anthropic": ProviderFormat("claude-sonnet-5-5", "/v1/messages"),
    "gemini": ProviderFormat("gemini-3.8-flash", "generatecontent"),
    "openai-chat": ProviderFormat("qwen3-coder", "/chat/completions"),
}


@dataclass(frozen=True)
class Seen:
    """One call to a host that Detour intercepts."""

    method: str
    url: str
    status: int | None
    """None: the agent left, or the connection broke."""
    model: str | None
    """What the agent asked for; None where no rule applied."""
    failure: str | None
    error: str | None = None
    losses: tuple[dict[str, Any], ...] = ()
    socket: bool = False
    """Whether it came as a message of a WebSocket."""

    @property
    def place(self) -> str:
        """Method and path, in short."""
        return f"{self.method} {urlsplit(self.url).path}"


class Stage:
    """A running Detour whose rules send each agent to the format that its name ends with."""

    def __init__(
        self, folder: Path, provider: EmbeddedProvider, environment: dict[str, str]
    ) -> None:
        self.folder = folder
        self.provider = provider
        self.environment = environment
        self.address = ""
        self._numbers = itertools.count(1)

    @property
    def log(self) -> Path:
        """What Detour says on standard error."""
        return self.folder / "detour.log"

    def new_folder(self) -> Path:
        """Make an empty folder for a trial."""
        folder = self.folder / f"trial-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def run_command(self, agent: str, model_format: str, command: list[str]) -> list[str]:
        """Return the command that starts an agent through Detour, against a provider's format."""
        name = f"{agent}-on-{model_format}"
        return [str(DETOUR), "run", "--agent", name, "--proxy", self.address, "--", *command]

    def seen(self, since: int = 0) -> list[Seen]:
        """Return the calls that have ended, but for the first ones."""
        lines = (self.folder / "calls" / "notes").read_text().splitlines()[since:]
        return [read_note(line) for line in lines]


def read_note(line: str) -> Seen:
    """Read a line of the witness's."""
    note = json.loads(line)
    return Seen(
        note["method"],
        note["url"],
        note.get("status"),
        note["model"],
        note["failure"],
        note.get("error"),
        tuple(note["losses"]),
        note["socket"],
    )


@contextlib.contextmanager
def open_stage(folder: Path, *, websocket: str = "accept") -> Iterator[Stage]:
    """Run the providers and Detour for the length of a block.

    Args:
        folder: An empty one: Detour's home, the user's home, the log.
        websocket: What `rules.yaml` says of agents that would rather have one.
    """
    home = folder / "user"
    home.mkdir(parents=True)
    calls = folder / "calls" / "notes"
    calls.parent.mkdir()
    calls.touch()
    with background_provider() as provider, contextlib.ExitStack() as stack:
        rules = folder / "rules.yaml"
        rules.write_text(_rules(provider.base_url, websocket))
        stage = Stage(folder, provider, {**_bare_environment(), "HOME": str(home)})
        log = stack.enter_context(stage.log.open("w"))
        witness = Path(__file__).with_name("witness.py")
        process = subprocess.Popen(
            [
                str(DETOUR),
                *("serve", "--ui", "dump", "--listen", "127.0.0.1:0", "--rules", str(rules)),
                *("--", "--set", "flow_detail=0", "-s", str(witness)),
            ],
            env={**stage.environment, NOTES: str(calls)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout
        try:
            stage.address = listening_at(process)
            yield stage
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


def _bare_environment() -> dict[str, str]:
    """Return what programs need in order to run at all; nothing of the user's own set-up."""
    kept = ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE", "PYENV_ROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _rules(url: str, websocket: str) -> str:
    """Write the rules: what no rule takes is blocked, so that nothing reaches a real provider."""
    providers: dict[str, Any] = {}
    rules: list[dict[str, Any]] = []
    for name, (model, _) in PROVIDER_FORMATS.items():
        base_url = url + "/v1" if name.startswith("openai") else url
        settings = {"base_url": base_url, "formats": [name], "api_key": PROVIDER_KEY}
        providers[f"strict-{name}"] = settings
        use = f"strict-{name}:{model}"
        rules.append({"name": name, "when": {"agent": f"*-on-{name}"}, "use": use})
    written = {"version": 1, "websocket": websocket, "providers": providers, "rules": rules}
    return json.dumps({**written, "default": "block"}, indent=1)  # JSON is YAML
