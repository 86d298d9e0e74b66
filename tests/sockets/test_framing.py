"""Frames by a client of its own, cut anywhere."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from addon.sockets.framing import Framing, Oddity, text_frame

LIMIT = 1000
TEXTS = st.text(max_size=300)


def pair(compressed):
    def extension():
        deflate = PerMessageDeflate()
        deflate.finalize(PerMessageDeflate.name)
        return deflate

    client = Connection(ConnectionType.CLIENT, [extension()] if compressed else [])
    return client, Framing(extension() if compressed else None, LIMIT)


def receive(framing, data, cuts):
    places = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    return [
        message
        for start, end in itertools.pairwise(places)
        for message in framing.receive(data[start:end])
    ]


@given(
    messages=st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=5),
    cuts=st.lists(st.integers(0, 10_000)),
    compressed=st.booleans(),
)
def test_messages_come_out_whole_however_they_are_fragmented_and_cut(messages, cuts, compressed):
    client, framing = pair(compressed)
    data = b""
    for fragments in messages:
        for fragment in fragments[:-1]:
            data += client.send(TextMessage(fragment, message_finished=False))
            if not compressed:  # where wsproto itself loses its place, which mitmproxy never does
                data += client.send(Ping(b"between"))
        data += client.send(TextMessage(fragments[-1]))
    expected = ["".join(fragments).encode() for fragments in messages]
    expected = [text if len(text) <= LIMIT else Oddity.TOO_LARGE for text in expected]
    assert receive(framing, data, cuts) == expected
    pings = 0 if compressed else sum(len(fragments) - 1 for fragments in messages)
    answers = framing.take_answers()
    client.receive_data(b"".join(answers))
    assert list(client.events()) == [Pong(b"between")] * pings
    assert framing.take_answers() == []


@given(st.binary(max_size=70_000))
def test_what_goes_out_is_one_frame_that_a_client_understands(noise):
    text = noise.decode("latin-1")
    for compressed in (False, True):
        client, _ = pair(compressed)
        client.receive_data(text_frame(text.encode()))
        events = list(client.events())
        assert "".join(event.data for event in events) == text
        assert events[-1].message_finished


def test_binary_messages_and_ends_are_told_apart():
    client, framing = pair(compressed=False)
    assert [*framing.receive(client.send(BytesMessage(b"\x00")))] == [Oddity.BINARY]
    end = client.send(CloseConnection(1000))
    assert [*framing.receive(end)] == [Oddity.CLOSED]


def test_pings_and_farewells():
    client, framing = pair(compressed=True)
    client.receive_data(framing.ping() + framing.close(1001, "bye"))
    ping, close = client.events()
    assert isinstance(ping, Ping)
    assert (close.code, close.reason) == (1001, "bye")
