"""Turns the pieces of tool calls into events.

A call is ended as soon as another begins and its arguments are complete JSON. So an encoder that
writes one part at a time need not hold the calls back, while pieces that interleave stay correct.
"""

from __future__ import annotations

from collections.abc import Callable

from addon.formats.openai_chat.chunk import CallPiece, thought_signature
from addon.formats.openai_chat.content_parsing import NAME
from addon.formats.openai_chat.tool_call_matching import MOST_CALLS, Call, CallTable
from addon.neutral import (
    Event,
    LossList,
    OpaqueState,
    PartEnd,
    PartStart,
    SignatureDelta,
    ToolCallDelta,
)

_MOST_PENDING = 1 << 20
"""Characters of arguments that may wait for the name of their call."""


class ToolCallTracker:
    """The tool calls of one answer."""

    def __init__(
        self, begin_part: Callable[[list[Event]], int], seed: Callable[[], str], losses: LossList
    ) -> None:
        """Prepare for one answer.

        Args:
            begin_part: Closes what cannot stand beside a call and returns the next part's index.
            seed: Returns what tells this answer from others, to derive missing ids from.
            losses: Receives what cannot be kept.
        """
        self._begin_part = begin_part
        self._seed = seed
        self._losses = losses
        self._table = CallTable()
        self._open: list[Call] = []
        self.called = False
        """Whether the answer holds a tool call."""

    def read(self, piece: CallPiece, events: list[Event]) -> None:
        """Take one entry of `tool_calls`."""
        name, arguments = piece.name_and_arguments()
        call = self._table.find(piece, name, arguments)
        if call is None:
            self.end_complete(events)
            call = self._table.add(piece)
            if call is None:
                self._losses.dropped("tool_calls", f"more than {MOST_CALLS} calls in one answer")
                return
            self._open.append(call)
        arguments = call.spoken(arguments)
        if name and not call.name:
            call.name = name
        if call.part is None:
            if not call.name and call.pending_size < _MOST_PENDING:
                call.pending.append(arguments)
                call.pending_size += len(arguments)
                return
            self._start(call, events)
        self._append(call, arguments, events)
        signature = thought_signature(piece.extra_content)
        if signature and call.part is not None and not call.ended:
            events.append(SignatureDelta(call.part, OpaqueState(NAME, signature)))

    def end_complete(self, events: list[Event]) -> None:
        """End the calls that have nothing more to say, since something else begins."""
        still_open: list[Call] = []
        for call in self._open:
            if call.progress.complete:
                self._end(call, events)
            else:
                still_open.append(call)
        self._open = still_open

    def end_all(self, events: list[Event]) -> None:
        """End every call: the answer is complete."""
        for call in self._open:
            self._end(call, events)
        self._open = []

    def _start(self, call: Call, events: list[Event]) -> None:
        part = self._begin_part(events)
        call.part = part
        self.called = True
        call_id = call.call_id(self._seed())
        events.append(PartStart(part, "tool_call", call_id, call.name, call.kind))
        pending, call.pending = call.pending, []
        for arguments in pending:
            self._append(call, arguments, events)

    def _append(self, call: Call, arguments: str, events: list[Event]) -> None:
        if not arguments or call.part is None:
            return
        if call.kind == "function":
            if call.progress.complete:
                if arguments.strip():
                    self._losses.dropped(
                        "tool_calls.function.arguments", "text after complete arguments"
                    )
                return
            call.progress.feed(arguments)
        events.append(ToolCallDelta(call.part, arguments))

    def _end(self, call: Call, events: list[Event]) -> None:
        call.ended = True
        if call.part is None:
            if not call.pending_size:
                self._losses.dropped("tool_calls", "a call without name and arguments")
                return
            self._start(call, events)
        if call.part is not None:
            events.append(PartEnd(call.part))
