"""Whether the clock is right: certificates and signed access tokens fail with a wrong one."""

from __future__ import annotations

from addon.commands.variables import INTERCEPTED
from addon.doctor.finding import Finding, State
from addon.doctor.machine import Machine
from addon.doctor.network import Place, Trouble, ask_the_time
from addon.doctor.providers import provider_places

WRONG = 300.0
"""Seconds from which on signatures and access tokens are refused."""
DOUBTFUL = 30.0
_MOST_ASKED = 3
_REMEDY = "Let the system set it: `timedatectl set-ntp true` on Linux, Date & Time on macOS."


async def examine(machine: Machine) -> list[Finding]:
    """Compare the clock with that of a server which the rules name, or of an LLM's API."""
    places = [place for _, place in provider_places(machine.rules)] if machine.rules else []
    places += [Place("https", host, 443) for host in INTERCEPTED]
    asked = [place for place in dict.fromkeys(places) if machine.network or place.is_local]
    for place in asked[:_MOST_ASKED]:
        try:
            times = await ask_the_time(place)
        except Trouble:
            continue
        if times is not None:
            there, here = times
            return [judge((here - there).total_seconds(), place.host)]
    return [_finding("skipped", "no server could be asked what time it is")]


def judge(seconds: float, host: str) -> Finding:
    """Say what a clock is worth that is so many seconds ahead of a server's."""
    off = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} {host}"
    if abs(seconds) >= WRONG:
        message = f"the clock is wrong: {off}; TLS, OAuth and signed requests fail"
        return _finding("failed", message, _REMEDY)
    if abs(seconds) >= DOUBTFUL:
        return _finding("warning", f"the clock is {off}", _REMEDY)
    return _finding("ok", f"the clock agrees with that of {host}")


def _finding(state: State, message: str, remedy: str = "") -> Finding:
    return Finding(check="clock", state=state, message=message, remedy=remedy)
