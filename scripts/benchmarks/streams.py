"""What a chunk of a stream costs: how long it takes through a proxy, and the proxy's CPU time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import conversations
from benchmarks.agent import Agent
from benchmarks.conversations import SMALL
from benchmarks.fast_provider import directive
from benchmarks.figures import Comparison, Rounds, compare, p95
from benchmarks.processes import Way

CPU_TARGET = 1.3
SETTLING = 0.2
"""Seconds between the last stream's start and the measurement, and before the first one's end."""


@dataclass(frozen=True)
class Load:
    """Streams that run at the same time."""

    name: str
    streams: int
    pace: int
    """Text deltas of each stream in a second."""
    stagger: float
    """Seconds between the starts of two streams, lest all chunks come at once."""

    def events(self, seconds: float) -> int:
        """Return how many text deltas keep a stream running while `seconds` are measured."""
        return round((self.streams * self.stagger + 2 * SETTLING + seconds) * self.pace)


ONE = Load("one stream of 500/s", 1, 500, 0.0)
"""Faster than any model writes."""
MANY = Load("50 streams of 20/s", 50, 20, 0.0105)


async def measure(
    found: Sequence[Way], load: Load, rounds: int, seconds: float
) -> list[Comparison]:
    """Run the load through every way, in turn."""
    delays: Rounds = {way.name: [] for way in found}
    cpu: Rounds = {way.name: [] for way in found if way.process}
    for _ in range(rounds):
        for way in found:
            took, used = await _run(way, load, seconds)
            delays[way.name].append(took)
            if way.process:
                cpu[way.name].append([used])
    name = load.name
    return [
        compare(f"{name}: provider to agent, p50", "ms", delays, scale=1e3),
        compare(f"{name}: provider to agent, p95", "ms", delays, statistic=p95, scale=1e3),
        compare(f"{name}: CPU of the proxy per chunk", "µs", cpu, scale=1e6, target=CPU_TARGET),
    ]


async def _run(way: Way, load: Load, seconds: float) -> tuple[list[float], float]:
    """Return how long each chunk took, and the CPU seconds per chunk while all streams ran."""
    events = load.events(seconds)
    body = conversations.openai_chat(SMALL, text=directive(events, round(1e6 / load.pace)))
    agents = [await way.connect() for _ in range(load.streams)]

    async def stream(number: int, agent: Agent) -> list[float]:
        await asyncio.sleep(number * load.stagger)
        return (await agent.call(body, events)).delays

    calls = asyncio.gather(*(stream(number, agent) for number, agent in enumerate(agents)))
    await asyncio.sleep(load.streams * load.stagger + SETTLING)
    used, seen = way.cpu(), _received(agents)
    await asyncio.sleep(seconds)
    used, seen = way.cpu() - used, _received(agents) - seen
    delays = [delay for took in await calls for delay in took]
    for agent in agents:
        agent.close()
    return delays, used / max(seen, 1)


def _received(agents: Sequence[Agent]) -> int:
    return sum(agent.received for agent in agents)
