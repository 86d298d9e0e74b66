"""What an agent says on a socket: `response.create` and `response.steer`.

Follows https://developers.openai.com/api/docs/guides/websocket-mode. The fields of a
`response.create` are those of the body of `POST /v1/responses`, beside a few of its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from addon.neutral import ErrorInfo
from addon.wire.codec import decode_object, encode
from addon.wire.json_edit import edit_object

CREATE = "response.create"
STEER = "response.steer"


class Create(msgspec.Struct, frozen=True, kw_only=True):
    """The agent wants a response."""

    body: bytes
    """The same as a body of `POST /v1/responses` that asks for a stream."""
    stream_id: str | None = None
    """The lane that the response belongs to."""
    generates: bool = True
    """False: only an id is wanted, to go on from."""


class Steer(msgspec.Struct, frozen=True, kw_only=True):
    """The agent wants to say something to a response that is being made."""

    previous: str
    """The response."""
    input: object


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """A message that cannot be understood."""

    error: ErrorInfo
    stream_id: str | None = None


type Message = Create | Steer | Misfit


class _Envelope(msgspec.Struct):
    """The fields that matter here; the rest of a message, which may be long, is skipped."""

    type: Any = None
    stream_id: Any = None
    generate: Any = None
    background: Any = None


_read_envelope = msgspec.json.Decoder(_Envelope).decode
_CHANGES: dict[str, bytes | None] = {
    "type": None,
    "stream_id": None,
    "generate": None,
    "background": None,
    "stream": b"true",
}
"""What makes a message the body of a call."""


def read_message(data: bytes) -> Message:
    """Read one message of an agent."""
    try:
        envelope = _read_envelope(data)
        body = edit_object(data, _CHANGES) if envelope.type == CREATE else b""
    except (ValueError, RecursionError):
        # JSON that is not quite right is understood like that of a body.
        wire = decode_object(data)
        if wire is None:
            return _misfit("The message is not a JSON object.")
        known = {name: wire.get(name) for name in _Envelope.__struct_fields__}
        envelope = _Envelope(**known)
        kept = {key: value for key, value in wire.items() if key not in _CHANGES}
        body = encode({**kept, "stream": True})
    if envelope.stream_id is not None and not isinstance(envelope.stream_id, str):
        return _misfit("`stream_id` must be text.", "stream_id")
    match envelope.type:
        case "response.create":
            return _read_create(envelope, body)
        case "response.steer":
            return _read_steer(data)
        case None:
            return _misfit("The message has no `type`.", "type", envelope.stream_id)
        case other:
            message = f"Unknown type {other!r}; expected `{CREATE}` or `{STEER}`."
            return _misfit(message, "type", envelope.stream_id)


def _read_create(envelope: _Envelope, body: bytes) -> Message:
    if envelope.background:
        message = "`background` is not supported on a WebSocket."
        return _misfit(message, "background", envelope.stream_id)
    return Create(body=body, stream_id=envelope.stream_id, generates=envelope.generate is not False)


def _read_steer(data: bytes) -> Message:
    wire = decode_object(data) or {}
    previous = wire.get("previous_response_id")
    if not isinstance(previous, str):
        return _misfit("`previous_response_id` is missing.", "previous_response_id")
    return Steer(previous=previous, input=wire.get("input"))


def _misfit(message: str, param: str | None = None, stream_id: str | None = None) -> Misfit:
    return Misfit(error=ErrorInfo("invalid_request", message, param=param), stream_id=stream_id)
