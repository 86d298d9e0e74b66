"""Conversations: made, looked at and changed by their id.

Follows https://platform.openai.com/docs/api-reference/conversations.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from addon.neutral import ClientRequestError
from addon.stateful.addresses import Operation
from addon.stateful.archive import Archive
from addon.stateful.documents import CONVERSATION_PREFIX, Entry, StoredConversation
from addon.stateful.errors import StateError, conversation_not_found
from addon.stateful.history import append
from addon.stateful.items import shown, split_input
from addon.stateful.listing import page, render_list
from addon.wire.codec import decode_object
from addon.wire.json_edit import members
from addon.wire.reading import mapping

_MOST_ITEMS = 20
"""Items that one call may add."""
_MOST_METADATA = 16


def perform(
    archive: Archive, operation: Operation, query: Mapping[str, str], body: bytes
) -> dict[str, Any] | None:
    """Do what is asked and return the answer; None where the conversation is not known.

    Raises:
        StateError: It cannot be done.
        ClientRequestError: The body cannot be read.
    """
    if operation.action == "create conversation":
        return _create(archive, body)
    conversation = archive.conversation(operation.id)
    if conversation is None:
        if operation.id.startswith(CONVERSATION_PREFIX):
            raise conversation_not_found(operation.id)
        return None
    match operation.action:
        case "update conversation":
            conversation.metadata = _metadata(_fields(body))
            archive.save_conversation(conversation)
        case "delete conversation":
            archive.delete_conversation(conversation.id)
            return {"id": conversation.id, "object": "conversation.deleted", "deleted": True}
        case "list items":
            return _list(
                archive, conversation, *page(conversation.items, query, lambda entry: entry.id)
            )
        case "create items":
            return _list(archive, conversation, _add(archive, conversation, body), more=False)
        case "retrieve item" | "delete item":
            return _item(archive, conversation, operation)
        case _:
            pass
    return conversation.to_wire()


def _create(archive: Archive, body: bytes) -> dict[str, Any]:
    fields = _fields(body)
    conversation = StoredConversation(
        id=f"{CONVERSATION_PREFIX}{secrets.token_hex(24)}",
        created_at=int(archive.now()),
        metadata=_metadata(fields),
    )
    archive.save_conversation(conversation)
    if fields.get("items"):
        _add(archive, conversation, body)
    return conversation.to_wire()


def _add(archive: Archive, conversation: StoredConversation, body: bytes) -> list[Entry]:
    given = {member.key: body[member.value_start : member.value_end] for member in members(body)}
    items = split_input(given.get("items", b"null"))
    if not items:
        raise ClientRequestError("Missing required parameter: 'items'.", "items")
    if len(items) > _MOST_ITEMS:
        raise ClientRequestError(
            f"Invalid 'items': array too long. Expected an array with maximum length {_MOST_ITEMS}"
            f", but got an array with length {len(items)} instead.",
            "items",
            "array_above_max_length",
        )
    return append(archive, conversation, items, f"{conversation.id}:{secrets.token_hex(8)}")


def _list(
    archive: Archive,
    conversation: StoredConversation,
    items: list[Entry],
    more: bool,
) -> dict[str, Any]:
    found = archive.items([entry.digest for entry in items])
    if found is None:
        raise conversation_not_found(conversation.id)
    wires = [shown(item, entry.id) for entry, item in zip(items, found, strict=True)]
    return render_list(wires, more=more)


def _item(
    archive: Archive, conversation: StoredConversation, operation: Operation
) -> dict[str, Any]:
    kept = [entry for entry in conversation.items if entry.id != operation.item_id]
    chosen = [entry for entry in conversation.items if entry.id == operation.item_id]
    if not chosen:
        raise StateError(
            f"Item with id '{operation.item_id}' not found in conversation '{conversation.id}'.",
            status=404,
        )
    if operation.action == "delete item":
        conversation.items = kept
        archive.save_conversation(conversation)
        return conversation.to_wire()
    return _list(archive, conversation, chosen[:1], more=False)["data"][0]


def _fields(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    fields = decode_object(body)
    if fields is None:
        raise ClientRequestError("We could not parse the JSON body of your request.")
    return fields


def _metadata(fields: dict[str, Any]) -> dict[str, Any]:
    given = fields.get("metadata")
    metadata = mapping(given)
    words = all(isinstance(value, str) for value in metadata.values())
    if (given is not None and given != metadata) or not words or len(metadata) > _MOST_METADATA:
        raise ClientRequestError(
            f"Invalid 'metadata': expected an object of at most {_MOST_METADATA} texts.", "metadata"
        )
    return metadata
