"""Running the agent so that it hardly knows that somebody runs it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

import click

NOT_FOUND = 127
NOT_EXECUTABLE = 126
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def run_agent(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command with more variables and this process's terminal; return its exit code.

    Signals that reach this process are passed on; a terminal's Ctrl-C reaches the agent by itself.
    The code of an agent that a signal ended is 128 plus the signal's number, as in a shell.
    """
    agent: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: FrameType | None) -> None:
        if agent is not None:
            agent.send_signal(number)

    def leave_to_agent(_number: int, _frame: FrameType | None) -> None:
        """Do nothing; unlike SIG_IGN a handler is not inherited."""

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, leave_to_agent)
    try:
        environment = {**os.environ, **variables}
        agent = subprocess.Popen(command, env=environment)  # noqa: S603 - the user's own command
        code = agent.wait()
    except FileNotFoundError:
        click.echo(f"detour run: {command[0]}: command not found", err=True)
        return NOT_FOUND
    except PermissionError:
        click.echo(f"detour run: {command[0]}: permission denied", err=True)
        return NOT_EXECUTABLE
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
