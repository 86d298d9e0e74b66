"""Every recorded whole answer and error, translated to every other format, judged by its SDK."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from addon.formats import FORMATS
from addon.formats.base import RequestLine
from addon.neutral import ErrorInfo, ToolCallPart, fold, unfold
from addon.translation import translate_response_for
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

REQUEST = b'{"model":"asked-for"}'
LINE = RequestLine("/v1beta/models/asked-for:generateContent")
JUDGES = {
    "openai-chat": (read_chat_answer, read_chat_stream, chat_facts),
    "openai-responses": (read_responses_answer, read_responses_stream, responses_facts),
    "anthropic": (read_anthropic_answer, read_anthropic_stream, anthropic_facts),
    "gemini": (read_gemini_answer, read_gemini_stream, gemini_facts),
}
STREAMED = b'{"model":"asked-for","stream":true,"stream_options":{"include_usage":true}}'
STREAM_LINE = RequestLine("/v1beta/models/asked-for:streamGenerateContent", "alt=sse")
PAIRS = [(source, target) for source in JUDGES for target in JUDGES]


def check(recording, source, target):
    """Judge an answer: whole, and as the stream that says the same."""
    answer = translate_response_for(
        recording.status, (), recording.answer, source, target, REQUEST, line=LINE
    )
    if source == target and answer.status == recording.status < 400:
        assert answer.body == recording.answer
        return "untouched"
    if answer.response is None:
        assert answer.status >= 400
        assert FORMATS[target].parse_error(answer.status, answer.headers, answer.body).message
        return "errors"
    assert recording.succeeded
    assert not isinstance(fold(unfold(answer.response)), ErrorInfo)
    read, read_stream, facts = JUDGES[target]
    found = facts(read(answer.body))
    expected = [part.call_id for part in answer.response.parts if isinstance(part, ToolCallPart)]
    assert call_ids(found) == expected
    json.loads(answer.body)
    encoder = FORMATS[target].encoder(FORMATS[target].reply(STREAMED, STREAM_LINE))
    stream = b"".join(map(encoder.encode, unfold(answer.response)))
    assert facts(read_stream(stream)) == found
    return "accepted"


def call_ids(found):
    if "items" in found:
        return [item["call_id"] for item in found["items"] if "call_id" in item]
    return [call[0] for call in found["calls"]]


@needs_recordings
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_recorded_answer_translates(source, target, matrix):
    outcomes, failures = Counter(), []
    for recording in recordings(source, stream=False):
        if recording.answer is None:
            continue
        try:
            outcomes[check(recording, source, target)] += 1
        except Exception as problem:
            failures.append(f"{recording.name}: {type(problem).__name__}: {str(problem)[:300]}")
    matrix("whole answers", source, target, outcomes, len(failures))
    assert not failures, "\n".join(failures)
