"""What it costs to record every exchange and to keep it for the views, and whether memory grows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import conversations
from benchmarks.agent import Agent
from benchmarks.conversations import SMALL
from benchmarks.fast_provider import directive
from benchmarks.figures import Cost, Section, contrast
from benchmarks.processes import Way, watching_ways

STREAMS = 50
LEAST_THROUGHPUT = 0.9
"""Of what there is with everything off."""
MOST_CPU = 1.1
MOST_GROWTH = 10.0
"""Megabytes between the two counts of exchanges."""

type Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How often everything is done."""

    rounds: int
    streams: int
    """Streams per round."""
    deltas: int
    """Text deltas of a stream."""
    settled: int
    """Exchanges after which memory is measured first."""
    exchanges: int
    """Exchanges after which it is measured again."""


FULL = Effort(rounds=8, streams=300, deltas=100, settled=2000, exchanges=10_000)
QUICK = Effort(rounds=2, streams=60, deltas=20, settled=60, exchanges=200)


async def measure(progress: Progress, *, quick: bool) -> list[Section]:
    """Measure Detour with records and views on beside the same with both off."""
    effort = QUICK if quick else FULL
    with TemporaryDirectory(prefix="detour-benchmark-") as folder:
        progress("starting two Detours, with records and views on and off")
        async with watching_ways(Path(folder)) as (off, on):
            body = conversations.openai_chat(SMALL, text=directive(effort.deltas))
            for way in (off, on):
                await _run(way, 2 * STREAMS, body)
            progress(f"{STREAMS} streams at a time, records and views on and off")
            rates: dict[Way, list[float]] = {off: [], on: []}
            cpu: dict[Way, list[float]] = {off: [], on: []}
            for number in range(effort.rounds):
                # In turn, and each first every other time.
                for way in (off, on) if number % 2 else (on, off):
                    used, began = way.cpu(), time.perf_counter()
                    await _run(way, effort.streams, body)
                    took = time.perf_counter() - began
                    rates[way].append(effort.streams * effort.deltas / took)
                    cpu[way].append((way.cpu() - used) / effort.streams)
            progress(f"memory over {effort.exchanges:,} exchanges")
            growth = await _growth(on, effort)
    name = f"{STREAMS} streams at once"
    chunks = f"{name}: chunks (more is better)"
    return [
        Section(
            "watching",
            "Records and views",
            [
                contrast(chunks, "1/s", rates[off], rates[on], least=LEAST_THROUGHPUT),
                contrast(
                    f"{name}: CPU of the proxy per stream of {effort.deltas} deltas",
                    "ms",
                    cpu[off],
                    cpu[on],
                    scale=1e3,
                    most=MOST_CPU,
                ),
            ],
        ),
        Section("growth_of_memory", "Memory over many exchanges", growth),
    ]


async def _growth(way: Way, effort: Effort) -> list[Cost]:
    """Tell how much memory is taken between two counts of exchanges, streamed and plain in turn."""
    streamed = conversations.openai_chat(SMALL, text=directive(20))
    plain = conversations.openai_chat(SMALL, stream=False, text=directive(0))
    sizes: list[float] = []
    done = 0
    for count in (effort.settled, effort.exchanges):
        while done < count:
            piece = min(1000, count - done)
            await _run(way, piece // 2, streamed)
            await _run(way, piece - piece // 2, plain)
            done += piece
        await asyncio.sleep(0.5)
        sizes.append(way.memory())
    before, after = sizes
    return [
        Cost(name=f"resident memory after {effort.settled:,} exchanges", value=before, unit="MB"),
        Cost(
            name=f"growth until there were {effort.exchanges:,}",
            value=after - before,
            unit="MB",
            budget=MOST_GROWTH,
        ),
    ]


async def _run(way: Way, count: int, body: bytes) -> None:
    agents = [await way.connect() for _ in range(min(STREAMS, count))]
    remaining = iter(range(count))

    async def work(agent: Agent) -> None:
        for _ in remaining:
            await agent.call(body)

    await asyncio.gather(*map(work, agents))
    for agent in agents:
        agent.close()
