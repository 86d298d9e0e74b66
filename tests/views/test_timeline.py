from array import array

from hypothesis import given
from hypothesis import strategies as st

from addon.views.timeline import Moments, mask, pack, unpack


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.binary(min_size=1, max_size=9)), max_size=9),
    st.lists(st.tuples(st.floats(0, 1000), st.binary(min_size=1, max_size=9)), max_size=9),
    st.lists(st.tuples(st.floats(0, 1000), st.binary(min_size=1, max_size=9)), max_size=9),
    st.floats(-100, 100),
)
def test_what_is_packed_comes_out_again(first, last, got, began):
    agent = Moments()
    for time, data in got:
        agent.add(time, len(data))
    kept = pack(began, [], first, last, 7, agent)
    timeline = unpack(dict(kept), b"".join(data for _, data in got))

    def expected(pieces):
        return [(round((time - began) * 1000), data) for time, data in pieces]

    assert [(piece.time, piece.data) for piece in timeline.provider] == expected([*first, *last])
    assert [(piece.time, piece.data) for piece in timeline.agent] == expected(got)
    assert (timeline.left_out, timeline.resumes) == (7, len(first))


def test_of_very_many_pieces_some_are_joined():
    moments = Moments()
    for number in range(100_000):
        moments.add(number, 3)
    assert len(moments.times) == len(moments.sizes) < Moments.MOST
    assert sum(moments.sizes) == 300_000
    assert moments.times == array("d", sorted(moments.times))


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(8, 20))
def test_no_secret_is_left_and_nothing_moves(before, after, size):
    secret = "sk-0123456789abcdefg"
    whole = before + secret.encode() + after
    assert mask(whole, [f"Bearer {secret}"]) == before + b"*" * len(secret) + after
    cut = mask(before + secret.encode()[:size], [secret])
    assert cut == before + b"*" * size
    cut = mask(secret.encode()[-size:] + after, [secret])
    assert cut == b"*" * size + after


def test_short_words_are_no_secrets():
    assert mask(b"Bearer of news", ["Bearer none"]) == b"Bearer of news"
