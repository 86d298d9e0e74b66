"""Streams flow on while the API is asked for all it can do: measured in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from pathlib import Path

import httpx2

from addon.authority import authority_certificate
from tests.support.dashboard import Page
from tests.support.program import PROVIDER_KEY, Machine, background_provider, listening_at

STREAMS = 50
SECONDS = 4.0
RULES = 100
"""As many as make an answer about them take a while."""


def rules(url: str) -> str:
    others = "".join(
        f"  # about {number}\n  - name: rule {number}\n"
        f"    when: {{agent: [a{number}, b{number}]}}\n"
        f"    use: [anthropic:claude-opus-4-5, anthropic:claude-sonnet-4-5]\n\n"
        for number in range(RULES)
    )
    return (
        f'version: 1\nproviders:\n  anthropic: {{base_url: "{url}", api_key: {PROVIDER_KEY}}}\n'
        f"rules:\n{others}  - {{name: all, use: anthropic:claude-sonnet-4-5}}\n"
    )


async def gaps_of_a_stream(client: httpx2.AsyncClient, until: float) -> list[float]:
    """Ask for a stream that is told evenly, and return the pauses between its chunks."""
    words = "[[events 200]] [[slow 0.05]] [[say " + "word " * 400 + "]]"
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": words}]}
    gaps: list[float] = []
    url = "https://api.openai.com/v1/chat/completions"
    async with client.stream("POST", url, json=body, headers={"authorization": "Bearer x"}) as told:
        assert told.status_code == 200
        last = None
        async for _ in told.aiter_raw():
            now = time.monotonic()
            if last is not None:
                gaps.append(now - last)
            last = now
            if now > until:
                break
    return gaps


async def worst_gaps(address: str, machine: Machine) -> list[float]:
    """Run all streams at a time, and return the longest pause of each, the shortest first."""
    authority = machine.home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
    context = ssl.create_default_context(cafile=authority)
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        proxy=f"http://{address}", verify=context, trust_env=False, timeout=30, limits=limits
    ) as client:
        until = time.monotonic() + SECONDS
        found = await asyncio.gather(*(gaps_of_a_stream(client, until) for _ in range(STREAMS)))
    return sorted(max(gaps) for gaps in found)


async def read(page: Page, answered: list[str]) -> None:
    """Read everything again and again."""
    while True:
        for path in ("rules", "providers", "targets", "exchanges?limit=500", "usage", "status"):
            await page.get(path)
            answered.append(path)


async def write(page: Page, answered: list[str]) -> None:
    """Edit rules, set keys and try calls again and again."""
    number = 0
    while True:
        number += 1
        body = {"revision": await page.revision(), "enabled": number % 2 == 0}
        await page.write("PATCH", f"rules/{number % RULES}", body)
        answered.append("edit")
        await page.write("PUT", "providers/zai/key", {"key": f"sk-0123456789abcdef{number:06}"})
        answered.append("key")
        await page.write("POST", "rules/try", {"model": "gpt-5", "agent": "b7"})
        answered.append("try")


async def test_chunks_keep_flowing_while_the_api_is_hammered(home: Path, tmp_path: Path) -> None:
    machine = Machine(home, tmp_path)
    authority_certificate(home / ".mitmproxy")
    answered: list[str] = []
    with background_provider() as provider:
        (machine.folder / "rules.yaml").write_text(rules(provider.base_url))
        serve = ("serve", "--ui", "dump", "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")
        with machine.start(*serve, "--", "--set", "flow_detail=0") as process:
            address = listening_at(process)
            assert process.stdout
            line = process.stdout.readline()
            printed = re.fullmatch(r"The dashboard is at (\S+)\n", line)
            assert printed, line
            quiet = await worst_gaps(address, machine)
            async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
                page = Page(printed.group(1), client)
                await page.enter()
                asked = (read(page, answered), write(page, answered), _listen(page))
                tasks = [asyncio.create_task(one) for one in asked]
                hammered = await worst_gaps(address, machine)
                for _ in range(300):
                    if {"try", "status"} <= set(answered):
                        break
                    await asyncio.sleep(0.1)
                for task in tasks:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
    told = f"longest gaps, quiet: {quiet[STREAMS // 2]:.3f} s, {quiet[-1]:.3f} s; hammered: "
    told += f"{hammered[STREAMS // 2]:.3f} s, {hammered[-1]:.3f} s; {len(answered)} answers"
    assert {"edit", "key", "try", "status", "exchanges?limit=500"} <= set(answered)
    assert hammered[STREAMS // 2] < 2 * quiet[STREAMS // 2] + 0.15, told


async def _listen(page: Page) -> None:
    url = f"{page.origin}/detour/api/stream"
    async with page.client.stream("GET", url, timeout=None) as events:
        async for _ in events.aiter_raw():
            pass
