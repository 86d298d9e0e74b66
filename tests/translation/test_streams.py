import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon import StreamTranslator
from addon.formats import FORMATS
from addon.formats.base import Reply, RequestLine
from addon.neutral import ErrorInfo, ResponseEnd, ResponseStart, StreamError, fold
from tests.support.strategies import cuts, event_streams

FORMAT_PAIRS = [(source, target) for source in FORMATS for target in FORMATS]
REQUEST = b'{"model":"asked","stream":true,"stream_options":{"include_usage":true}}'


def write(name, events):
    encoder = FORMATS[name].encoder(Reply(created=1))
    return b"".join(encoder.encode(event) for event in events)


def read(name, data):
    decoder = FORMATS[name].decoder()
    return decoder.feed(data) + decoder.feed_eof()


def comparable(folded):
    """What every format keeps: words and calls, how it ended, what it cost."""
    if isinstance(folded, ErrorInfo):
        return folded.message
    texts, calls = [], []
    for part in folded.parts:
        if hasattr(part, "arguments"):
            calls.append((part.call_id, part.name, part.arguments or "{}"))
        elif type(part).__name__ == "TextPart":
            texts.append(part.text)
    total = (folded.usage.input_tokens, folded.usage.output_tokens)
    return "".join(texts), sorted(calls), folded.finish_reason, total


@pytest.mark.parametrize(("source", "target"), FORMAT_PAIRS)
@given(events=event_streams(), data=st.data())
def test_what_was_said_survives_under_any_cutting(source, target, events, data):
    stream = write(source, events)
    translator = StreamTranslator(source, target, REQUEST)
    outputs = [translator.feed(chunk) for chunk in data.draw(cuts(stream))]
    output = b"".join([*outputs, translator.close()])
    assert comparable(fold(read(target, output))) == comparable(fold(read(source, stream)))
    assert translator.ended
    assert translator.close() == b""


@pytest.mark.parametrize(("source", "target"), FORMAT_PAIRS)
@given(events=event_streams(), data=st.data())
def test_a_cut_anywhere_ends_the_agents_stream_in_an_error(source, target, events, data):
    stream = write(source, events)
    cut = data.draw(st.integers(0, len(stream)))
    truth = read(source, stream[:cut])[-1]
    translator = StreamTranslator(source, target, REQUEST)
    output = translator.feed(stream[:cut]) + translator.close()
    assert type(read(target, output)[-1]) is type(truth)
    if isinstance(truth, StreamError):
        assert b"[DONE]" not in output
        assert translator.error is not None


@pytest.mark.parametrize(("source", "target"), FORMAT_PAIRS)
@given(junk=st.binary(max_size=120))
def test_arbitrary_bytes_raise_nothing(source, target, junk):
    translator = StreamTranslator(source, target, junk)
    translator.feed(junk)
    translator.feed(b"data: " + junk + b"\n\n")
    translator.close()
    assert translator.ended


@pytest.mark.parametrize("name", FORMATS)
@given(events=event_streams(), data=st.data())
def test_the_same_format_is_passed_byte_for_byte(name, events, data):
    stream = write(name, events)
    translator = StreamTranslator(name, name, REQUEST)
    outputs = [translator.feed(chunk) for chunk in data.draw(cuts(stream))]
    assert b"".join([*outputs, translator.close()]) == stream


@pytest.mark.parametrize(("source", "target"), FORMAT_PAIRS)
@given(events=event_streams(), data=st.data())
def test_every_piece_is_made_of_whole_events(source, target, events, data):
    translator = StreamTranslator(source, target, REQUEST)
    for chunk in data.draw(cuts(write(source, events))):
        piece = translator.feed(chunk)
        assert not piece or piece.endswith((b"\n\n", b"\r\n\r\n"))


@pytest.mark.parametrize(("source", "target"), FORMAT_PAIRS)
def test_our_own_error_ends_a_stream_once(source, target):
    start = write(source, [ResponseStart("r", "m")])
    translator = StreamTranslator(source, target, REQUEST)
    output = translator.feed(start) + translator.fail(ErrorInfo("timeout", "too slow"))
    assert fold(read(target, output)).message == "too slow"
    assert translator.error == ErrorInfo("timeout", "too slow")
    assert translator.fail(ErrorInfo("timeout", "again")) == b""
    assert translator.close() == b""


def test_a_bug_of_ours_becomes_an_error_and_a_log_entry(caplog):
    translator = StreamTranslator("anthropic", "openai-chat", REQUEST)
    translator._decoder.feed = lambda _data: 1 / 0
    with caplog.at_level(logging.ERROR):
        output = translator.feed(b"data: {}\n\n")
    assert json.loads(output.removeprefix(b"data: "))["error"]["message"]
    assert "ZeroDivisionError" in caplog.text
    assert translator.feed(b"x") == b""


def test_usage_and_finish_reason_are_told():
    end = {"stop_reason": "max_tokens"}
    stream = b"".join(
        b"data: " + json.dumps(event).encode() + b"\n\n"
        for event in (
            {"type": "message_start", "message": {"usage": {"input_tokens": 7}}},
            {"type": "message_delta", "delta": end, "usage": {"output_tokens": 3}},
            {"type": "message_stop"},
        )
    )
    for target in FORMATS:
        translator = StreamTranslator("anthropic", target, REQUEST)
        translator.feed(stream)
        assert (translator.usage.input_tokens, translator.usage.output_tokens) == (7, 3)
        assert translator.finish_reason == "length"


def test_losses_of_both_sides_are_listed():
    stream = b'data: {"type":"content_block_start","index":0,"content_block":{"type":"fallback"}}'
    translator = StreamTranslator("anthropic", "openai-chat", REQUEST)
    translator.feed(stream + b"\n\n")
    assert [loss.field for loss in translator.losses] == ["content.fallback"]


def test_a_code_fence_is_taken_off_where_json_was_asked_for():
    request = b'{"model":"m","response_format":{"type":"json_object"},"stream":true}'
    events = [ResponseStart("r", "m")]
    words = ['```json\n{"a"', ":1}\n", "```"]
    from addon.neutral import PartEnd, PartStart, TextDelta

    events += [PartStart(0, "text"), *(TextDelta(0, word) for word in words), PartEnd(0)]
    stream = write("anthropic", [*events, ResponseEnd("stop")])
    translator = StreamTranslator("anthropic", "openai-chat", request)
    output = translator.feed(stream) + translator.close()
    assert fold(read("openai-chat", output)).parts[0].text == '{"a":1}'


def test_a_json_array_passes_piece_by_piece():
    line = RequestLine("/v1beta/models/m:streamGenerateContent")
    translator = StreamTranslator("gemini", "gemini", b"{}", line=line)
    pieces = [
        b"\r\n",
        b'[{\n "candidates": [{"content": {"parts": [{"text": "a"}]}}]\n}\n,\r\n',
        b'{"candidates": [{"finishReason": "STOP"}]}]',
    ]
    fed = [translator.feed(piece) for piece in pieces]
    assert fed[1] == pieces[0] + pieces[1].removesuffix(b"\n,\r\n")
    assert b"".join([*fed, translator.close()]) == b"".join(pieces)
    assert translator.ended
    assert translator.error is None


ARRAY = b"[" + b",\r\n".join(
    b'{"candidates": [{"content": {"parts": [{"text": "%d {[\\"]}"}]}}]}' % n for n in range(3)
)


@given(st.data())
def test_an_array_that_breaks_off_stays_an_array(data):
    line = RequestLine("/v1beta/models/m:streamGenerateContent")
    translator = StreamTranslator("gemini", "gemini", b"{}", line=line)
    stream = ARRAY[: data.draw(st.integers(0, len(ARRAY)))]
    output = b"".join(translator.feed(piece) for piece in data.draw(cuts(stream)))
    if data.draw(st.booleans()):
        output += translator.fail(ErrorInfo("timeout", "late"))
    else:
        output += translator.close()
    *chunks, last = json.loads(output)
    assert "error" in last
    assert all("candidates" in chunk for chunk in chunks)


def test_a_cut_responses_stream_ends_as_the_response_that_it_was():
    begun = {"type": "response.created", "sequence_number": 0}
    begun["response"] = {
        "id": "resp_1",
        "object": "response",
        "status": "in_progress",
        "output": [],
    }
    delta = {"type": "response.output_text.delta", "sequence_number": 41, "delta": "a"}
    whole = b"".join(
        b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode())
        for event in (begun, delta)
    )
    stream = StreamTranslator("openai-responses", "openai-responses", b"{}")
    assert stream.feed(whole) == whole
    told = [json.loads(line[6:]) for line in stream.close().splitlines() if line[:5] == b"data:"]
    assert [(event["type"], event["sequence_number"]) for event in told] == [
        ("error", 42),
        ("response.failed", 43),
    ]
    assert told[1]["response"]["id"] == "resp_1"
