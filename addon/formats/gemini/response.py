"""Read a whole answer of `generateContent`, or the chunks of one in a JSON array."""

from __future__ import annotations

from addon.formats.gemini.errors import find_error as find_error_object
from addon.formats.gemini.finish_reasons import broken_answer, read_reason
from addon.formats.gemini.stream_decoder import GeminiDecoder
from addon.neutral import ErrorInfo, Loss, ProviderResponseError, Response, fold
from addon.wire.codec import decode
from addon.wire.reading import mapping, sequence, text

_FIELDS = ("candidates", "promptFeedback", "usageMetadata")


def parse_response(body: bytes) -> tuple[Response, tuple[Loss, ...]]:
    """Read a whole answer.

    Raises:
        ProviderResponseError: It is not a Gemini answer.
    """
    try:
        value = decode(body)
    except ValueError:
        value = None
    chunks = [mapping(chunk) for chunk in (sequence(value) or [value])]
    if not any(field in chunk for chunk in chunks for field in _FIELDS):
        raise ProviderResponseError("the provider's answer is not a Gemini response")
    decoder = GeminiDecoder()
    response = fold(decoder.read_whole(chunks))
    if isinstance(response, ErrorInfo):
        raise ProviderResponseError(response.message)
    return response, decoder.losses


def find_error(body: bytes) -> ErrorInfo | None:
    """Return the error that a body with status 200 holds, or None for a real answer.

    A call that the model botched is one: the answer has nothing to act on.
    """
    error = find_error_object(body)
    if error is not None:
        return error
    try:
        value = decode(body)
    except ValueError:
        return None
    for chunk in map(mapping, sequence(value) or [value]):
        for candidate in map(mapping, sequence(chunk.get("candidates"))[:1]):
            reason = read_reason(candidate.get("finishReason"))
            broken = broken_answer(reason, text(candidate.get("finishMessage")))
            if broken is not None:
                return broken
    return None
