"""One agent against one provider's format: does it finish its task?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from addon.embedded.scenario import DONE
from tests.agents.agent import Agent, search_path
from tests.agents.stage import LONGEST, PROVIDER_FORMATS, Seen, Stage
from tests.support.program import PROVIDER_KEY

AGENT_KEY = "sk-agent"
SWITCHED = 101
UPGRADE_REQUIRED = 426


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    agent: str
    version: str
    speaks: str
    provider: str
    """The format that the provider speaks."""
    transport: str
    result: str
    """`passed` only if the tool really ran and the answer was printed."""
    happened: str
    seconds: float
    said: str
    """What the agent printed."""

    @property
    def passed(self) -> bool:
        """Whether the agent did what it was told to."""
        return self.result == "passed"

    def as_json(self) -> dict[str, Any]:
        """Return what a script wants to know."""
        return {name: value for name, value in asdict(self).items() if name != "said"}


def run_trial(agent: Agent, provider_format: str, stage: Stage, home: Path) -> Outcome:
    """Run an agent in a fresh folder on its task."""
    calls, requests = len(stage.seen()), len(stage.provider.requests)
    folder = stage.new_folder()
    begin = time.monotonic()
    code, said = _run(agent, provider_format, stage, home, folder)
    seconds = time.monotonic() - begin
    # The witness learns of a call's end a moment after the agent does.
    time.sleep(0.3)
    seen = stage.seen(calls)
    received = stage.provider.requests[requests:]
    wrong = _what_is_wrong(code, said, folder / "work" / "hello.txt")
    path = PROVIDER_FORMATS[provider_format].path
    if not wrong and not any(path in request.path.lower() for request in received):
        wrong = "the provider was not asked"
    if any(AGENT_KEY.encode() in _text(request.headers) for request in received):
        wrong = "the agent's key reached the provider"
    if any(key in stage.log.read_text() for key in (AGENT_KEY, PROVIDER_KEY)):
        wrong = "a key is in the log"
    return Outcome(
        agent=agent.label,
        version=agent.version,
        speaks=agent.speaks,
        provider=provider_format,
        transport=_transport(seen),
        result="failed" if wrong else "passed",
        happened="; ".join(filter(None, [wrong, _tell(seen)])),
        seconds=round(seconds, 1),
        said=said,
    )


def _run(
    agent: Agent, provider_format: str, stage: Stage, home: Path, folder: Path
) -> tuple[int | None, str]:
    """Return the exit code, None where time ran out, and all that was printed."""
    work, user = folder / "work", folder / "user"
    work.mkdir()
    user.mkdir()
    environment = {
        **stage.environment,
        "HOME": str(user),
        "PATH": search_path(home),
        "TERM": "dumb",
        **agent.environment,
    }
    process = subprocess.Popen(
        stage.run_command(agent.name, provider_format, agent.command_line(home)),
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=LONGEST)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        return None, said


def _what_is_wrong(code: int | None, said: str, file: Path) -> str:
    """Say why the task was not done; empty where it was."""
    if code is None:
        return f"not done after {LONGEST:.0f} s"
    if not file.exists():
        return f"hello.txt was not written (exit code {code})"
    if file.read_text().strip() != "hi":
        return f"hello.txt holds {file.read_text()!r}"
    if code:
        return f"exit code {code}"
    if DONE not in " ".join(said.split()):
        return "the answer was not printed"
    return ""


def _text(headers: object) -> bytes:
    return repr(headers).encode()


def _transport(seen: list[Seen]) -> str:
    switched = any(call.status == SWITCHED for call in seen)
    routed = [call for call in seen if call.model is not None and not call.socket]
    return "+".join((["WebSocket"] if switched else []) + (["HTTP"] if routed else [])) or "-"


def _tell(seen: list[Seen]) -> str:
    """Say what was called: the conversation, then what went not so well."""
    routed = Counter(call.place for call in seen if call.model is not None and _is_well(call))
    others = Counter(
        f"{call.place} {call.status or call.error}"
        for call in seen
        if call.model is None or not _is_well(call)
    )
    said = [f"{count} x {place}" for place, count in routed.items()]
    said += [f"{place}" + (f" x {count}" if count > 1 else "") for place, count in others.items()]
    return "; ".join(said)


def _is_well(call: Seen) -> bool:
    return call.status is not None and call.status < 300 and call.failure is None
