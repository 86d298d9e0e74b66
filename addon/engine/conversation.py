"""One request to a provider and its answer as it comes, unpacked but not yet understood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from addon.engine.call import Call
from addon.engine.clients import ClientPool, body_of
from addon.engine.encodings import EncodingError, StackedDecoder
from addon.engine.headers import provider_headers
from addon.formats.base import Headers, header


class Opening(msgspec.Struct, frozen=True):
    """How a provider's answer begins."""

    status: int
    headers: Headers


async def converse(call: Call, clients: ClientPool) -> AsyncGenerator[Opening | bytes]:
    """Send the call and yield an `Opening`, then the body in pieces that are never empty.

    Closing the generator closes the connection, unless the answer had come to its end.

    Raises:
        httpcore2.NetworkError: The provider cannot be reached or breaks off; see
            `ClientPool.open` for more.
        EncodingError: The body is packed in a way that cannot be undone.
    """
    rendered = call.rendered
    response = await clients.open(
        rendered.method, rendered.url, provider_headers(call), rendered.body, call.timeouts
    )
    try:
        opening = Opening(
            response.status,
            tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in response.headers
            ),
        )
        yield opening
        content_encoding = header(opening.headers, "content-encoding")
        decoder = StackedDecoder(content_encoding) if content_encoding else None
        first = True
        async with aclosing(body_of(response)) as chunks:
            async for chunk in chunks:
                if decoder is None:
                    yield chunk
                else:
                    for piece in decoder.decode(chunk):
                        yield piece
                if first:
                    # What the agent waits for goes on before more is read, which may be all of it.
                    first = False
                    await asyncio.sleep(0)
        if decoder is not None and not decoder.complete:
            raise EncodingError(f"the {content_encoding} body ends too early")
    finally:
        await response.aclose()
