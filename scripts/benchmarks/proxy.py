"""What the way through Detour costs beside the way through bare mitmproxy.

Everything is measured in rounds that take the ways in turn, so that a machine that gets slower or
faster meanwhile does so for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import conversations, streams
from benchmarks.agent import Agent
from benchmarks.conversations import SMALL, TYPICAL, Conversation, New, another
from benchmarks.fast_provider import directive
from benchmarks.figures import Comparison, Rounds, Section, compare, p95
from benchmarks.processes import Way, ways
from benchmarks.translation import REQUEST_BUDGET

FIRST_BYTE_TARGET = 1.15
CONCURRENCY = 16
THOUGHTS = (20, 50, 250)
"""Milliseconds that a provider may take before it answers; real ones take longer than the last."""
EVENTS = 5
"""Text deltas of an answer of which only the first byte counts."""

type Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How often everything is done."""

    rounds: int
    calls: int
    """Calls per round on one connection."""
    connections: int
    """New connections per round."""
    thoughts: int
    """Calls per round to the provider that thinks for longest; to quicker ones, more."""
    stream_rounds: int
    stream_seconds: float
    requests: int
    """Calls per round when many agents call."""


FULL = Effort(
    rounds=6,
    calls=60,
    connections=20,
    thoughts=4,
    stream_rounds=5,
    stream_seconds=1.5,
    requests=400,
)
QUICK = Effort(
    rounds=2,
    calls=10,
    connections=4,
    thoughts=1,
    stream_rounds=2,
    stream_seconds=0.3,
    requests=60,
)


async def measure(progress: Progress, *, quick: bool) -> list[Section]:
    """Measure everything that goes through a proxy."""
    effort = QUICK if quick else FULL
    with TemporaryDirectory(prefix="detour-benchmark-") as folder:
        progress("starting a provider, bare mitmproxy and Detour")
        async with ways(Path(folder)) as found:
            started = _memory(found)
            progress("warming up")
            for way in found:
                await _many_calls(way, 4 * CONCURRENCY, _asking(TYPICAL))
            progress("time to the first byte")
            first_byte = [
                *await _open_connection(found, effort, SMALL, "one"),
                *await _open_connection(found, effort, TYPICAL, "one"),
                *await _open_connection(found, effort, TYPICAL, "all", REQUEST_BUDGET),
                *await _new_connection(found, effort),
                *[await _thoughtful_provider(found, effort, delay) for delay in THOUGHTS],
            ]
            chunks: list[Comparison] = []
            for load in (streams.ONE, streams.MANY):
                progress(load.name)
                rounds, seconds = effort.stream_rounds, effort.stream_seconds
                chunks += await streams.measure(found, load, rounds, seconds)
            progress(f"{CONCURRENCY} agents at a time")
            before = _memory(found)
            throughput = await _throughput(found, effort)
            after = _memory(found)
    count = effort.rounds * effort.requests * len(_ANSWERS)
    growth = {name: [[after[name][0][0] - before[name][0][0]]] for name in before}
    memory = [
        compare("resident memory after start", "MB", started),
        compare("resident memory at the end", "MB", after),
        compare(f"growth in the {count:,} requests of the table above", "MB", growth),
    ]
    return [
        Section("first_byte", "First byte of a streamed answer", first_byte),
        Section("chunks", "Chunks of a stream", chunks),
        Section("throughput", f"Requests of {CONCURRENCY} agents at a time", throughput),
        Section("memory", "Memory", memory),
    ]


def _memory(found: Sequence[Way]) -> Rounds:
    return {way.name: [[way.memory()]] for way in found if way.process}


def _asking(conversation: Conversation, delay: int = 0) -> bytes:
    return conversations.openai_chat(conversation, text=directive(EVENTS, delay=delay))


def _bodies(
    conversation: Conversation, number: int, new: New = "one", delay: int = 0
) -> list[bytes]:
    return [_asking(another(conversation, new), delay) for _ in range(number)]


async def _open_connection(
    found: Sequence[Way],
    effort: Effort,
    conversation: Conversation,
    new: New,
    allowance: float = 0,
) -> list[Comparison]:
    """Call after call on one connection.

    Args:
        found: The ways.
        effort: How often.
        conversation: What is asked.
        new: What of it came with no call before.
        allowance: Milliseconds that its translation may take, where they count.
    """
    rounds = [_bodies(conversation, effort.calls, new) for _ in range(effort.rounds)]
    samples = await _first_bytes(found, rounds)
    size = f"{len(rounds[0][0]) / 1e3:.0f} kB"
    name = f"open connection, request of {size}, {'all' if new == 'all' else 'last message'} new"
    return _about_first_byte(name, samples, allowance)


async def _thoughtful_provider(found: Sequence[Way], effort: Effort, delay: int) -> Comparison:
    """A provider that takes a while before it answers, as real ones do."""
    calls = min(effort.calls, effort.thoughts * THOUGHTS[-1] // delay)
    rounds = [_bodies(TYPICAL, calls, delay=delay) for _ in range(effort.rounds)]
    samples = await _first_bytes(found, rounds)
    return _about_first_byte(f"open connection, provider waits for {delay} ms", samples)[0]


async def _first_bytes(found: Sequence[Way], rounds: Sequence[Sequence[bytes]]) -> Rounds:
    """Send all requests of each round, each way in turn."""
    samples: Rounds = {way.name: [] for way in found}
    agents = {way.name: await way.connect() for way in found}
    for agent in agents.values():
        await agent.call(rounds[0][0], EVENTS)
    for bodies in rounds:
        for name, agent in agents.items():
            answers = [await agent.call(body, EVENTS) for body in bodies]
            samples[name].append([answer.first_byte for answer in answers])
    for agent in agents.values():
        agent.close()
    return samples


async def _new_connection(found: Sequence[Way], effort: Effort) -> list[Comparison]:
    """From dialling to the first byte, as an agent that has just started sees it."""
    bodies = _bodies(TYPICAL, effort.connections)
    samples: Rounds = {way.name: [] for way in found}
    for _ in range(effort.rounds):
        for way in found:
            times: list[float] = []
            for body in bodies:
                began = time.perf_counter()
                agent = await way.connect()
                connecting = time.perf_counter() - began
                times.append(connecting + (await agent.call(body, EVENTS)).first_byte)
                agent.close()
            samples[way.name].append(times)
    size = f"{len(bodies[0]) / 1e3:.0f} kB"
    return _about_first_byte(f"new connection, request of {size}", samples)


def _about_first_byte(name: str, samples: Rounds, allowance: float = 0) -> list[Comparison]:
    target = FIRST_BYTE_TARGET
    return [
        compare(f"{name}, p50", "ms", samples, scale=1e3, target=target, allowance=allowance),
        compare(f"{name}, p95", "ms", samples, scale=1e3, statistic=p95),
    ]


_ANSWERS = {"plain answer": 0, "stream of 20 deltas": 20}


async def _throughput(found: Sequence[Way], effort: Effort) -> list[Comparison]:
    """Agents that call again as soon as they are answered."""
    rows: list[Comparison] = []
    for name, events in _ANSWERS.items():
        body = conversations.openai_chat(SMALL, stream=events > 0, text=directive(events))
        rates: Rounds = {way.name: [] for way in found}
        cpu: Rounds = {way.name: [] for way in found if way.process}
        for _ in range(effort.rounds):
            for way in found:
                used, began = way.cpu(), time.perf_counter()
                await _many_calls(way, effort.requests, body)
                rates[way.name].append([effort.requests / (time.perf_counter() - began)])
                if way.process:
                    cpu[way.name].append([(way.cpu() - used) / effort.requests])
        rows.append(compare(f"{name}: requests (more is better)", "1/s", rates))
        rows.append(compare(f"{name}: CPU of the proxy per request", "ms", cpu, scale=1e3))
    return rows


async def _many_calls(way: Way, count: int, body: bytes) -> None:
    agents = [await way.connect() for _ in range(CONCURRENCY)]
    remaining = iter(range(count))

    async def work(agent: Agent) -> None:
        for _ in remaining:
            await agent.call(body)

    await asyncio.gather(*map(work, agents))
    for agent in agents:
        agent.close()
