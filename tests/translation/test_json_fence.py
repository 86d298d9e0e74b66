import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import PartEnd, PartStart, TextDelta, ToolCallDelta
from addon.translation.json_fence import FenceFilter, strip_fence

FENCED = '```json\n{"a": "```"}\n```'


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        (FENCED, '{"a": "```"}'),
        ("\n```\n[1]\n```\n", "[1]"),
        ('{"a":1}', '{"a":1}'),
        ("``not a fence", "``not a fence"),
        ("```json\n{", "{"),
        ("", ""),
        ("say ```x```", "say ```x```"),
    ],
)
def test_only_a_fence_around_everything_is_taken_off(text, bare):
    assert strip_fence(text) == bare


def filtered(pieces):
    fence = FenceFilter()
    events = [PartStart(0, "text"), *(TextDelta(0, piece) for piece in pieces), PartEnd(0)]
    output = [kept for event in events for kept in fence.apply(event)]
    assert output[0] == events[0]
    assert output[-1] == events[-1]
    assert all(event.text for event in output[1:-1])
    return "".join(event.text for event in output[1:-1])


fenced_like = st.text(st.sampled_from('`\n {}"jsona\r'), max_size=30)


@given(fenced_like | st.just(FENCED), st.data())
def test_a_stream_is_stripped_as_the_whole_text_is(text, data):
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edges = [0, *places, len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges) if a < b]
    assert filtered(pieces) == strip_fence(text)


def test_other_parts_pass_untouched():
    event = ToolCallDelta(3, "```json\n")
    assert FenceFilter().apply(event) == [event]
