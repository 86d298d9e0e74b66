"""What conversations that come again were written as, as far as they have come."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

import msgspec

from addon.neutral import Loss, LossList, Message, Recurring
from addon.wire.codec import encode
from addon.wire.memo import Memo

_CAPACITY = 8 << 20
"""Bytes that the runs of one format may take."""
_OVERHEAD = 500
"""Bytes that a run takes beside its text, about."""

type Run = Sequence[Message]
"""What one side says before the other side speaks again; at least one message."""
type Write[W, S] = Callable[[Run, S, LossList], tuple[list[W], S]]
"""Writes a run as JSON values: returns them and the state after it, and tells the losses."""


class _Written[W, S](msgspec.Struct, frozen=True):
    """Messages, and what they were written as."""

    messages: Run
    """Kept, so that no other message gets the identity of one of these."""
    written: list[W]
    state: S
    """The state after them."""
    losses: tuple[Loss, ...]
    weight: int
    """Bytes, about."""


class WrittenRuns[W, S: Hashable]:
    """Writes conversations run by run; each run of a conversation that comes again only once.

    What a run is written as must depend on nothing but the run, the context and the state that
    the runs before it have left, and nobody may change it.
    """

    __slots__ = ("_conversations", "_runs")

    def __init__(self) -> None:
        self._runs: Memo[tuple[Hashable, ...], _Written[W, S]] = Memo(_CAPACITY)
        self._conversations: Memo[tuple[Hashable, int], _Written[W, S]] = Memo(_CAPACITY)

    def write(
        self,
        messages: Sequence[Message],
        context: Hashable,
        state: S,
        losses: LossList,
        write: Write[W, S],
    ) -> tuple[list[W], S]:
        """Return what a conversation is written as, and the state that it leaves.

        Args:
            messages: The conversation. What is written of `Recurring` messages is remembered.
            context: What else the result depends on.
            state: The state at the beginning.
            losses: Takes what had to be repaired or left out.
            write: Writes a run. What it raises is not remembered.
        """
        if not isinstance(messages, Recurring):
            written: list[W] = []
            for run in _runs(messages, 0):
                pieces, state = write(run, state, losses)
                written += pieces
            return written, state
        return self._continue(messages, context, state, losses, write) if messages else ([], state)

    def _continue(
        self,
        messages: Recurring,
        context: Hashable,
        state: S,
        losses: LossList,
        write: Write[W, S],
    ) -> tuple[list[W], S]:
        """Go on from where the conversation was when it came last."""
        key = (context, id(messages[0]))
        earlier = self._conversations.get(key)
        if earlier is None or not _goes_on(messages, earlier.messages):
            earlier = _Written[W, S]((), [], state, (), 0)
        written, state, weight = list(earlier.written), earlier.state, earlier.weight
        lost = LossList()
        lost.extend(earlier.losses)
        done = begun = len(earlier.messages)
        for run in _runs(messages, begun):
            if begun < done == len(messages) - len(run):  # the last run may go on next time
                so_far = _Written(messages[:done], list(written), state, lost.to_tuple(), weight)
                self._conversations.put(key, so_far, weight)
            known = self._write_run(run, context, state, write)
            written += known.written
            lost.extend(known.losses)
            state = known.state
            weight += known.weight
            done += len(run)
        losses.extend(lost.to_tuple())
        return written, state

    def _write_run(
        self, run: Run, context: Hashable, state: S, write: Write[W, S]
    ) -> _Written[W, S]:
        key = (context, state, *map(id, run))
        known = self._runs.get(key)
        if known is None:
            losses = LossList()
            written, left = write(run, state, losses)
            weight = _OVERHEAD + len(encode(written))
            known = _Written(run, written, left, losses.to_tuple(), weight)
            self._runs.put(key, known, weight)
        return known


def _goes_on(messages: Sequence[Message], earlier: Run) -> bool:
    """Tell whether a conversation begins with the runs of an earlier one."""
    end = len(earlier)
    if messages[:end] != earlier:
        return False
    return end == len(messages) or (messages[end].role == "assistant") != (
        messages[end - 1].role == "assistant"
    )


def _runs(messages: Sequence[Message], begin: int) -> Iterator[Run]:
    """Split what follows the message at `begin` where the other side begins to speak."""
    assistant = False
    for end in range(begin, len(messages)):
        if (messages[end].role == "assistant") != assistant:
            if end > begin:
                yield messages[begin:end]
            begin, assistant = end, not assistant
    if begin < len(messages):
        yield messages[begin:]
