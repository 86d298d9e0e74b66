import contextlib
import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from addon.engine.encodings import DECODERS, MOST_LAYERS, EncodingError, StackedDecoder


def zstd(data):
    return zstandard.ZstdCompressor().compress(data)


def raw_deflate(data):
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd,
}

bodies = st.binary(max_size=2000) | st.binary(max_size=20).map(lambda piece: piece * 5000)


def decode(content_encoding, packed, sizes=(1 << 20,)):
    decoder = StackedDecoder(content_encoding)
    pieces, position, turn = [], 0, 0
    while position < len(packed):
        size = sizes[turn % len(sizes)]
        pieces += decoder.decode(packed[position : position + size])
        position, turn = position + size, turn + 1
    return b"".join(pieces), decoder.complete


@given(bodies, st.lists(st.sampled_from(list(ENCODERS)), max_size=MOST_LAYERS), st.data())
def test_every_stack_of_codings_is_undone_however_it_is_cut(body, names, data):
    packed = body
    for name in names:
        packed = ENCODERS[name](packed)
    sizes = data.draw(st.lists(st.integers(1, 700), min_size=1, max_size=5))
    assert decode(", ".join(names), packed, sizes) == (body, True)


@given(st.lists(bodies, min_size=2, max_size=4), st.sampled_from(["gzip", "zstd"]), st.data())
def test_members_and_frames_one_after_the_other_are_one_body(parts, name, data):
    packed = b"".join(ENCODERS[name](part) for part in parts)
    sizes = data.draw(st.lists(st.integers(1, 700), min_size=1, max_size=5))
    assert decode(name, packed, sizes) == (b"".join(parts), True)


@given(bodies)
def test_deflate_may_come_without_its_wrapper(body):
    assert decode("deflate", raw_deflate(body)) == (body, True)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_that_ends_too_early_is_not_complete(name):
    packed = ENCODERS[name](bytes(range(256)) * 40)
    for end in (1, len(packed) // 2, len(packed) - 1):
        try:
            _, complete = decode(name, packed[:end])
        except EncodingError:
            continue
        assert not complete


@pytest.mark.parametrize("name", ENCODERS)
@given(garbage=st.binary(min_size=20, max_size=200))
def test_garbage_is_refused_or_incomplete_but_never_crashes(name, garbage):
    with contextlib.suppress(EncodingError):
        decode(name, garbage)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_bomb_goes_off_in_small_pieces(name):
    packed = ENCODERS[name](bytes(24_000_000))
    total = 0
    for piece in StackedDecoder(name).decode(packed):
        assert len(piece) <= 5 << 20
        total += len(piece)
        if total > 12_000_000:
            break
    assert total > 12_000_000


def test_identity_and_empty_names_change_nothing():
    assert decode("identity, ,IDENTITY", b"as it is") == (b"as it is", True)


def test_an_unknown_coding_is_named():
    with pytest.raises(EncodingError, match="'snappy' is not supported"):
        StackedDecoder("gzip, snappy")


def test_nobody_stacks_that_many():
    with pytest.raises(EncodingError, match="stacks 6 codings"):
        StackedDecoder(", ".join(["gzip"] * 6))


def test_all_decoders_are_tested():
    assert set(DECODERS) == set(ENCODERS)
