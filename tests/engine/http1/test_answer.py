"""Answers in any form and in any pieces."""

import asyncio
from itertools import pairwise

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.engine.http1.answer import LONGEST_HEAD, MOST_WAITING, Answer

BODY = b"data: one\n\ndata: two\r\n\r\n" * 3
CHUNKED = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:1], BODY[1:7], BODY[7:]))
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
WHOLE = {
    "length": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKED + b"0\r\n\r\n",
    "trailer": b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n"
    + CHUNKED.replace(b"\r\n", b";name=value\r\n", 1)
    + b"0\r\nafter: all\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "bare line ends": b"HTTP/1.1 200 OK\ncontent-length: %d\n\n" % len(BODY) + BODY,
}
LAST = {
    "until the end": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
    "old": b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + LENGTH + b"\r\n" + BODY,
    "both": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    + LENGTH
    + b"\r\n"
    + CHUNKED
    + b"0\r\n\r\n",
    "surplus": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY + b"HTTP/1.1 200 OK\r\n",
    "nonsense after": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY + b"\x00",
}
CUTS = st.lists(st.integers(0, 400), max_size=40)


class Line:
    """A connection that notes what is asked of it."""

    def __init__(self):
        self.asked = []

    def pause(self):
        self.asked.append("pause")

    def resume(self):
        self.asked.append("resume")

    def leave(self, answer):
        self.asked.append("leave")


def pieces_of(data, cuts):
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    return [data[a:b] for a, b in pairwise(places) if a < b]


def take(data, cuts, error=None, *, end=True):
    answer = Answer(Line())
    for piece in pieces_of(data, cuts):
        answer.take(piece)
    if end:
        answer.end(error)
    return answer


async def body_of(answer):
    body = b""
    async with asyncio.timeout(1):
        await answer.wait_for_head()
        while piece := await answer.read():
            body += piece
    return body


@pytest.mark.parametrize("form", WHOLE)
@given(cuts=CUTS)
def test_a_whole_answer_leaves_the_connection_free(form, cuts):
    answer = take(WHOLE[form], cuts, end=False)
    assert not answer.can_be_followed  # nobody has read it yet
    assert asyncio.run(body_of(answer)) == BODY
    assert answer.status == 200
    assert answer.can_be_followed
    assert not [name for name, _ in answer.headers if name in (b"link", b"after")]


@pytest.mark.parametrize("form", [*LAST, *WHOLE])
@given(cuts=CUTS)
def test_after_some_the_connection_serves_nobody(form, cuts):
    answer = take((WHOLE | LAST)[form], cuts)
    assert asyncio.run(body_of(answer)) == BODY
    assert not answer.can_be_followed


@pytest.mark.parametrize("form", [*WHOLE, "both"])
@given(data=st.data(), cuts=CUTS, broken=st.booleans())
def test_a_cut_is_told(form, data, cuts, broken):
    whole = (WHOLE | LAST)[form]
    length = data.draw(st.integers(0, len(whole) - 1))
    answer = take(whole[:length], cuts, ConnectionResetError("reset") if broken else None)
    expected = (httpcore2.ReadError, httpcore2.RemoteProtocolError)
    with pytest.raises(expected) as caught:
        asyncio.run(body_of(answer))
    if broken:
        assert "reset" in str(caught.value)
    else:
        assert "closed" in str(caught.value)
    assert not answer.can_be_followed


@given(st.binary(max_size=300), CUTS)
def test_any_bytes_are_an_answer_or_an_error(data, cuts):
    answer = take(data, cuts)
    try:
        asyncio.run(body_of(answer))
    except httpcore2.RemoteProtocolError:
        assert not answer.can_be_followed


@given(st.sampled_from([*WHOLE.values()]), st.data(), CUTS)
def test_a_changed_byte_breaks_nothing(whole, data, cuts):
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    answer = take(whole[:place] + byte + whole[place + 1 :], cuts)
    try:
        asyncio.run(body_of(answer))
    except httpcore2.RemoteProtocolError:
        assert not answer.can_be_followed


@pytest.mark.parametrize("status", [204, 304])
async def test_some_answers_have_no_body(status):
    answer = take(b"HTTP/1.1 %d X\r\n\r\n" % status, [], end=False)
    assert await body_of(answer) == b""
    assert answer.can_be_followed


@given(CUTS)
def test_after_a_change_of_protocol_bytes_are_bytes(cuts):
    head = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    answer = take(head + b"HTTP/1.1 \x00\x01", cuts)
    assert asyncio.run(body_of(answer)) == b"HTTP/1.1 \x00\x01"
    assert answer.status == 101
    assert not answer.can_be_followed


async def test_a_head_has_an_end():
    answer = Answer(Line())
    answer.take(b"HTTP/1.1 200 OK\r\n")
    for _ in range(LONGEST_HEAD // 1000 + 1):
        answer.take(b"x: " + b"y" * 1000 + b"\r\n")
    with pytest.raises(httpcore2.RemoteProtocolError, match="no end"):
        await answer.wait_for_head()


async def test_who_reads_slowly_slows_the_provider_down():
    line = Line()
    answer = Answer(line)
    answer.take(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * MOST_WAITING)
    assert line.asked == []
    answer.take(b"x")
    answer.take(b"x")
    assert line.asked == ["pause"]
    assert len(await answer.read()) == MOST_WAITING + 2
    assert line.asked == ["pause", "resume"]


async def test_whoever_waits_is_woken():
    answer = Answer(Line())
    reading = asyncio.create_task(body_of(answer))
    for piece in pieces_of(WHOLE["chunks"], range(0, 400, 9)):
        answer.take(piece)
        await asyncio.sleep(0)
    assert await reading == BODY


async def test_a_reader_that_is_cancelled_can_come_back():
    answer = take(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", [], end=False)
    reading = asyncio.create_task(answer.read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    answer.take(b"hi")
    assert await answer.read() == b"hi"
