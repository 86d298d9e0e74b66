"""Find the finished response in what an agent is sent."""

from __future__ import annotations

import msgspec

from addon.wire.sse import SseDecoder

_ENDINGS = (b"response.completed", b"response.incomplete", b"response.failed")


class _Event(msgspec.Struct):
    type: str = ""
    response: msgspec.Raw = msgspec.Raw(b"")


_read = msgspec.json.Decoder(_Event).decode


def final_response(events: bytes) -> bytes | None:
    """Return the response object of the event that ends a stream.

    Args:
        events: Whole server-sent events.

    Returns:
        None where none of them ends it.
    """
    if not any(ending in events for ending in _ENDINGS):
        return None
    for event in SseDecoder().feed(events):
        try:
            read = _read(event.data)
        except msgspec.DecodeError:
            continue
        if read.type.encode() in _ENDINGS and read.response:
            return bytes(read.response)
    return None
