"""What the view "Detour streams" makes of what a flow keeps."""

from mitmproxy.contentviews import Metadata

from addon.views import metadata
from addon.views.streams import NOTHING, StreamsView
from addon.views.timeline import Moments, pack


def shown(flow):
    return StreamsView().prettify(b"", Metadata(flow=flow, http_message=flow.response))


def keep(flow, provider, agent, *, last=(), left_out=0, **summary):
    """Keep pieces of both streams, each with the second at which it came."""
    got = Moments()
    for time, data in agent:
        got.add(time, len(data))
    flow.response.content = b"".join(data for _, data in agent)
    flow.metadata[metadata.STREAMS] = pack(0.0, [], provider, last, left_out, got)
    flow.metadata[metadata.SUMMARY] |= summary


def rows(text):
    return text.split("-" * 92 + "\n")[1].splitlines()


def test_what_a_piece_led_to_stands_beside_it(flow):
    keep(flow, [(1.0, b"one"), (1.5, b"two"), (2.0, b"three")], [(1.001, b"eins"), (2.5, b"drei")])
    blank = " " * 37
    assert rows(shown(flow)) == [
        f"  1.000  one{blank} | eins",
        f"  1.500  two{blank} |",
        f"  2.000  three{blank[2:]} |",
        f"  2.500  {' ' * 40} | drei",
    ]


def test_what_every_event_repeats_is_left_out(flow):
    event = b'data: {"id":"chatcmpl-0123456789","choices":[{"delta":{"content":"%s"}}]}\n\n'
    keep(flow, [], [(place, event % b"word") for place in range(3)])
    told = shown(flow)
    assert told.count("chatcmpl-0123456789") == 1
    assert told.count('data: [...]"content":"word"}}]}') == 2


def test_a_gap_is_told_where_it_is(flow):
    keep(flow, [(1, b"begins")], [(1, b"a")], last=[(9, b"ends")], left_out=5_000_000)
    told = rows(shown(flow))
    assert told[1] == "  9.000  -- 5.0 MB of the provider's stream were not kept"
    assert told[2].startswith("  9.000  ends")


def test_who_said_it_is_told(flow):
    keep(flow, [], [(1, b"hello")])
    assert "# Nothing was kept of what the provider sent." in shown(flow)
    keep(flow, [], [(1, b"hello")], action="pass")
    assert "# The agent got what the provider sent." in shown(flow)
    assert rows(shown(flow)) == [f"  1.000  hello{' ' * 35} |"]
    keep(flow, [], [(1, b"hello")], action="answer")
    assert "# Detour itself gave this answer." in shown(flow)
    keep(flow, [], [])
    assert shown(flow) == NOTHING


def test_what_is_no_text_is_told_by_its_size(flow):
    keep(flow, [(1, b"\0" * 2500)], [(1, b"\0\1")])
    assert "[2.5 kB that are no text]" in shown(flow)
    assert "[2 bytes that are no text]" in shown(flow)


def test_wide_letters_keep_the_columns(flow):
    keep(flow, [(1, "日本語".encode())], [(1, b"a")])
    (row,) = rows(shown(flow))
    assert row == f"  1.000  日本語{' ' * 34} | a"
