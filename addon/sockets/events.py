"""What an agent is told on a socket: the events of a stream, each a message of its own.

An error before a response has begun is a message with a status, as the call by HTTP would have had.
But agents give up at once where such a status says that they come too often or with too much; in a
`response.failed` they read how to go on.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from addon.formats.base import RequestLine
from addon.formats.openai_responses import FORMAT
from addon.neutral import (
    ErrorInfo,
    ErrorKind,
    Event,
    ResponseEnd,
    ResponseStart,
    StreamError,
    Usage,
)
from addon.sockets.messages import Steer
from addon.wire.codec import decode_object, encode
from addon.wire.openai_errors import error_object, parse_error_object
from addon.wire.sse import SseDecoder

EXPIRED = "websocket_connection_limit_reached"
_TOLD_AS_FAILURE: frozenset[ErrorKind] = frozenset(("rate_limit", "overloaded", "context_length"))
_TERMINAL = frozenset((b"response.completed", b"response.incomplete", b"response.failed"))
_WITH_RESPONSE = _TERMINAL | {b"response.created", b"response.in_progress"}
_NO_PREVIOUS = re.compile(rb'"previous_response_id": ?null')
_STATUS_OF_EXPIRY = 400


class _Typed(msgspec.Struct):
    type: str = ""


class _Terminal(msgspec.Struct):
    response: msgspec.Raw = msgspec.Raw()


_read_type = msgspec.json.Decoder(_Typed).decode
_read_terminal = msgspec.json.Decoder(_Terminal).decode


class EventWriter:
    """Turns one stream of server-sent events into messages."""

    def __init__(self, stream_id: str | None = None) -> None:
        self._decoder = SseDecoder()
        self._suffix = b"}" if stream_id is None else b',"stream_id":' + encode(stream_id) + b"}"
        self._plain = stream_id is None
        self._held: bytes | None = None
        self.previous: str | None = None
        """The response that this one goes on from, of which whoever answers is not told."""
        self.ended = False
        """Whether the agent has been told an end."""
        self.response = b""
        """The response as it was in the end, once that was told."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes of the stream and return the messages that they complete."""
        messages: list[bytes] = []
        for event in self._decoder.feed(chunk):
            data = event.data
            name = event.name or _type_of(data)
            if self.previous is not None and name in _WITH_RESPONSE:
                data = _NO_PREVIOUS.sub(self._tell_previous, data, 1)
            if name == b"error":
                # The failure that follows tells the same, and some agents would not get to it.
                self._held = data
                continue
            if name in _TERMINAL:
                self._held = None
                self.ended = True
                self.response = bytes(_read_terminal(data).response)
            elif data == b"[DONE]":
                continue
            messages.append(self._write(data))
        return messages

    def close(self) -> list[bytes]:
        """Return what the agent has still to be told now that the stream has ended."""
        if self.ended:
            return []
        held = None if self._held is None else decode_object(self._held)
        self.ended = True
        cut = ErrorInfo("cut", "The provider's answer ended before it was whole.")
        return [self._write(error_message(parse_error_object(held) if held else cut))]

    def refuse(self, error: ErrorInfo, body: bytes, identifier: str) -> list[bytes]:
        """Return what tells that a response cannot even begin."""
        if error.kind not in _TOLD_AS_FAILURE:
            self.ended = True
            return [self._write(error_message(error))]
        return self._tell(body, ResponseStart(identifier, ""), StreamError(error))

    def warm_up(self, body: bytes, identifier: str) -> list[bytes]:
        """Return a response that says nothing, and only gives an id to go on from."""
        usage = Usage(input_tokens=0, output_tokens=0)
        end = ResponseEnd("stop", usage=usage)
        return self._tell(body, ResponseStart(identifier, ""), end)

    def _tell(self, body: bytes, *events: Event) -> list[bytes]:
        encoder = FORMAT.encoder(FORMAT.reply(body, RequestLine()))
        return [message for event in events for message in self.feed(encoder.encode(event))]

    def _tell_previous(self, _: object) -> bytes:
        return b'"previous_response_id":' + encode(self.previous)

    def _write(self, data: bytes) -> bytes:
        return data if self._plain else data.rstrip()[:-1] + self._suffix


def error_message(error: ErrorInfo) -> bytes:
    """Write an error that is not part of a response."""
    rendered = FORMAT.render_error(error)
    headers = {name: value for name, value in rendered.headers if name != "content-type"}
    wire: dict[str, Any] = {
        "type": "error",
        "status": _STATUS_OF_EXPIRY if error.code == EXPIRED else rendered.status,
        **error_object(error),
    }
    if headers:
        # The SDKs look for them within, Codex beside the error.
        wire["error"]["headers"] = headers
        wire["headers"] = headers
    return encode(wire)


def steer_refusal(steer: Steer) -> bytes:
    """Write that nothing can be said to a response that is being made; agents say it later."""
    return encode(
        {
            "type": "response.steer.failed",
            "sequence_number": 0,
            "error": {
                "type": "invalid_request_error",
                "code": "steering_not_supported",
                "message": "Detour cannot steer a response that another provider is making. Send "
                "the input with the next response.create.",
            },
            "steer": {"previous_response_id": steer.previous, "input": steer.input},
        }
    )


def _type_of(data: bytes) -> bytes:
    try:
        return _read_type(data).type.encode()
    except msgspec.DecodeError:
        return b""
