import asyncio
import contextlib

import h11
import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.engine.chunked import ChunkedReader
from addon.engine.network import Stream
from tests.support.strategies import cuts

bodies = st.lists(st.binary(min_size=1, max_size=300), max_size=6)
extensions = st.sampled_from([b"", b";x", b' ; a="b;c"'])
endings = st.sampled_from([b"0\r\n\r\n", b"0;x\r\nEtag: a\r\n\r\n", b"000\r\n\r\nHTTP/1.1 200 OK"])


def write(pieces, extension, upper):
    form = b"%X" if upper else b"%x"
    return b"".join(form % len(p) + extension + b"\r\n" + p + b"\r\n" for p in pieces)


@given(st.data(), bodies, extensions, endings, st.booleans())
def test_the_body_comes_out_however_it_is_cut(data, pieces, extension, ending, upper):
    reader = ChunkedReader()
    stream = write(pieces, extension, upper) + ending
    body, rest = b"", b""
    for cut in data.draw(cuts(stream)):
        if reader.rest is None:
            body += reader.feed(cut)
        else:
            rest += cut
    assert body == b"".join(pieces)
    assert reader.rest is not None
    assert reader.rest + rest == ending


@given(st.data(), bodies)
def test_what_is_left_ends_the_answer_for_the_client(data, pieces):
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    assert isinstance(client.next_event(), h11.Response)
    reader = ChunkedReader()
    for cut in data.draw(cuts(write(pieces, b"", upper=False))):
        reader.feed(cut)
    reader.feed(b"0\r\n\r\n")
    client.receive_data(reader.rest)
    assert isinstance(client.next_event(), h11.EndOfMessage)
    assert client.their_state is h11.DONE


@pytest.mark.parametrize(
    "stream", [b"x\r\n", b"-1\r\n", b"\r\n", b"5\r\nabcdeXX", b"2\r\nab\n", b"f" * 16 + b"\r\n"]
)
def test_what_is_not_chunked_is_refused(stream):
    with pytest.raises(ValueError):
        ChunkedReader().feed(stream)


def test_an_endless_line_is_refused():
    reader = ChunkedReader()
    for _ in range(8):
        reader.feed(b"1" * 1000)
    with pytest.raises(ValueError, match="no end"):
        reader.feed(b"1" * 1000)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_raise_nothing_else(stream):
    with contextlib.suppress(ValueError):
        ChunkedReader().feed(stream)


async def test_a_connection_stops_at_the_body_and_goes_on_after_it():
    reader = asyncio.StreamReader()
    reader.feed_data(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    reader.feed_data(b"HTTP/1.1 200 OK\r\na: b\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
    stream = Stream(reader, writer=None)
    await stream.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await stream.read(65536) == b"HTTP/1.1 103 Early Hints\r\n\r\n"
    assert await stream.read(65536) == b"HTTP/1.1 200 OK\r\na: b\r\n\r\n"
    assert [chunk async for chunk in stream.chunks()] == [b"hi"]
    assert await stream.read(65536) == b"0\r\n\r\n"


async def test_a_body_that_ends_too_early_is_an_error():
    reader = asyncio.StreamReader()
    reader.feed_data(b"5\r\nab")
    reader.feed_eof()
    chunks = Stream(reader, writer=None).chunks()
    assert await anext(chunks) == b"ab"
    with pytest.raises(httpcore2.RemoteProtocolError, match="within the body"):
        await anext(chunks)
