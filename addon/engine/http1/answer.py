"""An answer while it comes.

Bytes are parsed as they arrive, in the callback that brings them, and wait as pieces of the body
for whoever reads: a stream that is filled by one task and read by another would cost a turn of the
event loop more for each of its pieces.
"""

from __future__ import annotations

import asyncio
from typing import Literal, Protocol

import httpcore2
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

type RawHeaders = list[tuple[bytes, bytes]]

LONGEST_HEAD = 100 * 1024
"""Bytes of an answer's head that are read before it is called none."""
MOST_WAITING = 256 * 1024
"""Bytes of a body that wait to be read before no more is taken from the network."""
_SWITCHING = 101
_SLOPPY = {
    "lenient_chunked_length": True,
    "lenient_data_after_close": True,
    "lenient_optional_cr_before_lf": True,
    "lenient_optional_lf_after_cr": True,
}
"""What small servers get wrong without anybody noticing: the connection serves nobody else."""


class Line(Protocol):
    """The connection on which an answer comes."""

    def pause(self) -> None:
        """Read no more for now."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...

    async def write(self, data: bytes) -> None:
        """Send something."""
        ...

    def leave(self, answer: Answer) -> None:
        """The answer has been read, or nobody wants the rest of it."""
        ...


class Answer:
    """An answer as it comes: its head first, then its body in pieces."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(**_SLOPPY)
        self.status = 0
        """The status code, once the head is there."""
        self.headers: RawHeaders = []
        """Names as they were written, and values."""
        self._phase: Literal["head", "body", "whole", "switched"] = "head"
        self._head_size = 0
        self._interim = False
        self._ended = False
        """Whether nothing more comes from the network."""
        self._keeps_alive = False
        self._surplus = False
        """Whether something came after the end of the answer."""
        self._failure: Exception | None = None
        self._pieces: list[bytes] = []
        self._waiting = 0
        """Bytes in those pieces."""
        self._paused = False
        self._reader: asyncio.Future[None] | None = None

    @property
    def can_be_followed(self) -> bool:
        """Whether the connection can serve another call after this one."""
        whole = self._phase == "whole" and not self._pieces
        return whole and self._keeps_alive and not self._surplus and not self._ended

    async def wait_for_head(self) -> None:
        """Wait until status and headers are there.

        Raises:
            httpcore2.NetworkError: The connection breaks off.
            httpcore2.ProtocolError: What comes is no answer.
        """
        while self._phase == "head":
            if self._failure is not None:
                raise self._failure
            if self._ended:
                raise httpcore2.RemoteProtocolError("the connection was closed without an answer")
            await self._wait()

    async def read(self) -> bytes:
        """Return the next piece of the body, or of what follows a head of status 101; b"": the end.

        Raises:
            httpcore2.NetworkError: The connection breaks off.
            httpcore2.ProtocolError: The body ends too early, or is not what its head says.
        """
        while not self._pieces:
            if self._failure is not None:
                raise self._failure
            if self._phase == "whole" or (self._ended and self._phase == "switched"):
                return b""
            if self._ended:
                if not self._ends_with_connection():
                    message = "the connection was closed within the body"
                    raise httpcore2.RemoteProtocolError(message)
                self._phase = "whole"
                return b""
            await self._wait()
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        if self._paused:
            self._paused = False
            self._connection.resume()
        return data

    async def write(self, data: bytes) -> None:
        """Send something on a connection that speaks another protocol since a head of status 101.

        Raises:
            httpcore2.WriteError: Nobody listens any more.
        """
        if self._ended:
            raise httpcore2.WriteError("the connection was closed")
        await self._connection.write(data)

    def close(self) -> None:
        """Leave the connection to the next call, or close it where something is left to come."""
        self._connection.leave(self)
        self._parser = None  # it knows this answer, too: nobody should have to find the circle

    # What the connection says

    def take(self, data: bytes) -> None:
        """Bytes have come."""
        if self._phase == "switched":
            self._add(data)
        elif self._phase == "whole":
            self._surplus = True
        elif self._failure is None:
            self._parse(data)
        self._wake()

    def end(self, error: Exception | None) -> None:
        """Nothing more comes."""
        self._ended = True
        if error is not None and self._phase in ("head", "body") and self._failure is None:
            self._failure = httpcore2.ReadError(str(error))
            self._failure.__cause__ = error
        self._wake()

    def _parse(self, data: bytes) -> None:
        if self._phase == "head":
            self._head_size += len(data)
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._phase = "switched"
            self._add(data[upgrade.args[0] :])
        except HttpParserError as error:
            if self._phase == "whole":
                self._surplus = True
            else:
                self._failure = httpcore2.RemoteProtocolError(str(error))
        if self._phase == "head" and self._head_size > LONGEST_HEAD and self._failure is None:
            self._failure = httpcore2.RemoteProtocolError("the head of the answer has no end")

    def _add(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._waiting += len(data)
            if self._waiting > MOST_WAITING and not self._paused:
                self._paused = True
                self._connection.pause()

    async def _wait(self) -> None:
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _ends_with_connection(self) -> bool:
        """Tell whether the head gives no other sign of the body's end."""
        names = {name.lower() for name, _ in self.headers}
        return not names & {b"content-length", b"transfer-encoding"}

    # What the parser says

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._phase == "whole":
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has come, or a trailer, which nobody wants."""
        if self._phase == "head":
            self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._phase != "head":
            return
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200 and status != _SWITCHING:
            self._interim = True
            self.headers.clear()
            return
        self.status = status
        self._keeps_alive = self._parser.should_keep_alive()
        self._phase = "body"

    def on_body(self, body: bytes) -> None:
        """A piece of the body has come."""
        if self._phase == "body":
            self._add(body)

    def on_message_complete(self) -> None:
        """The answer is whole, or an interim one is."""
        if self._interim:
            self._interim = False
        elif self._phase == "body" and self.status != _SWITCHING:
            self._phase = "whole"
