"""All checks, in the order in which their findings are shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from importlib import import_module

from addon.doctor.finding import Finding
from addon.doctor.machine import Machine

type Check = Callable[[Machine], Awaitable[list[Finding]]]

CHECKS: dict[str, str] = {
    "python": "Python and mitmproxy",
    "authority": "mitmproxy's certificate authority",
    "trust": "who trusts it",
    "ports": "the ports",
    "rules": "the rules",
    "keys": "keys, and who can read them",
    "environment": "variables that lead agents astray",
    "providers": "the way to the providers",
    "clock": "the clock",
    "loop": "a call through the proxy from each runtime",
}
"""Names of the checks, each a module of this package, and what they look at."""


async def examine(
    machine: Machine, names: Iterable[str], progress: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Finding]:
    """Run checks, all at the same time, and yield what they find in their order.

    Args:
        machine: What to look at.
        names: Which checks.
        progress: Told what is being waited for.
    """
    running = {name: asyncio.create_task(_run(name, machine)) for name in names}
    try:
        for name, task in running.items():
            progress(CHECKS[name])
            for finding in await task:
                yield finding
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


async def _run(name: str, machine: Machine) -> list[Finding]:
    check: Check = import_module(f"addon.doctor.{name}").examine
    try:
        return await check(machine)
    except Exception as error:
        message = f"this could not be looked at ({type(error).__name__}: {error})"
        return [Finding(check=name, state="warning", message=message)]
