"""Every recorded whole answer and error, translated to every other format, judged by its SDK."""

from __future__ import annotations

import json
import sys
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
    read_chat_answer,
    read_gemini_answer,
)
from tests.support.recordings import needs_recordings, recordings

REQUEST = b'{"model":"asked-for"}'
LINE = RequestLine("/v1beta/models/asked-for:generateContent")
JUDGES = {
    "openai-chat": (read_chat_answer, chat_facts),
    "anthropic": (read_anthropic_answer, anthropic_facts),
    "gemini": (read_gemini_answer, gemini_facts),
}
PAIRS = [(source, target) for source in JUDGES for target in JUDGES if source != target]


def check(recording, source, target):
    answer = translate_response_for(
        recording.status, (), recording.answer, source, target, REQUEST, line=LINE
    )
    if answer.response is None:
        assert answer.status >= 400
        assert FORMATS[target].parse_error(answer.status, answer.headers, answer.body).message
        return "error"
    assert recording.succeeded
    assert not isinstance(fold(unfold(answer.response)), ErrorInfo)
    read, facts = JUDGES[target]
    found = facts(read(answer.body))
    expected = [part.call_id for part in answer.response.parts if isinstance(part, ToolCallPart)]
    assert [call[0] for call in found["calls"]] == expected
    json.loads(answer.body)
    return "answer"


@needs_recordings
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_recorded_answer_translates(source, target, capsys):
    outcomes, failures = Counter(), []
    for recording in recordings(source, stream=False):
        if recording.answer is None:
            continue
        try:
            outcomes[check(recording, source, target)] += 1
        except Exception as problem:
            failures.append(f"{recording.name}: {type(problem).__name__}: {str(problem)[:300]}")
    with capsys.disabled():
        sys.stdout.write(f"\n{source} -> {target}: {dict(outcomes)} whole answers\n")
    assert not failures, "\n".join(failures)
