"""What a provider sent and what the agent got, as it came: how a flow keeps that.

A flow keeps the provider's bytes, of a long stream a beginning and an end, and when which piece of
them came. Of the agent's stream it keeps the times only: its bytes are the body of the response.
Times are milliseconds from the request's arrival. Lists of pieces are kept as JSON text, which
takes little room and is quickly written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from addon.views.metadata import Quiet, elements, mapping
from addon.wire.codec import decode, encode_text
from addon.wire.reading import integer, text


class Piece(msgspec.Struct, frozen=True):
    """Bytes that came in one go."""

    time: int
    """In milliseconds."""
    data: bytes


class Take(msgspec.Struct, frozen=True):
    """One answer of a provider, of which there are several after failures."""

    time: int
    target: str
    format: str
    status: int


class Timeline(msgspec.Struct, frozen=True):
    """Both streams of an exchange."""

    takes: tuple[Take, ...] = ()
    provider: tuple[Piece, ...] = ()
    """What is kept of the provider's stream."""
    left_out: int = 0
    """Bytes of it that are not kept."""
    resumes: int = 0
    """Place of the first piece that came after those."""
    agent: tuple[Piece, ...] = ()
    """What is known of the agent's stream."""
    agent_left_out: int = 0
    agent_resumes: int = 0


type Mark = tuple[float, int]
"""Seconds, and how many bytes came then."""


def pack(
    takes: Iterable[dict[str, Any]],
    first: Sequence[tuple[float, bytes]],
    last: Sequence[tuple[float, bytes]],
    left_out: int,
    marks: tuple[Sequence[Mark], Sequence[Mark]],
    secrets: Iterable[str] = (),
) -> Quiet:
    """Make what a flow keeps; times are seconds.

    Args:
        takes: `seconds`, `provider`, `model`, `format` and `status` of each answer.
        first: The beginning of the provider's stream.
        last: Its end.
        left_out: How many bytes are missing between the two.
        marks: When the agent got how many bytes: the first times, and the last ones.
        secrets: What must not be kept; as many asterisks take its place.
    """
    return Quiet(
        takes=[dict(take) for take in takes],
        first=mask(b"".join(data for _, data in first), secrets),
        first_pieces=_pack_marks([(time, len(data)) for time, data in first]),
        last=mask(b"".join(data for _, data in last), secrets),
        last_pieces=_pack_marks([(time, len(data)) for time, data in last]),
        left_out=left_out,
        agent_first=_pack_marks(marks[0]),
        agent_last=_pack_marks(marks[1]),
    )


def unpack(kept: object, answer: bytes) -> Timeline:
    """Read what a flow keeps; whatever is there, nothing is raised.

    Args:
        kept: What `pack` has made, or anything else.
        answer: The body of the flow's response: the agent's stream.
    """
    found = mapping(kept)
    first = _cut(_content(found.get("first")), _unpack_marks(found.get("first_pieces")))
    last = _cut(_content(found.get("last")), _unpack_marks(found.get("last_pieces")))
    marks = _unpack_marks(found.get("agent_first"))
    last_marks = _unpack_marks(found.get("agent_last"))
    known = sum(size for _, size in marks)
    end = max(len(answer) - sum(size for _, size in last_marks), known)
    agent = _cut(answer[:known], marks)
    return Timeline(
        takes=tuple(_take(mapping(take)) for take in elements(found.get("takes"))),
        provider=(*first, *last),
        left_out=integer(found.get("left_out")) or 0,
        resumes=len(first),
        agent=(*agent, *_cut(answer[end:], last_marks)),
        agent_left_out=max(len(answer[known:end]), 0),
        agent_resumes=len(agent),
    )


SHORTEST_SECRET = 8
"""Characters; what is shorter, such as `Bearer`, is no key, and may stand in any text."""


def mask(data: bytes, secrets: Iterable[str]) -> bytes:
    """Put asterisks in the place of secrets, so that all else stays where it is.

    A secret that is cut off at either end counts as one too.
    """
    for secret in secrets:
        for word in secret.split():
            if len(word) < SHORTEST_SECRET:
                continue
            found = word.encode("utf-8", "surrogateescape")
            data = data.replace(found, b"*" * len(found))
            for size in range(len(found) - 1, SHORTEST_SECRET - 1, -1):
                if data.endswith(found[:size]):
                    data = data[:-size] + b"*" * size
                if data.startswith(found[-size:]):
                    data = b"*" * size + data[size:]
    return data


def _pack_marks(marks: Iterable[Mark]) -> str:
    return encode_text([(round(time * 1000), size) for time, size in marks])


def _unpack_marks(kept: object) -> list[tuple[int, int]]:
    try:
        found = elements(decode(text(kept)))
    except ValueError:
        return []
    marks: list[tuple[int, int]] = []
    for pair in found:
        time, size = (*elements(pair), None, None)[:2]
        if type(time) is int and type(size) is int and size >= 0:
            marks.append((time, size))
    return marks


def _cut(data: bytes, marks: Iterable[tuple[int, int]]) -> list[Piece]:
    pieces: list[Piece] = []
    start = 0
    for time, size in marks:
        if piece := data[start : start + size]:
            pieces.append(Piece(time, piece))
        start += size
    return pieces


def _take(kept: dict[Any, Any]) -> Take:
    seconds = kept.get("seconds")
    return Take(
        round(seconds * 1000) if type(seconds) is float and abs(seconds) < 1e9 else 0,
        f"{text(kept.get('provider'))}:{text(kept.get('model'))}",
        text(kept.get("format")),
        integer(kept.get("status")) or 0,
    )


def _content(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
