"""Requests of Responses that lean on state, on their way to providers that may keep none.

Where the provider keeps what the request leans on, it goes out as it is (decision D3), and what
comes of it is remembered here all the same: another provider can then go on from it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import aclosing

import msgspec

from addon.engine import Head
from addon.formats.base import Reply
from addon.formats.openai_responses import NAME
from addon.formats.openai_responses.dialects import dialect
from addon.formats.openai_responses.reply_reading import read_reply, with_state
from addon.interceptor.following import Items
from addon.providers import Destination
from addon.stateful import History, StateError, Turn
from addon.stateful.final import final_response
from addon.stateful.responses import new_id
from addon.wire.json_edit import edit_object

logger = logging.getLogger(__name__)


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be remembered of a call, once it has been answered."""

    turn: Turn
    keeper: str = ""
    """Id of the provider that keeps the response itself; empty: nobody else does."""
    streamed: bool = False
    """Whether the agent asked for a stream, of a response that is made in the background."""

    @property
    def background(self) -> bool:
        """Whether Detour has to see to it that the response is made when the agent has gone."""
        return self.turn.background and not self.keeper


class Leaning(msgspec.Struct, frozen=True):
    """A request and what it leans on, as far as that is known here."""

    request: bytes
    whole: bytes
    """The request as whole as can be, without a word of keeping anything."""
    turn: Turn | None = None
    problem: StateError | None = None
    """Why there is no turn."""

    def send_to(self, destination: Destination) -> tuple[bytes, Remembered | None]:
        """Return the body to send to a provider, and what to remember.

        Raises:
            StateError: The request leans on what neither Detour nor the provider knows.
        """
        provider = destination.provider
        if not self._is_kept_by(destination):
            if self.turn is None:
                assert self.problem is not None
                raise self.problem
            if not self.turn.background:
                return self.whole, Remembered(turn=self.turn)
            streamed = read_reply(self.whole, 0).stream
            body = edit_object(self.whole, {"stream": b"true"})
            return body, Remembered(turn=self.turn, streamed=streamed)
        if self.turn is None:
            return self.request, None
        known = self.turn.keepers <= {provider.id}
        body = self.turn.request if known else self.turn.body
        return body, Remembered(turn=self.turn, keeper=provider.id)

    def _is_kept_by(self, destination: Destination) -> bool:
        if destination.format != NAME:
            return False
        facts = dialect(destination.provider.dialect)
        if self.turn is not None and self.turn.background:
            return facts.keeps_conversations
        return facts.keeps_responses


def lean(request: bytes, history: History) -> Leaning:
    """Find what a request leans on.

    Raises:
        ClientRequestError: It is not what the format allows.
    """
    try:
        turn = history.begin(request)
    except StateError as problem:
        return Leaning(request, request, problem=problem)
    return Leaning(request, turn.stateless(), turn)


def shape(reply: Reply, remembered: Remembered) -> Reply:
    """Let the answer bear an id of ours, and tell of the state that the request spoke of."""
    turn = remembered.turn
    conversation = {"id": turn.conversation} if turn.conversation else None
    stated = {
        "previous_response_id": turn.previous,
        "conversation": conversation,
        "store": turn.stores,
        "background": turn.background,
    }
    return with_state(reply, new_id(), stated)


def remembering(
    items: Items, turn: Turn, keeper: Callable[[], str], history: History, *, stream: bool
) -> Items:
    """Pass an answer on, and remember the finished response before the agent has it.

    Args:
        items: The engine's answer.
        turn: What is to be remembered.
        keeper: Says in the end who keeps the response, see `Remembered`.
        history: Where.
        stream: Whether the answer is a stream.
    """
    if not turn.stores and not turn.conversation:
        return items
    return _watching(items, lambda found: history.finish(turn, found, keeper()), stream=stream)


async def _watching(items: Items, remember: Callable[[bytes], None], *, stream: bool) -> Items:
    succeeded = False
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Head):
                succeeded = item.status == 200
            elif succeeded and (found := final_response(item) if stream else item):
                try:
                    remember(found)
                except Exception:
                    logger.exception("a response could not be remembered")
            yield item
