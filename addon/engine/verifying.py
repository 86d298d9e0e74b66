"""Asks a provider for a word, to see whether address, key and model are right."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec

from addon.engine.answering import answer
from addon.engine.call import Call, Head
from addon.engine.clients import ClientPool
from addon.formats.base import FormatName, RequestLine
from addon.neutral import Message, Request, TextPart
from addon.providers import Destination, Provider, Timeouts
from addon.translation import render_parsed

PATIENCE = 60.0
"""Seconds that a provider may take."""
MOST_TOKENS = 512
"""Enough for models that think before they say anything."""
_QUESTION = Message("user", (TextPart("Reply with the word OK."),))


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one request."""

    provider: str
    format: FormatName
    model: str
    ok: bool
    status: int | None = None
    """None where nobody answered."""
    seconds: float | None = None
    """Until the answer was whole; None where nobody was asked."""
    message: str = ""
    """The provider's own words on failure, or why it could not be asked."""


async def verify(
    provider: Provider, format: FormatName, model: str, key: str | None, clients: ClientPool
) -> Verdict:
    """Send a minimal request to a provider, in one of its formats; never raises.

    Args:
        provider: Whom to ask.
        format: In which of its formats.
        model: Which model.
        key: The key, or None where none is needed.
        clients: How to reach it.
    """
    connect = min(provider.timeouts.connect, 10)
    hurried = msgspec.structs.replace(
        provider, timeouts=Timeouts(connect=connect, first_byte=PATIENCE, total=PATIENCE)
    )
    destination = Destination(hurried, format, provider.base_urls[format], model)
    request = Request(
        model=model, source_format=format, messages=(_QUESTION,), max_output_tokens=MOST_TOKENS
    )
    rendered = render_parsed(request, destination)
    call = Call(
        agent_format=format,
        line=RequestLine(),
        body=rendered.body,
        rendered=rendered,
        destination=destination,
        key_headers=provider.auth_headers(format, key),
    )
    began = asyncio.get_running_loop().time()
    status = None
    async with aclosing(answer(call, clients)) as items:
        async for item in items:
            if isinstance(item, Head):
                status = item.status
    error = call.outcome.error
    understood = call.outcome.model is not None
    message = error.message if error else f"what it answers is not in the format {format}"
    return Verdict(
        provider=provider.id,
        format=format,
        model=model,
        ok=error is None and understood,
        status=status if error is None else error.status,
        seconds=round(asyncio.get_running_loop().time() - began, 3),
        message="" if error is None and understood else message,
    )
