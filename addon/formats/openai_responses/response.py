"""A whole answer of `POST /v1/responses`, in and out.

Both ways by the code that reads and writes streams, so that the two can never differ.
"""

from __future__ import annotations

from addon.formats.base import Reply
from addon.formats.openai_responses.answer_reader import AnswerReader
from addon.formats.openai_responses.stream_decoder import ResponsesDecoder
from addon.formats.openai_responses.stream_encoder import ResponsesEncoder
from addon.neutral import (
    ErrorInfo,
    HostedCallPart,
    ImagePart,
    Loss,
    LossList,
    NativePart,
    ProviderResponseError,
    ReasoningPart,
    RefusalPart,
    Response,
    TextPart,
    ToolCallPart,
    fold,
    unfold,
)
from addon.wire.codec import decode_object, encode

_EXPRESSIBLE = (TextPart, RefusalPart, ReasoningPart, ToolCallPart, HostedCallPart)


def parse_response(body: bytes) -> tuple[Response, tuple[Loss, ...]]:
    """Read a whole answer.

    Raises:
        ProviderResponseError: It is not an answer in this format, or a failed one.
    """
    wire = decode_object(body)
    if wire is None:
        decoder = ResponsesDecoder()
        events, losses = decoder.feed(body) + decoder.feed_eof(), decoder.losses
    elif isinstance(wire.get("output"), list):
        reader = AnswerReader()
        events = reader.end(wire)
        losses = reader.losses.to_tuple()
    else:
        raise ProviderResponseError("the provider's answer holds no `output`")
    folded = fold(events)
    if isinstance(folded, ErrorInfo):
        raise ProviderResponseError(f"the provider's answer cannot be read: {folded.message}")
    return folded, losses


def render_response(response: Response, reply: Reply) -> tuple[bytes, tuple[Loss, ...]]:
    """Write a whole answer."""
    losses = LossList()
    for part in response.parts:
        if isinstance(part, NativePart):
            losses.dropped(part.kind, "exists at its own provider only")
        elif isinstance(part, ImagePart) or not isinstance(part, _EXPRESSIBLE):
            losses.dropped("output", f"{type(part).__name__} has no place in an answer")
    encoder = ResponsesEncoder(reply)
    for event in unfold(response):
        encoder.encode(event)
    losses.extend(encoder.losses)
    return encode(encoder.final), losses.to_tuple()
