"""One request to a provider and its answer as it comes, unpacked but not yet understood."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from addon.engine.call import Call
from addon.engine.clients import ClientPool, Response
from addon.engine.encodings import EncodingError, StackedDecoder
from addon.engine.headers import provider_headers
from addon.formats import FORMATS
from addon.formats.base import Headers, header

LONGEST_ERROR = 1 << 20
"""Bytes of an error that are read before anything is done about it."""


class Opening(msgspec.Struct, frozen=True):
    """How a provider's answer begins."""

    status: int
    headers: Headers


def converse(call: Call, clients: ClientPool) -> AsyncGenerator[Opening | bytes]:
    """Send the call and yield an `Opening`, then the body in pieces that are never empty.

    A provider that refuses thoughts of earlier turns is asked once more without them. Closing the
    generator closes the connection, unless the answer had come to its end.

    Raises:
        httpcore2.NetworkError: The provider cannot be reached or breaks off; see
            `ClientPool.open` for more.
        EncodingError: The body is packed in a way that cannot be undone.
        NoTurn: The provider has as many calls as it may have, and as many wait.
    """
    limited = call.destination.provider.concurrency is not None
    return _in_turn(call, clients) if limited else _converse(call, clients)


async def _in_turn(call: Call, clients: ClientPool) -> AsyncGenerator[Opening | bytes]:
    async with (
        clients.turns.turn(call.destination.provider),
        aclosing(_converse(call, clients)) as items,
    ):
        async for item in items:
            yield item


async def _converse(call: Call, clients: ClientPool) -> AsyncGenerator[Opening | bytes]:
    response = await _send(call, clients, call.rendered.body)
    try:
        opening = opening_of(response)
        if opening.status == 400:
            error = await _read(response, opening)
            spoken = FORMATS[call.destination.format]
            body = spoken.without_refused_state(call.rendered.body, error)
            if body is None:
                yield opening
                if error:
                    yield error
                return
            response.close()
            response = await _send(call, clients, body)
            opening = opening_of(response)
        yield opening
        content_encoding = header(opening.headers, "content-encoding")
        decoder = StackedDecoder(content_encoding) if content_encoding else None
        while chunk := await response.read():
            if decoder is None:
                yield chunk
            else:
                for piece in decoder.decode(chunk):
                    yield piece
        if decoder is not None and not decoder.complete:
            raise EncodingError(f"the {content_encoding} body ends too early")
    finally:
        response.close()


async def _send(call: Call, clients: ClientPool, body: bytes) -> Response:
    rendered = call.rendered
    return await clients.open(
        rendered.method, rendered.url, provider_headers(call), body, call.timeouts
    )


def opening_of(response: Response) -> Opening:
    """Return how an answer begins."""
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers
    )
    return Opening(response.status, headers)


async def _read(response: Response, opening: Opening) -> bytes:
    """Read an error to its end, as far as errors go."""
    content_encoding = header(opening.headers, "content-encoding")
    decoder = StackedDecoder(content_encoding) if content_encoding else None
    body = bytearray()
    while chunk := await response.read():
        for piece in (chunk,) if decoder is None else decoder.decode(chunk):
            body += piece
        if len(body) >= LONGEST_ERROR:
            break
    return bytes(body)
