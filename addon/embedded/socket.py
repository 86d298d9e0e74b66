"""A WebSocket's server side: JSON messages in and out (RFC 6455)."""

from __future__ import annotations

from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.utilities import generate_accept_token

from addon.embedded.connection import Connection, ReceivedRequest
from addon.embedded.endpoint import Conversation
from addon.embedded.refusal import Refusal
from addon.wire.codec import encode

PROTOCOL = "realtime"
"""The only name of a protocol that is agreed to."""
_READ_SIZE = 65536


def check_handshake(request: ReceivedRequest) -> None:
    """Check that a request asks for a WebSocket.

    Raises:
        Refusal: It does not.
    """
    asks = (request.header("upgrade") or "").lower() == "websocket"
    if not asks or request.header("sec-websocket-version") != "13":
        raise Refusal("You must provide a valid WebSocket handshake.", status=426)
    if not request.header("sec-websocket-key"):
        raise Refusal("The header 'Sec-WebSocket-Key' is missing.")


async def converse(
    request: ReceivedRequest, connection: Connection, conversation: Conversation
) -> None:
    """Shake hands and answer messages until the client closes."""
    key = (request.header("sec-websocket-key") or "").encode()
    headers = [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-accept", generate_accept_token(key).decode()),
    ]
    offered = (request.header("sec-websocket-protocol") or "").split(",")
    if PROTOCOL in [name.strip() for name in offered]:
        headers.append(("sec-websocket-protocol", PROTOCOL))
    reader = await connection.upgrade(headers)
    frames = Frames(ConnectionType.SERVER)
    await connection.write_raw(frames.send(TextMessage(encode(conversation.opening()).decode())))
    message = b""
    while data := await reader.read(_READ_SIZE):
        frames.receive_data(data)
        for event in frames.events():
            match event:
                case TextMessage() | BytesMessage():
                    piece = event.data
                    message += piece.encode() if isinstance(piece, str) else bytes(piece)
                    if not event.message_finished:
                        continue
                    for said in conversation.answer(message):
                        text = TextMessage(encode(said).decode())
                        await connection.write_raw(frames.send(text))
                    message = b""
                case Ping():
                    await connection.write_raw(frames.send(event.response()))
                case CloseConnection():
                    await connection.write_raw(frames.send(event.response()))
                    return
                case _:
                    pass
