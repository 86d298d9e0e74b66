"""Responses that have been made: looked at, listed and deleted by their id.

Follows https://platform.openai.com/docs/api-reference/responses.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from addon.stateful.archive import Archive
from addon.stateful.documents import RESPONSE_PREFIX, StoredResponse
from addon.stateful.errors import StateError, response_not_found
from addon.stateful.history import History
from addon.stateful.items import shown
from addon.stateful.listing import page, render_list
from addon.wire.codec import decode_object, encode

_RUNNING = ("queued", "in_progress")
INTERRUPTED = {
    "code": "server_error",
    "message": "Detour was stopped while this response was being made. Send the request again.",
}


def new_id() -> str:
    """Make up the id of a response; it cannot be guessed."""
    return f"{RESPONSE_PREFIX}{secrets.token_hex(24)}"


def find(archive: Archive, response_id: str) -> StoredResponse | None:
    """Return a response; None where it is not known and not of here.

    One whose maker has not vouched for it any more has failed.

    Raises:
        StateError: It is of here, and is gone.
    """
    document = archive.response(response_id)
    if document is None:
        if response_id.startswith(RESPONSE_PREFIX):
            raise response_not_found(response_id)
        return None
    if document.lease and document.lease < archive.now():
        document = ended(document, "failed", INTERRUPTED)
        archive.save_response(response_id, document)
    return document


def ended(
    document: StoredResponse, status: str, error: Mapping[str, Any] | None = None
) -> StoredResponse:
    """Return a document whose response has ended in another way than by its last event."""
    wire = decode_object(bytes(document.response)) or {}
    wire = {**wire, "status": status, "error": error}
    return msgspec.structs.replace(document, response=msgspec.Raw(encode(wire)), lease=0.0)


def is_running(document: StoredResponse) -> bool:
    """Tell whether a response is still being made."""
    wire = decode_object(bytes(document.response)) or {}
    return wire.get("status") in _RUNNING


def list_input(history: History, response_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """List what a response was made from.

    Raises:
        StateError: The query is wrong, or the response is gone.
    """
    items = history.made_from(response_id)
    if items is None:
        raise response_not_found(response_id)
    chosen, more = page(items, query, lambda named: named[0])
    return render_list([shown(item, name) for name, item in chosen], more=more)


def deletion(response_id: str) -> dict[str, Any]:
    """Say that a response is deleted."""
    return {"id": response_id, "object": "response", "deleted": True}


def refuse_cancelling(document: StoredResponse) -> None:
    """Complain where a response cannot be cancelled.

    Raises:
        StateError: It was not made in the background.
    """
    if not document.background:
        raise StateError("Cannot cancel a synchronous response.")
