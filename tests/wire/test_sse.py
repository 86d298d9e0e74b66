import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.wire import sse
from addon.wire.sse import COMMENT, SseDecoder, SseEvent, SseOverflowError, frame
from tests.support.strategies import cuts

lines = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=8)
names = st.sampled_from(["", "ping", "message_start"])
events = st.lists(st.tuples(names, st.lists(lines, min_size=1, max_size=3)), max_size=5)


def write(items, end, space, comments):
    text = ""
    for name, data in items:
        if comments:
            text += f": note{end}{end}"
        if name:
            text += f"event:{space}{name}{end}"
        text += "".join(f"data:{space}{line}{end}" for line in data) + end
    return text.encode()


@given(st.data(), events, st.sampled_from(["\n", "\r", "\r\n"]), st.booleans(), st.booleans())
def test_events_do_not_depend_on_cuts_line_ends_or_comments(data, items, end, spaced, comments):
    # Without the optional space, a leading blank of the data itself would be taken for it.
    if not spaced:
        items = [(name, [line.lstrip(" ") for line in content]) for name, content in items]
    stream = write(items, end, " " if spaced else "", comments)
    decoder = SseDecoder()
    found = [event for chunk in data.draw(cuts(stream)) for event in decoder.feed(chunk)]
    assert decoder.flush() == []
    assert found == [SseEvent(name.encode(), "\n".join(rows).encode()) for name, rows in items]


@pytest.mark.parametrize("tail", [b"data: x", b"data: x\n", b"data: x\r", b"data: x\r\n"])
def test_an_event_without_its_blank_line_is_delivered_at_the_end(tail):
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n\n" + tail) == [SseEvent(b"", b"a")]
    assert decoder.flush() == [SseEvent(b"", b"x")]
    assert decoder.flush() == []


def test_a_byte_order_mark_is_skipped_even_when_cut():
    decoder = SseDecoder()
    stream = b"\xef\xbb\xbfdata: a\n\n"
    found = [event for byte in stream for event in decoder.feed(bytes((byte,)))]
    assert found == [SseEvent(b"", b"a")]


def test_only_line_feed_and_carriage_return_end_a_line():
    decoder = SseDecoder()
    data = "a\u2028b\u0085c\x0bd\x0ce".encode()
    assert decoder.feed(frame(data)) == [SseEvent(b"", data)]


def test_other_fields_and_bare_names_are_harmless():
    decoder = SseDecoder()
    stream = b"id: 7\nretry: 10\nfoo\nevent: lost\n\n\n\ndata\n\ndata: b\n\n"
    assert decoder.feed(stream) == [SseEvent(b"", b""), SseEvent(b"", b"b")]


def test_a_long_line_in_small_chunks_is_joined_once():
    decoder = SseDecoder()
    piece = b"x" * 1000
    assert decoder.feed(b"data: ") == []
    for _ in range(2000):
        assert decoder.feed(piece) == []
    assert decoder.feed(b"\n\n") == [SseEvent(b"", piece * 2000)]


def test_an_endless_event_is_refused(monkeypatch):
    monkeypatch.setattr(sse, "LIMIT", 100)
    decoder = SseDecoder()
    decoder.feed(b"data: " + b"x" * 90)
    with pytest.raises(SseOverflowError):
        decoder.feed(b"x" * 90)


def test_many_small_events_do_not_add_up_to_the_limit(monkeypatch):
    monkeypatch.setattr(sse, "LIMIT", 100)
    decoder = SseDecoder()
    for _ in range(50):
        assert len(decoder.feed(b"data: 0123456789\n\n")) == 1


def test_what_is_framed_is_read_again():
    decoder = SseDecoder()
    stream = frame(b"{}", b"ping") + COMMENT + frame(b"[1]")
    assert decoder.feed(stream) == [SseEvent(b"ping", b"{}"), SseEvent(b"", b"[1]")]


@given(st.binary(max_size=80))
def test_arbitrary_bytes_raise_nothing(data):
    decoder = SseDecoder()
    decoder.feed(data)
    decoder.flush()


@given(
    data=st.data(),
    odd=st.sampled_from(
        (
            (b'{"error":{"message":"broken"}}', SseEvent(b"", b'{"error":{"message":"broken"}}')),
            (b'error: {"code":500}', SseEvent(b"error", b'{"code":500}')),
            (b'error:{"code":500}', SseEvent(b"error", b'{"code":500}')),
        )
    ),
)
def test_an_error_between_events_is_one(data, odd):
    line, event = odd
    wire = b"data: first\n\n" + line + b"\ndata: last\n\n"
    decoder = SseDecoder()
    events = [one for piece in data.draw(cuts(wire)) for one in decoder.feed(piece)]
    assert events == [SseEvent(b"", b"first"), event, SseEvent(b"", b"last")]


def test_what_looks_like_one_within_an_event_is_left_out():
    decoder = SseDecoder()
    assert decoder.feed(b'data: a\n{"error": 1}\n{\ndata: b\n\n{"cut') == [SseEvent(b"", b"a\nb")]
    assert decoder.flush() == []
