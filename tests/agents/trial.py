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
    code, said = finish(start(agent, provider_format, stage, home, folder))
    seconds = time.monotonic() - begin
    (folder / "said").write_text(said)
    # The witness learns of a call's end a moment after the agent does.
    time.sleep(0.3)
    seen = stage.seen(calls)
    received = stage.provider.requests[requests:]
    wrong = what_is_wrong(code, said, folder)
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


def start(
    agent: Agent, provider_format: str, stage: Stage, home: Path, folder: Path
) -> subprocess.Popen[str]:
    """Start an agent on its task, in a folder and a user's home of its own."""
    work, user = folder / "work", folder / "user"
    work.mkdir()
    user.mkdir()
    return subprocess.Popen(
        stage.run_command(agent.name, provider_format, agent.command_line(home)),
        cwd=work,
        env={
            **stage.environment,
            "HOME": str(user),
            "PATH": search_path(home),
            "TERM": "dumb",
            **agent.environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], longest: float = LONGEST) -> tuple[int | None, str]:
    """Return the exit code, None where time ran out, and all that was printed."""
    try:
        said, _ = process.communicate(timeout=longest)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        return None, said


def what_is_wrong(code: int | None, said: str, folder: Path) -> str:
    """Say why the task was not done; empty where it was."""
    file = folder / "work" / "hello.txt"
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
    routed = [call for call in seen if call.model is not None]
    used = {"WebSocket" if call.socket else "HTTP" for call in routed}
    return "+".join(sorted(used)) or "-"


def _tell(seen: list[Seen]) -> str:
    """Say what was called: the conversation, what went wrong in it, and what stood beside it."""
    conversation = [call for call in seen if call.model is not None]
    well = Counter(call.place for call in conversation if _is_well(call))
    wrong = [call for call in conversation if not _is_well(call)]
    beside = Counter(
        str(call.status or call.error)
        for call in seen
        if call.model is None and call.status != SWITCHED
    )
    said = [f"{count} x {place}" for place, count in well.items()]
    said += [f"{call.place}: {call.failure or call.status or call.error}" for call in wrong]
    said += [f"beside it {count} x {status}" for status, count in beside.items()]
    return "; ".join(said)


def _is_well(call: Seen) -> bool:
    return call.status is not None and call.status < 300 and call.failure is None
