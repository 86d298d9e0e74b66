"""Streams that come from Detour's own memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol

from addon.engine import Head
from addon.wire.sse import COMMENT

type Items = AsyncGenerator[Head | bytes]

_HEAD = Head(
    200,
    (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")),
)


class Source(Protocol):
    """A stream that may still be growing."""

    @property
    def events(self) -> list[bytes]:
        """The events so far."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        ...

    @property
    def changed(self) -> asyncio.Event:
        """Is set at the next event, or at the end; a new one is there afterwards."""
        ...


async def follow(source: Source, start: int, keep_alive: float) -> Items:
    """Tell a stream from one of its events on, and go on as it grows.

    Args:
        source: The stream.
        start: The first event to tell.
        keep_alive: Seconds of silence after which a comment is sent; 0: never.
    """
    yield _HEAD
    while True:
        changed = source.changed
        events = source.events
        if start < len(events):
            yield b"".join(events[start:])
            start = len(events)
        elif source.ended:
            return
        else:
            try:
                await asyncio.wait_for(changed.wait(), keep_alive or None)
            except TimeoutError:
                yield COMMENT


async def tell(stream: bytes) -> Items:
    """Tell a stream that has ended."""
    yield _HEAD
    if stream:
        yield stream
