"""What an agent is doing with a call: planning, coding, naming the conversation, ...

Agents do not say so, but their own instructions give it away. The table below holds what each
agent was seen to send, with the version that sent it; what is not recognised is `other`. A name
such as `coder.planning` in the proxy URL says it outright and wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from addon.neutral import Request, TextPart, Tool
from addon.rules.agents import agent_name

type Phase = Literal["planning", "coding", "title", "compaction", "subagent", "review", "other"]
PHASES: tuple[Phase, ...] = get_args(Phase.__value__)

type HeaderValues = Mapping[str, Sequence[str]]
"""The values of each header, by its name in lower case."""


class Call(NamedTuple):
    """What a signature may look at."""

    headers: HeaderValues
    request: Request

    def system(self, pattern: str) -> bool:
        """Tell whether the instructions match, wherever they stand."""
        amid = (message for message in self.request.messages if message.role == "system")
        return any(
            isinstance(part, TextPart) and re.search(pattern, part.text)
            for message in (*self.request.system, *amid)
            for part in message.parts
        )

    def user(self, pattern: str) -> bool:
        """Tell whether what the user said last matches."""
        said = [message for message in self.request.messages if message.role == "user"]
        return any(
            isinstance(part, TextPart) and re.search(pattern, part.text)
            for message in said[-1:]
            for part in message.parts
        )

    def header(self, name: str, pattern: str) -> bool:
        """Tell whether a header matches."""
        return any(re.search(pattern, value) for value in self.headers.get(name, ()))

    def tool(self, name: str) -> bool:
        """Tell whether a tool of that name is offered."""
        return any(isinstance(tool, Tool) and tool.name == name for tool in self.request.tools)

    @property
    def has_tools(self) -> bool:
        """Whether any tool is offered."""
        return bool(self.request.tools)


@dataclass(frozen=True)
class Signature:
    """How a phase of an agent shows."""

    agent: str
    """A name of `agent_name`."""
    phase: Phase
    seen_in: str
    """The version that was watched."""
    fits: Callable[[Call], bool]


SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "opencode", "title", "1.18", lambda call: call.system(r"^You are a title generator\.")
    ),
    Signature("opencode", "coding", "1.18", lambda call: call.tool("bash")),
    Signature("codex", "coding", "0.169", lambda call: call.system(r"^You are (a|Codex,).*Codex")),
)
"""The first that fits wins."""


def recognise(user_agent: str | None, headers: HeaderValues, request: Request | None) -> Phase:
    """Say what an agent is doing, by its traffic alone."""
    if request is None:
        return "other"
    agent = agent_name(user_agent)
    call = Call(headers, request)
    for signature in SIGNATURES:
        if signature.agent == agent and signature.fits(call):
            return signature.phase
    return "other"


def split_name(name: str) -> tuple[str, Phase | None]:
    """Take the phase off a proxy user's name: `coder.planning` is `coder`, who is planning."""
    agent, dot, last = name.rpartition(".")
    for phase in PHASES:
        if dot and agent and phase == last:
            return agent, phase
    return name, None
