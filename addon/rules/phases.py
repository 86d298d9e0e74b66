"""What an agent is doing with a call: planning, coding, naming the conversation, ...

Agents do not say so, but their traffic gives it away: see `signatures`. What is not recognised is
`other`. A name such as `coder.planning` in the proxy URL says it outright and wins.
"""

from __future__ import annotations

from addon.neutral import Request
from addon.rules.markers import Call, HeaderValues
from addon.rules.signatures import ALSO_KNOWN_AS, PHASES, SIGNATURES, Phase


def is_known(program: str) -> bool:
    """Tell whether anything is known of the traffic of a program."""
    return program in SIGNATURES or program in ALSO_KNOWN_AS


def recognise(program: str, headers: HeaderValues, request: Request | None) -> Phase:
    """Say what an agent is doing, by its traffic alone.

    Args:
        program: What it is, in the words of `agent_name`.
        headers: All headers of the call.
        request: What it asks; None where that cannot be read.
    """
    if request is None:
        return "other"
    call = Call(headers, request)
    for signature in SIGNATURES.get(ALSO_KNOWN_AS.get(program, program), ()):
        if signature.marker.fits(call):
            return signature.phase
    return "other"


def split_name(name: str) -> tuple[str, Phase | None]:
    """Take the phase off a proxy user's name: `coder.planning` is `coder`, who is planning."""
    agent, dot, last = name.rpartition(".")
    for phase in PHASES:
        if dot and agent and phase == last:
            return agent, phase
    return name, None
