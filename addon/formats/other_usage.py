"""What answers tell of usage at endpoints in which nothing is translated.

Each has its own names for tokens: OpenAI's of now and of before, and llama.cpp's. In streams of
events the last one that tells of it counts, since some tell what has been used so far.
"""

from __future__ import annotations

import msgspec

from addon.neutral import Usage
from addon.wire.sse import SseDecoder, SseOverflowError


class _Counts(msgspec.Struct):
    prompt_tokens: int | None = None
    input_tokens: int | None = None
    completion_tokens: int | None = None
    output_tokens: int | None = None


class _Answer(msgspec.Struct):
    usage: _Counts | None = None
    model: str | None = None
    tokens_evaluated: int | None = None
    tokens_predicted: int | None = None


class Told(msgspec.Struct, frozen=True):
    """What an answer tells of itself."""

    usage: Usage | None = None
    model: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_WORDS = (b'"usage"', b'"tokens_predicted"')
"""One of them is in whatever tells of usage."""


def read_usage(body: bytes) -> Told:
    """Read a whole answer; nothing is told by what is no JSON object."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return Told()
    counts = answer.usage
    if counts is None:
        if answer.tokens_evaluated is None:
            return Told(model=answer.model)
        counts = _Counts(answer.tokens_evaluated, output_tokens=answer.tokens_predicted)
    asked = counts.input_tokens if counts.prompt_tokens is None else counts.prompt_tokens
    said = counts.output_tokens if counts.completion_tokens is None else counts.completion_tokens
    if asked is None and said is None:
        return Told(model=answer.model)
    return Told(Usage(input_tokens=asked, output_tokens=said or 0), answer.model)


class UsageReader:
    """Reads a stream of events, however it is cut."""

    def __init__(self) -> None:
        self._decoder: SseDecoder | None = SseDecoder()
        self.told = Told()
        """What has been told so far."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._decoder is None:
            return
        try:
            events = self._decoder.feed(data)
        except SseOverflowError:
            self._decoder = None
            return
        for event in events:
            if any(word in event.data for word in _WORDS):
                told = read_usage(event.data)
                if told.usage is not None:
                    self.told = Told(told.usage, told.model or self.told.model)
