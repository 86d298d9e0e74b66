"""Documents by id, on top of a vault."""

from __future__ import annotations

import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence

import msgspec

from addon.stateful.documents import (
    CONVERSATION,
    EVENTS,
    ITEM,
    RESPONSE,
    StoredConversation,
    StoredResponse,
    read_answer,
    read_conversation,
    read_name,
    read_response,
    write,
)
from addon.vault import Vault

LIFETIME = 30 * 86400.0
"""Seconds for which a response is kept, as at OpenAI."""
_FRESH = 600.0
"""Seconds for which an item that was stored need not be stored again.

Storing counts as using, and a vault drops what was used longest ago: an item that new documents go
on naming has to be stored again from time to time.
"""
_MOST_FRESH = 100_000


class Archive:
    """Reads and writes documents; what has been pruned or damaged counts as never stored."""

    def __init__(self, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        self._vault = vault
        self._clock = clock
        self._fresh: dict[str, float] = {}

    def now(self) -> float:
        """Return the unix time."""
        return self._clock()

    def response(self, response_id: str) -> StoredResponse | None:
        """Find a response."""
        found = self._vault.get(RESPONSE, (response_id,)).get(response_id)
        try:
            document = None if found is None else read_response(found)
        except msgspec.DecodeError:
            return None
        if document is None or document.stored_at + LIFETIME < self._clock():
            return None
        return document

    def save_response(self, response_id: str, document: StoredResponse) -> None:
        """Keep a response, and know its output items by their ids."""
        values = {response_id: write(document)}
        self._vault.put(RESPONSE, values)
        names = (read_name(item).id for item in read_answer(document.response).output)
        self._own(response_id, (name for name in names if name))

    def delete_response(self, response_id: str) -> None:
        """Forget a response; items stay for as long as other documents may name them."""
        self._vault.delete(RESPONSE, (response_id,))
        self._vault.delete(EVENTS, (response_id,))

    def conversation(self, conversation_id: str) -> StoredConversation | None:
        """Find a conversation."""
        found = self._vault.get(CONVERSATION, (conversation_id,)).get(conversation_id)
        try:
            return None if found is None else read_conversation(found)
        except msgspec.DecodeError:
            return None

    def save_conversation(self, document: StoredConversation, new: Iterable[str] = ()) -> None:
        """Keep a conversation, and know its `new` items by their ids."""
        self._vault.put(CONVERSATION, {document.id: write(document)})
        self._own(document.id, new)

    def delete_conversation(self, conversation_id: str) -> None:
        """Forget a conversation."""
        self._vault.delete(CONVERSATION, (conversation_id,))

    def owners(self, item_ids: Sequence[str]) -> dict[str, str]:
        """Return which response or conversation each item belongs to, where that is known."""
        found = self._vault.get(ITEM, item_ids)
        return {name: owner.decode() for name, owner in found.items()}

    def keep_items(self, items: Sequence[bytes]) -> list[str]:
        """Keep items and return their digests."""
        digests = [_digest(item) for item in items]
        now = self._clock()
        stale = {
            digest: item
            for digest, item in zip(digests, items, strict=True)
            if self._fresh.get(digest, 0.0) < now - _FRESH
        }
        if stale:
            self._vault.put(ITEM, stale)
            if len(self._fresh) + len(stale) > _MOST_FRESH:
                self._fresh.clear()
            self._fresh.update(dict.fromkeys(stale, now))
        return digests

    def items(self, digests: Sequence[str]) -> list[bytes] | None:
        """Return items by digest; None when one is missing."""
        found = self._vault.get(ITEM, dict.fromkeys(digests))
        items = [found.get(digest) for digest in digests]
        return None if None in items else [item for item in items if item is not None]

    def save_events(self, response_id: str, events: bytes) -> None:
        """Keep the packed stream of a response."""
        self._vault.put(EVENTS, {response_id: events})

    def events(self, response_id: str) -> bytes | None:
        """Return the packed stream of a response."""
        return self._vault.get(EVENTS, (response_id,)).get(response_id)

    def _own(self, owner: str, item_ids: Iterable[str]) -> None:
        owned = dict.fromkeys(item_ids, owner.encode())
        if owned:
            self._vault.put(ITEM, owned)


def _digest(item: bytes) -> str:
    return urlsafe_b64encode(hashlib.blake2b(item, digest_size=18).digest()).decode()
