"""Playing all scenarios with all agents, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Literal

from addon.conformance.agent import Agent
from addon.conformance.anthropic_agent import AnthropicAgent
from addon.conformance.chat_agent import ChatAgent
from addon.conformance.conversation import Misshapen
from addon.conformance.failure_scenarios import FAILURES
from addon.conformance.gemini_agent import GeminiAgent
from addon.conformance.responses_agent import ResponsesAgent
from addon.conformance.scenario import Scenario
from addon.conformance.session import LONGEST, Failed, NotApplicable, Session
from addon.conformance.text_scenarios import WORDS
from addon.conformance.tool_scenarios import TOOLS

SCENARIOS: tuple[Scenario, ...] = (*WORDS, *TOOLS, *FAILURES)
"""All of them, in the order in which they are shown."""

type Verdict = Literal["ok", "failed", "not applicable"]

AGENTS: tuple[Agent, ...] = (ChatAgent(), ResponsesAgent(), AnthropicAgent(), GeminiAgent())


@dataclass(frozen=True)
class Outcome:
    """What came of one scenario for one agent."""

    provider: str
    agent: str
    scenario: str
    streamed: bool
    verdict: Verdict
    reason: str
    """Why it failed or does not apply; blank where it is ok."""
    seconds: float


async def play_all(
    provider: str,
    make_session: Callable[[Agent, bool], Session],
    tell: Callable[[Outcome], None],
    agents: Sequence[Agent] = AGENTS,
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    at_once: int = 1,
) -> list[Outcome]:
    """Play scenarios.

    Args:
        provider: The provider's name, for the outcomes.
        make_session: Makes the session of an agent, streamed or plain.
        tell: Called with each outcome as it comes.
        agents: Who plays.
        scenarios: What is played, one after the other.
        at_once: How many agents may talk at the same time.
    """
    outcomes: list[Outcome] = []
    for scenario in scenarios:
        ways = [(agent, streamed) for agent in agents for streamed in (False, True)]
        for some in batched(ways, at_once):
            sessions = [make_session(agent, streamed) for agent, streamed in some]
            played = await asyncio.gather(*(_play(scenario, session) for session in sessions))
            for (agent, streamed), what_came in zip(some, played, strict=True):
                outcomes.append(Outcome(provider, agent.name, scenario.name, streamed, *what_came))
                tell(outcomes[-1])
    return outcomes


async def _play(scenario: Scenario, session: Session) -> tuple[Verdict, str, float]:
    started = time.monotonic()
    verdict: Verdict = "ok"
    reason = ""
    try:
        await asyncio.wait_for(scenario.play(session), LONGEST)
    except NotApplicable as error:
        verdict, reason = "not applicable", str(error)
    except Misshapen as error:
        verdict, reason = "failed", f"against the format's rules: {error}"
    except TimeoutError:
        verdict, reason = "failed", f"no end within {LONGEST:g} s"
    except Failed as error:
        verdict, reason = "failed", str(error)
    return verdict, reason, time.monotonic() - started
