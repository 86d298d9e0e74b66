"""What a provider sent and what the agent got, as it came: how a flow keeps that.

A flow keeps the provider's bytes, of a long stream a beginning and an end, and when which piece of
them came. Of the agent's stream it keeps the times only: its bytes are the body of the response.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from addon.views.metadata import Quiet, elements, mapping
from addon.wire.reading import integer, number, text


class Piece(msgspec.Struct, frozen=True):
    """Bytes that came in one go."""

    time: int
    """In milliseconds from the request's arrival."""
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
    """The agent's stream."""


class Moments:
    """When how many bytes came.

    Of very many pieces, two make one now and then, so that there is a bound to it.
    """

    MOST = 8192

    def __init__(self) -> None:
        self.times = array("d")
        """Seconds by any clock."""
        self.sizes = array("I")

    def add(self, time: float, size: int) -> None:
        """Note that a piece has come."""
        self.times.append(time)
        self.sizes.append(size)
        if len(self.sizes) >= self.MOST:
            self.thin()

    def thin(self) -> None:
        """Make one of every two pieces."""
        pairs = zip(self.sizes[::2], self.sizes[1::2], strict=True)
        self.sizes[:] = array("I", map(sum, pairs))
        self.times[:] = self.times[::2]


def pack(
    began: float,
    takes: Iterable[dict[str, Any]],
    first: Sequence[tuple[float, bytes]],
    last: Sequence[tuple[float, bytes]],
    left_out: int,
    agent: Moments,
    secrets: Iterable[str] = (),
) -> Quiet:
    """Make what a flow keeps.

    Args:
        began: When the request came, by the clock of all times here, in seconds.
        takes: `time`, `provider`, `model`, `format` and `status` of each answer.
        first: The beginning of the provider's stream.
        last: Its end.
        left_out: How many bytes are missing between the two.
        agent: When the agent got how many bytes.
        secrets: What must not be kept; as many asterisks take its place.
    """
    return Quiet(
        began=began,
        takes=[dict(take) for take in takes],
        first=mask(b"".join(data for _, data in first), secrets),
        first_times=_to_bytes(array("d", (time for time, _ in first))),
        first_sizes=_to_bytes(array("I", (len(data) for _, data in first))),
        last=mask(b"".join(data for _, data in last), secrets),
        last_times=_to_bytes(array("d", (time for time, _ in last))),
        last_sizes=_to_bytes(array("I", (len(data) for _, data in last))),
        left_out=left_out,
        agent_times=_to_bytes(agent.times),
        agent_sizes=_to_bytes(agent.sizes),
    )


def unpack(kept: object, answer: bytes) -> Timeline:
    """Read what a flow keeps; whatever is there, nothing is raised.

    Args:
        kept: What `pack` has made, or anything else.
        answer: The body of the flow's response: the agent's stream.
    """
    found = mapping(kept)
    began = number(found.get("began")) or 0.0
    first = _cut(found, "first", _content(found.get("first")), began)
    last = _cut(found, "last", _content(found.get("last")), began)
    return Timeline(
        takes=tuple(_take(mapping(take), began) for take in elements(found.get("takes"))),
        provider=(*first, *last),
        left_out=integer(found.get("left_out")) or 0,
        resumes=len(first),
        agent=tuple(_cut(found, "agent", answer, began)),
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
            if found in data:
                data = data.replace(found, b"*" * len(found))
            for size in range(len(found) - 1, SHORTEST_SECRET - 1, -1):
                if data.endswith(found[:size]):
                    data = data[:-size] + b"*" * size
                if data.startswith(found[-size:]):
                    data = b"*" * size + data[size:]
    return data


def _to_bytes(values: array[float] | array[int]) -> bytes:
    """Write numbers in the byte order of files: little-endian."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def _from_bytes(kind: str, kept: object) -> list[Any]:
    values: array[Any] = array(kind)
    data = _content(kept)
    values.frombytes(data[: len(data) // values.itemsize * values.itemsize])
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def _cut(found: dict[Any, Any], name: str, data: bytes, began: float) -> list[Piece]:
    """Cut a stream into the pieces in which it came."""
    times = _from_bytes("d", found.get(f"{name}_times"))
    sizes = _from_bytes("I", found.get(f"{name}_sizes"))
    pieces: list[Piece] = []
    start = 0
    for time, size in zip(times, sizes, strict=False):
        if piece := data[start : start + size]:
            pieces.append(Piece(_milliseconds(time - began), piece))
        start += size
    return pieces


def _take(kept: dict[Any, Any], began: float) -> Take:
    return Take(
        _milliseconds((number(kept.get("time")) or 0.0) - began),
        f"{text(kept.get('provider'))}:{text(kept.get('model'))}",
        text(kept.get("format")),
        integer(kept.get("status")) or 0,
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000) if abs(seconds) < 1e9 else 0


def _content(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
