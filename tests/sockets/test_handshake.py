import pytest

from addon.formats.base import header
from addon.sockets import shake_hands

# The example of RFC 6455, section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def shake(**changes):
    fields = UPGRADE | {name.replace("_", "-"): value for name, value in changes.items()}
    return shake_hands(tuple((name, value) for name, value in fields.items() if value is not None))


def test_the_example_of_the_standard():
    granted = shake()
    assert granted.head.status == 101
    assert header(granted.head.headers, "sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert header(granted.head.headers, "upgrade") == "websocket"
    assert header(granted.head.headers, "sec-websocket-extensions") is None
    assert granted.deflate is None


@pytest.mark.parametrize(
    "changes",
    [
        {"Connection": "keep-alive"},
        {"Connection": None},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Version": None},
        {"Sec-WebSocket-Key": None},
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": "ä"},
    ],
)
def test_what_is_no_proper_upgrade_is_not_granted(changes):
    assert shake(**changes) is None


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", "permessage-deflate"),
        (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=15",
        ),
        (
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=10",
        ),
        ("x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; server_max_window_bits=3, permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; server_max_window_bits=many", None),
        ("permessage-bzip2", None),
        ("ä", None),
    ],
)
def test_compression_is_granted_as_offered(offer, answer):
    granted = shake(Sec_WebSocket_Extensions=offer)
    assert header(granted.head.headers, "sec-websocket-extensions") == answer
    assert (granted.deflate is None) == (answer is None)
