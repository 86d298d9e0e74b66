"""Messages in frames, as a server exchanges them with mitmproxy's own WebSocket layer.

That layer checks the agent's frames, shows the messages and frames them anew, so what comes in here
is sound, and what goes out may stay uncompressed: it is compressed on its way to the agent, where
that was agreed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from wsproto.connection import Connection, ConnectionType
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

_TEXT = 0x81
"""A whole text message in one frame."""


class Oddity(enum.Enum):
    """What came in place of a message."""

    BINARY = enum.auto()
    TOO_LARGE = enum.auto()
    CLOSED = enum.auto()


class Framing:
    """One side's state of a connection."""

    def __init__(self, deflate: PerMessageDeflate | None, limit: int) -> None:
        """Begin after the handshake.

        Args:
            deflate: How incoming messages are compressed.
            limit: Most bytes that a message may have, unpacked.
        """
        self._connection = Connection(ConnectionType.SERVER, [deflate] if deflate else [])
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._answers: list[bytes] = []

    def receive(self, data: bytes) -> Iterator[bytes | Oddity]:
        """Take bytes, cut anywhere, and yield the messages that they complete."""
        self._connection.receive_data(data)
        for event in self._connection.events():
            if (received := self._receive(event)) is not None:
                yield received
                if received is Oddity.CLOSED:
                    return

    def take_answers(self) -> list[bytes]:
        """Return the frames that are due because of what came in."""
        answers, self._answers = self._answers, []
        return answers

    def ping(self) -> bytes:
        """Return a frame that asks for a sign of life."""
        return self._connection.send(Ping())

    def close(self, code: int, reason: str) -> bytes:
        """Return the frame that ends the connection."""
        return self._connection.send(CloseConnection(code, reason))

    def _receive(self, event: Event) -> bytes | Oddity | None:
        match event:
            case TextMessage() | BytesMessage():
                return self._receive_piece(event)
            case Ping():
                self._answers.append(self._connection.send(event.response()))
            case CloseConnection():
                return Oddity.CLOSED
            case _:
                pass
        return None

    def _receive_piece(self, event: TextMessage | BytesMessage) -> bytes | Oddity | None:
        piece = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
        self._size += len(piece)
        if self._size <= self._limit:
            self._pieces.append(piece)
        else:
            self._pieces.clear()
        if not event.message_finished:
            return None
        message, size = b"".join(self._pieces), self._size
        self._pieces, self._size = [], 0
        if isinstance(event, BytesMessage):
            return Oddity.BINARY
        return message if size <= self._limit else Oddity.TOO_LARGE


def text_frame(message: bytes) -> bytes:
    """Return a frame that holds a whole text message."""
    length = len(message)
    if length < 126:
        return bytes((_TEXT, length)) + message
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2) + message
    return b"\x81\x7f" + length.to_bytes(8) + message
