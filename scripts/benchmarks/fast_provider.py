"""A provider that costs next to nothing, run as a process of its own.

It answers every POST with a stream or a whole message in Anthropic's format, whatever the request
says, but for a directive that may stand anywhere in it: `[[answer EVENTS MICROSECONDS DELAY]]` is a
stream of so many text deltas, that far apart, after so many milliseconds. A paced delta tells when
it was sent, on the clock that all processes of the machine share: `@NANOSECONDS`.

Started with the file of a key and certificate as its argument, it prints its port, and ends when
its standard input does.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
import time
from functools import cache

from benchmarks import answers, conversations

_DIRECTIVE = re.compile(rb"\[\[answer (\d+) (\d+) (\d+)\]\]")
_STREAMED = b'"stream":true'
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STAMP = b"@" + b"0" * 19 + b" "
"""Stands where a paced delta tells its time."""

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"request-id: req_01\r\ntransfer-encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


def directive(events: int, microseconds: int = 0, delay: int = 0) -> str:
    """Ask for a stream of so many text deltas, so far apart, after `delay` milliseconds."""
    return f"[[answer {events} {microseconds} {delay}]] "


@cache
def script() -> tuple[bytes, bytes, bytes]:
    """Return what comes before the deltas, a delta, and what comes after them."""
    before, after = answers.anthropic_events([("text", 0)]), []
    while b"content_block_start" not in before[-1]:
        after.insert(0, before.pop())
    delta = {"type": "text_delta", "text": _STAMP.decode() + answers.WORDS[1]}
    event = answers.anthropic_event("content_block_delta", index=0, delta=delta)
    return _chunks(before), _chunk(event), _chunks(after)


@cache
def whole_stream(events: int) -> bytes:
    """Return an unpaced stream with its head, one HTTP chunk per event."""
    before, delta, after = script()
    return STREAM_HEAD + before + delta * events + after + END


@cache
def whole_answer() -> bytes:
    """Return an answer that is not streamed, with its head."""
    body = answers.anthropic_answer(conversations.prose(1000))
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Provider(asyncio.Protocol):
    """Serves one connection, request after request."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is complete."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) >= end:
            request = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if _STREAMED not in request:
            self._transport.write(whole_answer())
            return
        wish = _DIRECTIVE.search(request)
        events, microseconds, delay = map(int, wish.groups()) if wish else (20, 0, 0)
        if microseconds:
            task = asyncio.create_task(self._stream(events, microseconds / 1e6))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif delay:
            loop = asyncio.get_running_loop()
            loop.call_later(delay / 1e3, self._transport.write, whole_stream(events))
        else:
            self._transport.write(whole_stream(events))

    async def _stream(self, events: int, pause: float) -> None:
        before, delta, after = script()
        clock = asyncio.get_running_loop().time
        self._transport.write(STREAM_HEAD + before)
        due = clock()
        for _ in range(events):
            due += pause
            await asyncio.sleep(max(0.0, due - clock()))
            # As long as the stamp it replaces, so that the chunk's length stays true.
            self._transport.write(delta.replace(_STAMP, b"@%019d " % time.monotonic_ns()))
        self._transport.write(after + END)


def _chunk(event: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(event), event)


def _chunks(events: list[bytes]) -> bytes:
    return b"".join(map(_chunk, events))


async def main(certificate: str) -> None:
    """Serve until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", 0, ssl=context, backlog=512)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
