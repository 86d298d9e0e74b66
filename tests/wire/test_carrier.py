import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.neutral import OpaqueState
from addon.wire import carrier
from addon.wire.carrier import Carried, mint, read

names = st.sampled_from(["anthropic", "gemini", "openai-responses"])
states = st.builds(OpaqueState, names, st.text(), st.sampled_from(["signature", "redacted"]))
pieces = st.one_of(
    st.builds(Carried, st.text(), st.none() | states),
    st.builds(Carried, st.text(), states, st.text(min_size=1)),
    st.builds(Carried, st.text(), states, st.just(""), st.just(True)),
)


@given(st.lists(pieces, min_size=1))
def test_state_of_every_format_comes_back_as_it_was(several):
    envelope = mint(several)
    assert envelope.startswith("dt1.")
    assert read(envelope) == tuple(several)
    assert mint(several) == envelope


@given(st.text())
def test_foreign_text_is_none_of_ours(words):
    assert read(words) is None
    assert read("gAAAA" + words) is None


@given(st.lists(pieces, min_size=1), st.data())
def test_a_damaged_envelope_raises_nothing(several, data):
    envelope = mint(several)
    at = data.draw(st.integers(4, len(envelope) - 1))
    read(envelope[:at])
    read(envelope[:at] + data.draw(st.characters()) + envelope[at + 1 :])


@given(st.binary())
def test_any_payload_is_read_or_refused(payload):
    packed = base64.urlsafe_b64encode(zlib.compress(payload)).decode()
    read(carrier.PREFIX + packed)


@pytest.mark.parametrize("rows", [b"[]", b"{}", b"[[1,2,3,4,5]]", b'[["a"]]', b"null", b'"x"'])
def test_a_payload_of_another_shape_is_refused(rows):
    assert read("dt1." + base64.urlsafe_b64encode(zlib.compress(rows)).decode()) is None


def test_a_bomb_is_not_unpacked():
    bomb = zlib.compress(b'[["' + b"a" * 40_000_000 + b'","","","",""]]')
    assert read("dt1." + base64.urlsafe_b64encode(bomb).decode()) is None


def test_what_is_too_long_is_not_minted():
    noise = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(1_000_000))
    assert mint([Carried(noise)]) == ""
    assert read("dt1." + "A" * (carrier.LONGEST + 1)) is None
