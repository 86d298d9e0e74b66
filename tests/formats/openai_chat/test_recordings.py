"""Recorded answers of forty providers, decoded, mended and judged by the official SDK."""

import itertools
import json
import random
import sys
from collections import Counter

import openai
import pytest

from addon.formats.base import Reply, RequestLine
from addon.formats.openai_chat import FORMAT
from addon.formats.openai_chat.dialects import DIALECTS
from addon.neutral import ClientRequestError, ErrorInfo, EventChecker, ToolCallPart, fold
from tests.support.official import chat_facts, read_chat_answer, read_chat_stream
from tests.support.recordings import needs_recordings, recordings
from tests.support.strategies import merged

REPLY = Reply(model="asked-for", created=7, include_usage=True, stream=True)
CUTTINGS = 3


def streams():
    return [
        recording for recording in recordings("openai-chat", stream=True) if recording.succeeded
    ]


def cuttings(wire, seed):
    yield [wire]
    generator = random.Random(seed)
    for _ in range(CUTTINGS):
        places = sorted(generator.randrange(len(wire) + 1) for _ in range(40))
        yield [wire[a:b] for a, b in itertools.pairwise([0, *places, len(wire)])]


def decode(pieces):
    decoder, checker = FORMAT.decoder(), EventChecker()
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.feed_eof()
    for event in events:
        checker.check(event)
    assert checker.ended
    return events


def dialect_of(recording):
    known = recording.provider in DIALECTS and recording.provider != "openai"
    return recording.provider if known else "local"


def report(capsys, words):
    with capsys.disabled():
        sys.stdout.write(f"\n{words}\n")


@needs_recordings
def test_every_stream_is_read_and_written_again(capsys):
    counts = Counter()
    for recording in streams():
        events, *others = (merged(decode(pieces)) for pieces in cuttings(recording.answer, 1))
        assert all(other == events for other in others), recording.name
        encoder = FORMAT.encoder(REPLY)
        wire = b"".join(map(encoder.encode, events))
        folded = fold(events)
        if isinstance(folded, ErrorInfo):
            counts["errors"] += 1
            with pytest.raises(openai.APIError):
                read_chat_stream(wire)
            continue
        counts["answers"] += 1
        whole, _ = FORMAT.render_response(folded, REPLY)
        streamed = chat_facts(read_chat_stream(wire))
        assert streamed == chat_facts(read_chat_answer(whole)), recording.name
        assert streamed["text"] == words_of(recording.answer) or "<think>" in words_of(
            recording.answer
        ), recording.name
    report(capsys, f"streams read and written again: {dict(counts)}")
    assert counts["answers"] > 200


def words_of(wire):
    """Gather the content of the first choice with nothing but the standard library."""
    words = []
    for line in wire.decode().splitlines():
        if not line.startswith("data:") or "[DONE]" in line:
            continue
        for choice in json.loads(line[5:]).get("choices") or ():
            content = (choice.get("delta") or {}).get("content")
            if choice.get("index", 0) == 0:
                words += content if isinstance(content, list) else [{"text": content or ""}]
    return "".join(block.get("text", "") for block in words)


@needs_recordings
def test_every_stream_is_mended_into_one_that_the_official_client_reads(capsys):
    counts = Counter()
    for recording in streams():
        outputs = set()
        for pieces in cuttings(recording.answer, 2):
            mender = FORMAT.repairer(dialect_of(recording), REPLY)
            outputs.add(b"".join([*map(mender.feed, pieces), mender.close()]))
        assert len(outputs) == 1, recording.name
        (output,) = outputs
        folded = fold(decode([recording.answer]))
        if isinstance(folded, ErrorInfo):
            counts["errors"] += 1
            with pytest.raises(openai.APIError):
                read_chat_stream(output)
            continue
        facts = chat_facts(read_chat_stream(output))
        expected = chat_facts(read_chat_answer(FORMAT.render_response(folded, REPLY)[0]))
        for key in ("calls", "finish_reason", "refusal"):
            assert facts[key] == expected[key], recording.name
        assert facts["text"] == words_of(recording.answer), recording.name
        counts["unchanged" if output == recording.answer else "mended"] += 1
    report(capsys, f"streams mended: {dict(counts)}")
    assert counts["unchanged"] > 50


def said(response):
    """What an answer says; calls without arguments get an empty object when they are told."""
    words = [getattr(part, "text", "") for part in response.parts]
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    told = [(call.call_id, call.name, call.arguments or "{}") for call in calls]
    return "".join(words), told, response.finish_reason


@needs_recordings
def test_every_plain_answer_is_read_and_mended(capsys):
    counts = Counter()
    for recording in recordings("openai-chat", stream=False):
        if recording.answer is None:
            continue
        if not recording.succeeded or FORMAT.find_error(recording.answer):
            info = FORMAT.parse_error(recording.status, (), recording.answer)
            assert info.message, recording.name
            assert FORMAT.render_error(info).status >= 400
            counts["errors"] += 1
            continue
        response, _ = FORMAT.parse_response(recording.answer)
        rendered, _ = FORMAT.render_response(response, REPLY)
        reread, _ = FORMAT.parse_response(rendered)
        assert said(reread) == said(response), recording.name
        repaired = FORMAT.repair_response(recording.answer, dialect_of(recording), REPLY)
        again, _ = FORMAT.parse_response(repaired)
        assert (again.finish_reason, again.usage) == (response.finish_reason, response.usage)
        assert said(again) == said(response), recording.name
        counts["unchanged" if repaired == recording.answer else "mended"] += 1
    report(capsys, f"plain answers: {dict(counts)}")
    assert counts["unchanged"] > 200


@needs_recordings
def test_every_request_openai_accepted_is_read_and_stays_as_it_is(capsys):
    counts = Counter()
    for recording in recordings("openai-chat"):
        if recording.request is None:
            continue
        body = recording.request
        model = json.loads(body).get("model")
        if model:
            rewritten = FORMAT.rewrite_request(body, RequestLine(), model, "openai")
            # OpenRouter hands out ids of calls that are longer than what OpenAI takes.
            assert rewritten.body == body or recording.provider == "openrouter", recording.name
        try:
            FORMAT.parse_request(body, RequestLine())
            counts["read"] += 1
        except ClientRequestError:
            assert not (recording.succeeded and recording.provider in ("openai", "azure"))
            counts["refused"] += 1
    report(capsys, f"requests: {dict(counts)}")
    assert counts["read"] > 600
