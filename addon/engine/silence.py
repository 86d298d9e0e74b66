"""Listens to a provider, says when it is silent, and gives up when it is silent for too long.

A read that is under way cannot be abandoned and taken up again, so the provider is read by a task
of its own while whoever speaks to the agent waits beside it, as long or as short as it likes.
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

import msgspec

from addon.providers import Timeouts

READ_AHEAD = 16
"""Items read before the agent has taken them; a slow agent slows the provider down."""


class Signal(enum.Enum):
    """What `Listener.receive` says when it has no item."""

    SILENCE = enum.auto()
    END = enum.auto()


SILENCE: Literal[Signal.SILENCE] = Signal.SILENCE
END: Literal[Signal.END] = Signal.END


class ProviderTimeoutError(Exception):
    """A provider took longer than its timeouts allow."""

    def __init__(self, limit: Literal["first_byte", "idle", "total"], seconds: float) -> None:
        super().__init__(f"{limit} timeout of {seconds:g} s")
        self.limit: Literal["first_byte", "idle", "total"] = limit
        self.seconds = seconds


class _Failure(msgspec.Struct, frozen=True):
    exception: Exception


class Listener[Item]:
    """Reads a source in the background, under a provider's timeouts.

    The first item must come within `first_byte` seconds, every further one within `idle` seconds
    of the one before, all of them within `total` seconds.
    """

    def __init__(
        self, source: AsyncGenerator[Item], timeouts: Timeouts, beginning: int = 0
    ) -> None:
        """Begin to listen.

        Args:
            source: What is listened to.
            timeouts: How long it may take.
            beginning: After so many items nothing is read until more is asked for, so that they
                can go on their way first; 0: there is no such pause.
        """
        self._beginning = beginning
        self._asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._timeouts = timeouts
        self._total_deadline = self._clock() + timeouts.total
        self._deadline = self._clock() + timeouts.first_byte
        self._heard_any = False
        self._items: deque[Item | _Failure | Literal[Signal.END]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._taken = asyncio.Event()
        self._task = asyncio.create_task(self._read(source))

    async def receive(self, patience: float = math.inf) -> Item | Signal:
        """Return the next item, `SILENCE` after `patience` seconds without one, `END` at the end.

        Raises:
            ProviderTimeoutError: The provider took too long.
            Exception: Whatever the source raised.
        """
        if not self._items and not await self._wait(self._clock() + patience):
            return SILENCE
        item = self._items.popleft()
        self._taken.set()
        if isinstance(item, _Failure):
            raise item.exception
        return item

    def take_ready[Kind](self, kind: type[Kind]) -> list[Kind]:
        """Return the items of a kind that have come meanwhile, up to the first of another."""
        ready: list[Kind] = []
        while self._items and isinstance(item := self._items[0], kind):
            ready.append(item)
            self._items.popleft()
        self._taken.set()
        return ready

    def hurry(self, seconds: float) -> None:
        """Leave the provider no more than `seconds` from now."""
        self._total_deadline = min(self._total_deadline, self._clock() + seconds)

    async def aclose(self) -> None:
        """Stop listening and close the source, at once."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _wait(self, until: float) -> bool:
        """Wait for an item; False: there was none until then."""
        self._asked.set()
        while True:
            self._set_alarm(min(until, self._deadline, self._total_deadline))
            self._waiter = self._loop.create_future()
            await self._waiter
            if self._items:
                return True
            # The deadline may have moved, and the alarm was then for an earlier one.
            now = self._clock()
            if now >= self._deadline:
                limit = "idle" if self._heard_any else "first_byte"
                raise ProviderTimeoutError(limit, getattr(self._timeouts, limit))
            if now >= self._total_deadline:
                raise ProviderTimeoutError("total", self._timeouts.total)
            if now >= until:
                return False

    def _set_alarm(self, when: float) -> None:
        """See to it that `_wake` is called at that time or earlier.

        An alarm that is set already is left alone: of a stream whose pieces come quickly, each
        would otherwise set one and cancel it again.
        """
        if self._alarm is None or self._alarm.when() > when:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _read(self, source: AsyncGenerator[Item]) -> None:
        try:
            async with aclosing(source):
                count = 0
                async for item in source:
                    self._heard_any = True
                    self._asked.clear()
                    await self._put(item)
                    count += 1
                    if count == self._beginning:
                        await self._asked.wait()
        except Exception as error:
            await self._put(_Failure(error))
        else:
            await self._put(END)

    async def _put(self, item: Item | _Failure | Literal[Signal.END]) -> None:
        while len(self._items) >= READ_AHEAD:
            self._taken.clear()
            await self._taken.wait()
        self._items.append(item)
        self._deadline = self._clock() + self._timeouts.idle
        self._wake()
