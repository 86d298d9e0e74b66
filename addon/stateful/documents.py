"""What is stored of a response and of a conversation.

Items are stored apart, under the digest of their bytes, and documents list those digests: an agent
that sends its whole history with every call would otherwise have each item stored once a turn.
"""

from __future__ import annotations

from typing import Any

import msgspec

from addon.wire.codec import encode

RESPONSE_PREFIX = "resp_dt"
CONVERSATION_PREFIX = "conv_dt"
"""How the ids begin that are made up here; they cannot be guessed, and are never used twice."""

RESPONSE = "response"
CONVERSATION = "conversation"
ITEM = "item"
"""Bytes of an item by digest, and by item id what it belongs to."""
EVENTS = "events"
"""The stream of a background response, packed, by response id."""


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """One item of a conversation."""

    id: str
    digest: str


class StoredResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One response and what it was made from."""

    response: msgspec.Raw
    """The object as the agent gets it."""
    stored_at: float
    """Unix time."""
    input: list[str] = []
    """Digests of the items that the request itself brought."""
    before: list[Entry] = []
    """What its conversation held before."""
    previous: str = ""
    """The response that this one goes on from."""
    keeper: str = ""
    """Id of the provider that keeps the response too; empty: it is kept here alone."""
    background: bool = False
    streamed: bool = False
    """Whether it was asked for as a stream."""
    lease: float = 0.0
    """Unix time until which whoever runs it has vouched for it; 0: nobody runs it."""


class StoredConversation(msgspec.Struct, kw_only=True):
    """One conversation."""

    id: str
    created_at: int
    metadata: dict[str, Any] = {}
    items: list[Entry] = []

    def to_wire(self) -> dict[str, Any]:
        """Write the object as agents get it."""
        return {
            "id": self.id,
            "object": "conversation",
            "created_at": self.created_at,
            "metadata": self.metadata,
        }


class Answer(msgspec.Struct):
    """The part of a response object that a history is made of."""

    id: str
    output: list[msgspec.Raw] = []
    status: str = "completed"


class Named(msgspec.Struct):
    """The part of an item that identifies it."""

    id: str | None = None
    type: str | None = None
    role: str | None = None


read_answer = msgspec.json.Decoder(Answer).decode
read_name = msgspec.json.Decoder(Named).decode
read_response = msgspec.json.Decoder(StoredResponse).decode
read_conversation = msgspec.json.Decoder(StoredConversation).decode
write = encode
