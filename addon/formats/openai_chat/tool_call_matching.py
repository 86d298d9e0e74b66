"""Tells the tool calls of one answer apart, whatever a provider leaves out.

OpenAI numbers the pieces of its calls and gives id and name once, with the first piece. Others
number all calls 0, give no number, no id, a new id with every piece, the name with every piece, or
whole calls at once. The rules, in order:

* a piece belongs to the call of its number, else of its id, else to the last one
* unless it brings a name and the call it would belong to cannot go on: another id, or arguments
  that are complete already
* the first name and the first id of a call count; a missing id is derived from the answer's own
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from addon.formats.openai_chat.chunk import CallPiece
from addon.neutral import ToolCallKind

MOST_CALLS = 4096
"""Calls in one answer; a provider that sends more is broken or hostile."""

_MARK = re.compile(r'["{}\[\]]')
_STRING_MARK = re.compile(r'["\\]')


class JsonProgress:
    """Knows when JSON text that arrives in pieces holds a complete object or array."""

    __slots__ = ("_depth", "_escaped", "_in_string", "began")

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.began = False
        """Whether the first bracket has been seen."""

    @property
    def complete(self) -> bool:
        """Whether every bracket that was opened has been closed."""
        return self.began and self._depth <= 0

    def feed(self, text: str) -> None:
        """Take the next piece."""
        position = 0
        while position < len(text):
            if self._escaped:
                self._escaped = False
                position += 1
                continue
            mark = (_STRING_MARK if self._in_string else _MARK).search(text, position)
            if mark is None:
                return
            position = mark.end()
            character = mark[0]
            if character == '"':
                self._in_string = not self._in_string
            elif character == "\\":
                self._escaped = True
            elif character in "{[":
                self._depth += 1
                self.began = True
            else:
                self._depth -= 1


class Call(msgspec.Struct):
    """One tool call, as far as its pieces have arrived."""

    wire_id: str
    """The id that the provider gave it; empty when it gave none."""
    kind: ToolCallKind
    ordinal: int
    """0 for the first call of the answer, and so on."""
    progress: JsonProgress
    name: str = ""
    part: int | None = None
    """Its index in the hub; None until its name is known."""
    pending: list[str] = []
    """Arguments that wait for the name."""
    pending_size: int = 0
    ended: bool = False

    def spoken(self, arguments: str) -> str:
        """Return the arguments without the `null` that stands for none at all."""
        return "" if arguments == "null" and not self.progress.began else arguments

    def call_id(self, seed: str) -> str:
        """Return the provider's id, or one derived from what tells this answer from others."""
        if self.wire_id:
            return self.wire_id
        text = f"{seed}|{self.ordinal}|{self.name}"
        return f"call_{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:24]}"


class CallTable:
    """The calls of one answer."""

    def __init__(self) -> None:
        self._by_index: dict[int, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._last: Call | None = None
        self._count = 0

    def find(self, piece: CallPiece, name: str, arguments: str) -> Call | None:
        """Return the call that a piece goes on with, or None when it begins another."""
        if piece.index is not None:
            call = self._by_index.get(piece.index)
        else:
            call = self._by_id.get(piece.id or "") or self._last
        if call is None or (name and _is_another(call, piece, arguments)):
            return None
        return call

    def add(self, piece: CallPiece) -> Call | None:
        """Begin the call of a piece; None when there are too many."""
        if self._count >= MOST_CALLS:
            return None
        kind = "custom" if piece.is_custom else "function"
        call = Call(piece.id or "", kind, self._count, JsonProgress())
        self._count += 1
        if piece.index is not None:
            self._by_index[piece.index] = call
        if piece.id:
            self._by_id[piece.id] = call
        self._last = call
        return call


def _is_another(call: Call, piece: CallPiece, arguments: str) -> bool:
    progress = call.progress
    if piece.id and call.wire_id:
        return piece.id != call.wire_id and (progress.complete or not progress.began)
    if piece.index is None:
        return progress.complete or not progress.began
    return progress.complete and bool(arguments)
