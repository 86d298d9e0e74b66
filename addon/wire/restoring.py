"""Put state that was carried home, or kept, back among the parts of a message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from addon.neutral import OpaqueState, Part, ReasoningPart, TextPart, ToolCallPart
from addon.wire.carrier import Carried, is_ours, read

_TAGGED = re.compile(r"\s*<(?P<tag>think|thinking)>(?P<thought>.*?)</(?P=tag)>\s*", re.DOTALL)
"""How agents return thoughts that their format has no place for; pydantic-ai is one."""


class Unpacker:
    """Takes the pieces of one conversation's envelopes as they come along."""

    def __init__(self) -> None:
        self._signed_calls: dict[str, OpaqueState] = {}

    @property
    def found_calls(self) -> bool:
        """Whether any piece signs a call, so that `sign_calls` has work to do."""
        return bool(self._signed_calls)

    def take(self, piece: Carried, parts: list[Part]) -> None:
        """Put a piece behind the parts that precede its envelope in the same message."""
        if piece.call_id:
            if piece.state is not None:
                self._signed_calls[piece.call_id] = piece.state
        elif piece.signs_text:
            for index in reversed(range(len(parts))):
                part = parts[index]
                if isinstance(part, TextPart):
                    parts[index] = msgspec.structs.replace(part, state=piece.state)
                    break
        elif piece.text or piece.state is not None:
            parts.append(ReasoningPart(piece.text, piece.state))

    def sign_calls(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """Return the parts with the state of their calls."""
        return tuple(
            msgspec.structs.replace(part, state=self._signed_calls[part.call_id])
            if isinstance(part, ToolCallPart) and part.call_id in self._signed_calls
            else part
            for part in parts
        )


def open_envelopes(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return an assistant message's parts with what the envelopes among their states hold.

    For formats whose own signatures are the carrier: an envelope on a thought vouches for its
    words, one on a call or a text holds the thoughts before it and where they stood.
    """
    for part in parts:
        if _envelope(part):
            break
    else:
        return tuple(parts)
    opened: list[Part] = []
    told = 0
    """Where the parts begin that no envelope has told of yet."""
    unpacker = Unpacker()
    for part in parts:
        envelope = _envelope(part)
        if not envelope:
            opened.append(part)
            continue
        pieces = read(envelope) or ()
        if isinstance(part, ReasoningPart):
            for piece in pieces or (Carried(),):
                words = "" if piece.call_id or piece.signs_text else piece.text or part.text
                unpacker.take(msgspec.structs.replace(piece, text=words), opened)
            continue
        opened[told:] = _opened(part, pieces, opened[told:])
        told = len(opened)
    return unpacker.sign_calls(opened)


def _opened(part: Part, pieces: tuple[Carried, ...], before: list[Part]) -> Sequence[Part]:
    """Return a call or a text that carries an envelope, and what stands before it."""
    signed = _with_state(part, next((p.state for p in pieces if _is_mark(p) and p.state), None))
    if all(map(_is_mark, pieces)):
        return [*before, signed]
    marks = [Carried(call_id=part.call_id)] if isinstance(part, ToolCallPart) else []
    inner = [
        msgspec.structs.replace(piece, state=None) if piece.signs_text else piece
        for piece in pieces
        if not piece.call_id
    ]
    return restore([*before, signed], (*inner, *marks))


def restore(parts: Sequence[Part], pieces: Iterable[Carried]) -> tuple[Part, ...]:
    """Return an assistant message's parts with all that its answer held beside them.

    Args:
        parts: What the agent returned; thoughts in it are replaced by those of `pieces`, also where
            it returned them as words between tags.
        pieces: What the answer held, in its order: thoughts, and for each text and call a piece
            that marks its place and may sign it.
    """
    pieces = tuple(pieces)
    told = {piece.text.strip() for piece in pieces if not _is_mark(piece)}
    kept = [
        shown
        for part in parts
        if not isinstance(part, ReasoningPart)
        and (shown := _without_thoughts(part, told) if told else part) is not None
    ]
    restored: list[Part] = []
    thoughts: list[Part] = []
    position = 0
    for piece in pieces:
        if not _is_mark(piece):
            thoughts.append(ReasoningPart(piece.text, piece.state))
            continue
        place = _place(piece, kept, position)
        if place is None:
            continue
        restored += kept[position:place]
        restored += thoughts
        restored.append(_signed(kept[place], piece.state))
        thoughts = []
        position = place + 1
    return (*restored, *thoughts, *kept[position:])


def _without_thoughts(part: Part, told: set[str]) -> Part | None:
    """Return a part without the tagged thoughts that it begins with; None where nothing is left."""
    if not isinstance(part, TextPart):
        return part
    words = part.text
    while (found := _TAGGED.match(words)) and found["thought"].strip() in told:
        words = words[found.end() :]
    if words is part.text:
        return part
    return msgspec.structs.replace(part, text=words) if words else None


def _place(piece: Carried, parts: Sequence[Part], start: int) -> int | None:
    """Find the part that a piece stands for; words may have been joined or left out."""
    for index in range(start, len(parts)):
        part = parts[index]
        if piece.signs_text:
            return index if isinstance(part, TextPart) else None
        if isinstance(part, ToolCallPart) and part.call_id == piece.call_id:
            return index
    return None


def _signed(part: Part, state: OpaqueState | None) -> Part:
    return part if state is None else _with_state(part, state)


def _with_state(part: Part, state: OpaqueState | None) -> Part:
    if isinstance(part, (TextPart, ToolCallPart)):
        return msgspec.structs.replace(part, state=state)
    return part


def _envelope(part: Part) -> str:
    state: OpaqueState | None = getattr(part, "state", None)
    return state.data if state is not None and is_ours(state.data) else ""


def _is_mark(piece: Carried) -> bool:
    """Tell a piece that stands for words or a call from a thought."""
    return bool(piece.call_id) or piece.signs_text
