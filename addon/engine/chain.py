"""The targets of one call, tried one after the other until one answers."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from addon.formats.base import FormatName
from addon.neutral import DetourError, ErrorInfo
from addon.providers import Destination, FallbackPolicy, failure_of

if TYPE_CHECKING:
    from addon.engine.call import Call
    from addon.engine.conversation import Opening

logger = logging.getLogger(__name__)

FIRST_WAIT = 0.5
"""Seconds before the first retry; each later one waits twice as long."""
LONGEST_WAIT = 10.0
"""Seconds; a provider that asks for more is not waited for."""
LONGEST_REST = 600.0

type Place = tuple[str, str]
"""A provider's id and a model's name."""


def place_of(destination: Destination) -> Place:
    """Name what cools down when it fails."""
    return destination.provider.id, destination.model


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at one target."""

    provider: str
    model: str
    error: ErrorInfo | None = None
    """Why it failed; None for the one that answered."""
    seconds: float
    began: float | None = None
    """Seconds from the beginning of the call; None where nothing was sent."""
    format: FormatName | None = None
    base_url: str = ""


class MoveOn(Exception):
    """A target has failed before the agent has got anything of an answer."""

    def __init__(self, error: ErrorInfo, opening: Opening | None) -> None:
        super().__init__(error.message)
        self.error = error
        self.opening = opening


class Cooldowns:
    """Remembers which targets have failed of late, for all calls."""

    def __init__(self) -> None:
        self._until: dict[Place, float] = {}

    def rest(self, place: Place, seconds: float) -> None:
        """Pass a target over for a while."""
        now = asyncio.get_running_loop().time()
        # Agents may ask for any number of models, of which most are never asked for again.
        self._until = {other: until for other, until in self._until.items() if until > now}
        self._until[place] = now + min(seconds, LONGEST_REST)

    def left(self, place: Place) -> float:
        """Return for how many seconds more a target is to be passed over."""
        until = self._until.get(place)
        if until is None:
            return 0.0
        left = until - asyncio.get_running_loop().time()
        if left <= 0:
            del self._until[place]
        return max(left, 0.0)

    def clear(self, place: Place) -> None:
        """A target has answered."""
        self._until.pop(place, None)


class Chain:
    """Knows what comes after a target that has failed.

    Args:
        policy: Which failures move on, how often to retry, how long to pass over.
        places: The targets, in order; the call's own is one of them.
        position: Which of them the call goes to.
        prepare: Makes the call for another target.
        cooldowns: Shared by all calls.
    """

    def __init__(
        self,
        policy: FallbackPolicy,
        places: tuple[Place, ...],
        position: int,
        prepare: Callable[[int], Awaitable[Call]],
        cooldowns: Cooldowns,
    ) -> None:
        self._policy = policy
        self._places = places
        self._position = position
        self._waiting = [index for index in range(len(places)) if index != position]
        self._prepare = prepare
        self._cooldowns = cooldowns
        self._retries = 0

    def moves_on(self, error: ErrorInfo) -> bool:
        """Tell whether a failure is one after which something else is tried."""
        if failure_of(error) not in self._policy.on:
            return False
        return bool(self._waiting) or self._retries < self._policy.retries

    def stay(self) -> None:
        """Try no other target from now on."""
        self._waiting.clear()

    def answered(self) -> None:
        """The target has answered."""
        self._cooldowns.clear(self._places[self._position])

    async def following(self, call: Call, error: ErrorInfo) -> Call | None:
        """Return the call to make after one has failed, or None where nothing is left.

        Waits before it returns where the same target is to be tried again.
        """
        wait = error.retry_after
        if wait is None:
            wait = FIRST_WAIT * 2**self._retries * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        if self._retries < self._policy.retries and wait <= LONGEST_WAIT:
            self._retries += 1
            await asyncio.sleep(wait)
            return call
        self._cooldowns.rest(
            self._places[self._position], error.retry_after or self._policy.cooldown
        )
        return await self._next(call)

    async def _next(self, call: Call) -> Call | None:
        # Those that have failed of late come last: all the same they come, as long as one is left.
        self._waiting.sort(key=lambda index: self._cooldowns.left(self._places[index]) > 0)
        while self._waiting:
            self._position = self._waiting.pop(0)
            self._retries = 0
            try:
                following = await self._prepare(self._position)
            except DetourError as error:
                provider, model = self._places[self._position]
                info = error.to_error_info()
                logger.warning("%s:%s cannot be tried: %s", provider, model, info.message)
                attempt = Attempt(provider=provider, model=model, error=info, seconds=0)
                call.outcome.attempts += (attempt,)
                continue
            following.chain = self
            following.outcome = call.outcome
            following.keep_alive = call.keep_alive
            return following
        return None
