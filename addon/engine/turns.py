"""How many calls a provider gets at a time, and who waits for the next turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import override

import msgspec

from addon.neutral import DetourError, ErrorInfo
from addon.providers import Provider

_SOON = 1.0
"""Seconds after which a turn may be free."""


class NoTurn(DetourError):
    """As many calls wait for a provider as may wait."""

    def __init__(self, provider: Provider, waiting: int) -> None:
        super().__init__(
            f"{provider.title} is busy with as many calls as providers.{provider.id}.concurrency in"
            f" rules.yaml allows, and {waiting} more wait."
        )

    @override
    def to_error_info(self) -> ErrorInfo:
        return ErrorInfo("overloaded", str(self), code="detour_queue_full", retry_after=_SOON)


class _Line(msgspec.Struct):
    """What goes on at one provider."""

    running: int = 0
    waiting: deque[asyncio.Future[None]] = msgspec.field(
        default_factory=deque[asyncio.Future[None]]
    )


class Turns:
    """Lets calls to a provider go in the order in which they came."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, provider: Provider) -> AsyncGenerator[None]:
        """Wait for a turn, and have it for the length of a block.

        Raises:
            NoTurn: Too many wait already.
        """
        allowed = provider.concurrency
        if allowed is None:
            yield
            return
        line = self._lines.setdefault(provider.id, _Line())
        if line.running >= allowed.running:
            await _wait(line, provider, allowed.waiting)
        else:
            line.running += 1
        try:
            yield
        finally:
            _leave(line)


async def _wait(line: _Line, provider: Provider, most: int) -> None:
    """Stand in line; who leaves hands the turn on, so that nobody gets in between."""
    if len(line.waiting) >= most:
        raise NoTurn(provider, len(line.waiting))
    mine = asyncio.get_running_loop().create_future()
    line.waiting.append(mine)
    try:
        await mine
    except asyncio.CancelledError:
        if mine.cancelled():
            line.waiting.remove(mine)
        else:
            _leave(line)  # the turn came in the same moment
        raise


def _leave(line: _Line) -> None:
    for following in line.waiting:
        if not following.done():
            line.waiting.remove(following)
            following.set_result(None)
            return
    line.running -= 1
