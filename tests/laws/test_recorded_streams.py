"""Every recorded stream, translated to every other format, under all kinds of cutting.

For each: no exception, output that does not depend on the cuts, a legal stream with one end, the
official SDK's approval, and the same content as the plain translation of the same answer.
"""

from __future__ import annotations

import itertools
import random
import re
from unittest import mock

import pytest

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import ErrorInfo, EventChecker, fold
from addon.translation import StreamTranslator, render_answer
from tests.support.official import (
    anthropic_facts,
    chat_facts,
    gemini_facts,
    read_anthropic_answer,
    read_anthropic_stream,
    read_chat_answer,
    read_chat_stream,
    read_gemini_answer,
    read_gemini_stream,
    read_responses_answer,
    read_responses_stream,
    responses_facts,
)
from tests.support.recordings import needs_recordings, recordings

REQUEST = b'{"model":"asked-for","stream":true,"stream_options":{"include_usage":true}}'
RANDOM_CUTTINGS = 3
JUDGES = {
    "openai-chat": (read_chat_stream, read_chat_answer, chat_facts),
    "openai-responses": (read_responses_stream, read_responses_answer, responses_facts),
    "anthropic": (read_anthropic_stream, read_anthropic_answer, anthropic_facts),
    "gemini": (read_gemini_stream, read_gemini_answer, gemini_facts),
}
PAIRS = [(source, target) for source in JUDGES for target in JUDGES if source != target]
LINE = RequestLine("/v1beta/models/asked-for:streamGenerateContent", "alt=sse")
"""Gemini keeps in it what the others say in the body."""


@pytest.fixture(autouse=True, scope="module")
def clock_that_stands_still():
    """Translate a stream many times at one moment, which is in what a provider has not dated."""
    with mock.patch("time.time", return_value=1_790_000_000.0):
        yield


def translate(chunks, source, target):
    translator = StreamTranslator(source, target, REQUEST, line=LINE)
    output = b"".join([*map(translator.feed, chunks), translator.close()])
    assert translator.ended
    assert translator.close() == b""
    return output, translator


def cuttings(stream, seed):
    """Whole, single bytes where affordable, lines, within line ends, and some random ways."""
    yield [stream]
    if len(stream) < 8000:
        yield [stream[at : at + 1] for at in range(len(stream))]
    yield stream.splitlines(keepends=True)
    within = [end.start() + 1 for end in re.finditer(rb"\r?\n", stream)]
    yield [stream[a:b] for a, b in itertools.pairwise([0, *within, len(stream)])]
    generator = random.Random(seed)
    for _ in range(RANDOM_CUTTINGS):
        places = sorted(generator.randrange(len(stream) + 1) for _ in range(40))
        edges = [0, *places, len(stream)]
        yield [stream[a:b] for a, b in itertools.pairwise(edges)]


def check(recording, source, target):
    stream = recording.answer
    decoder = FORMATS[source].decoder()
    events = decoder.feed(stream) + decoder.feed_eof()
    checker = EventChecker()
    for event in events:
        checker.check(event)
    assert checker.ended

    outputs = [translate(chunks, source, target)[0] for chunks in cuttings(stream, recording.name)]
    assert len(set(outputs)) == 1, "the output depends on the cuts"

    read_stream, read_answer, facts = JUDGES[target]
    folded = fold(events)
    if isinstance(folded, ErrorInfo):
        with pytest.raises(Exception) as caught:
            read_stream(outputs[0])
        assert "APIError" in {kind.__name__ for kind in type(caught.value).__mro__}
        assert b"[DONE]" not in outputs[0]
        return "error"
    streamed = facts(read_stream(outputs[0]))
    reply = FORMATS[target].reply(REQUEST, LINE)
    plain = facts(read_answer(render_answer(folded, (), target, reply).body))
    assert streamed == plain
    return "answer"


@needs_recordings
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_recorded_stream_translates(source, target, matrix):
    outcomes, failures = {"answer": 0, "error": 0}, []
    for recording in recordings(source, stream=True):
        if not recording.succeeded:
            continue
        try:
            outcomes[check(recording, source, target)] += 1
        except Exception as problem:
            failures.append(f"{recording.name}: {type(problem).__name__}: {str(problem)[:300]}")
    matrix("streams", source, target, outcomes, len(failures))
    assert not failures, "\n".join(failures)


@needs_recordings
@pytest.mark.parametrize("name", JUDGES)
def test_the_same_format_passes_byte_for_byte(name, matrix):
    outcomes = {"untouched": 0}
    for recording in recordings(name, stream=True):
        if not recording.succeeded:
            continue
        decoder = FORMATS[name].decoder()
        cut = any(
            getattr(getattr(event, "error", None), "kind", "") == "cut"
            for event in decoder.feed(recording.answer) + decoder.feed_eof()
        )
        if cut:
            continue
        for chunks in cuttings(recording.answer, recording.name):
            translator = StreamTranslator(name, name, REQUEST)
            output = b"".join([*map(translator.feed, chunks), translator.close()])
            assert output == recording.answer, recording.name
        outcomes["untouched"] += 1
    matrix("streams", name, name, outcomes, 0)
