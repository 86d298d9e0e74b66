import gzip

import pytest
from mitmproxy.test import tutils

from addon.interceptor.bodies import BodyTooLargeError, unpack
from addon.neutral import ClientRequestError
from tests.engine.test_encodings import ENCODERS


def request(body, content_encoding=None):
    made = tutils.treq(content=body)
    if content_encoding:
        made.headers["content-encoding"] = content_encoding
    return made


@pytest.mark.parametrize("name", ENCODERS)
def test_a_packed_body_is_unpacked(name):
    assert unpack(request(ENCODERS[name](b"{}"), name), 100) == b"{}"


def test_codings_may_be_stacked():
    assert unpack(request(ENCODERS["br"](gzip.compress(b"{}")), "gzip, br"), 100) == b"{}"


def test_a_plain_body_is_as_it_is():
    assert unpack(request(b"\x1f\x8b"), 100) == b"\x1f\x8b"
    assert unpack(request(None), 100) == b""


@pytest.mark.parametrize("name", [None, *ENCODERS])
def test_a_body_beyond_the_limit_is_refused(name):
    body = bytes(1_000_000)
    packed = ENCODERS[name](body) if name else body
    with pytest.raises(BodyTooLargeError, match="detour_body_limit") as caught:
        unpack(request(packed, name), 999_999)
    assert caught.value.to_error_info().kind == "too_large"
    assert unpack(request(packed, name), 1_000_000) == body


@pytest.mark.parametrize(
    ("body", "content_encoding", "complaint"),
    [
        (b"not gzip", "gzip", "not valid gzip"),
        (gzip.compress(b"{}" * 100)[:-9], "gzip", "ends too early"),
        (b"{}", "snappy", "'snappy' is not supported"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_refused(body, content_encoding, complaint):
    with pytest.raises(ClientRequestError, match=complaint):
        unpack(request(body, content_encoding), 1000)
