"""Make a request whole that leans on what was said before, and remember what is said now.

    turn = history.begin(body)          # raises StateError where something is not known
    ... send turn.body, which leans on nothing, and get the response ...
    history.finish(turn, response)      # the bytes of the final response object

`turn.body` holds the whole input: that of the earlier responses with their outputs (instructions
are not inherited, as at OpenAI), or the items of the conversation, then what the request brought,
every `item_reference` in it resolved. All bytes are those that came in, so the input of a turn
begins with that of the turn before.

A connection that remembers by itself (WebSocket mode goes on from responses with `store: false`)
gives its history a second archive, over a `MemoryVault` of its own: it is asked first, and keeps
also what the agent does not want stored.

Follows https://platform.openai.com/docs/guides/conversation-state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from addon.neutral import ClientRequestError
from addon.stateful.archive import Archive
from addon.stateful.documents import (
    RESPONSE_PREFIX,
    Answer,
    Entry,
    StoredConversation,
    StoredResponse,
    read_answer,
)
from addon.stateful.errors import (
    StateError,
    conversation_not_found,
    item_not_found,
    previous_response_not_found,
)
from addon.stateful.items import item_id, join_items, name_of, reference, split_input
from addon.stateful.turns import (
    Turn,
    read_conversation_id,
    read_fields,
    read_text,
)
from addon.wire.codec import encode
from addon.wire.json_edit import edit_object

_MARKS = (
    b'"previous_response_id"',
    b'"conversation"',
    b'"item_reference"',
    b'"store"',
    b'"background"',
)
_BARE_REFERENCE = re.compile(rb'\{\s*"id"\s*:\s*"[^"]*"\s*\}')
_RUNNING = ("queued", "in_progress")


class History:
    """What was said, by response and by conversation."""

    def __init__(self, archive: Archive, local: Archive | None = None) -> None:
        """Look into one archive, or two.

        Args:
            archive: Keeps responses unless the agent says `store: false`.
            local: Is asked first, and keeps every response.
        """
        self._archive = archive
        self._local = local
        self._places = (archive,) if local is None else (local, archive)

    def begin(self, body: bytes) -> Turn:
        """Make a request whole; the same bytes where it leans on nothing.

        Raises:
            StateError: It leans on something that is not known.
            ClientRequestError: It is not what the format allows.
        """
        if not any(mark in body for mark in _MARKS) and not _has_bare_reference(body):
            return Turn(request=body, body=body)
        fields = read_fields(body)
        turn = Turn(
            request=body,
            body=body,
            stores=fields.get("store") != b"false",
            background=fields.get("background") == b"true",
            previous=read_text(fields, "previous_response_id"),
            conversation=read_conversation_id(fields),
        )
        if turn.background and not turn.stores:
            raise StateError("Background mode requires `store` to be true.", param="store")
        if turn.previous and turn.conversation:
            raise StateError(
                "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure "
                "you are only providing one of: 'previous_response_id' or 'conversation'.",
                code="mutually_exclusive_parameters",
            )
        brought = split_input(fields.get("input", b"null"))
        turn.brought, turn.keepers = self._resolve(brought)
        changes: dict[str, bytes | None] = {}
        if turn.previous:
            turn.past, keepers = self._chain(turn.previous)
            turn.keepers |= keepers
            changes["previous_response_id"] = None
        elif turn.conversation:
            turn.before, turn.past = self._conversation(turn.conversation)
            changes["conversation"] = None
        if changes or turn.brought is not brought:
            changes["input"] = join_items([*turn.past, *turn.brought])
            turn.body = edit_object(body, changes)
        return turn

    def finish(
        self,
        turn: Turn,
        response: bytes | Mapping[str, Any],
        keeper: str = "",
        *,
        streamed: bool = False,
    ) -> None:
        """Remember a response, and append to the conversation; what cannot be read is left out.

        Args:
            turn: What `begin` returned.
            response: The final response object, as JSON or decoded.
            keeper: The provider that keeps the response itself, if any.
            streamed: Whether the agent asked for a stream.
        """
        raw = response if isinstance(response, bytes) else encode(response)
        try:
            answer = read_answer(raw)
            brought = turn.own_items()
        except (msgspec.DecodeError, ClientRequestError):
            return
        if not answer.id:
            return
        for archive in self._keeping(turn):
            if not answer.id.startswith(RESPONSE_PREFIX) and archive.response(answer.id):
                # Some small servers count from one again: nobody can say which of the two is meant.
                archive.delete_response(answer.id)
                continue
            document = self.document(turn, raw, keeper, archive)
            document.streamed = streamed
            archive.save_response(answer.id, document)
        if turn.conversation and answer.status in ("completed", "incomplete"):
            self._append(turn.conversation, brought, answer)

    def document(
        self, turn: Turn, response: bytes, keeper: str = "", archive: Archive | None = None
    ) -> StoredResponse:
        """Make the document of a response, whose items are kept from now on.

        Raises:
            ClientRequestError: The request's input cannot be read.
        """
        archive = archive or self._archive
        if turn.before:
            archive.keep_items(turn.past)
        return StoredResponse(
            response=msgspec.Raw(response),
            stored_at=archive.now(),
            input=archive.keep_items(turn.own_items()),
            before=turn.before,
            previous=turn.previous or "",
            keeper=keeper,
            background=turn.background,
        )

    def made_from(self, response_id: str) -> list[tuple[str, bytes]] | None:
        """Return id and bytes of all items that a response was made from; None: it is not known."""
        named: list[tuple[str, bytes]] = []
        try:
            links = self._links(response_id)
        except StateError:
            document = self._find(response_id)
            if document is None:
                return None
            links = [(response_id, document)]  # what came before has been deleted
        for link_id, link in links:
            before, own = self._input(link) or ([], [])
            named += [(entry.id, item) for entry, item in zip(link.before, before, strict=False)]
            named += [(item_id(item, link_id, index), item) for index, item in enumerate(own)]
            if link_id != response_id:
                named += [(name_of(item).id or "", item) for item in _output(link)]
        return named

    def _keeping(self, turn: Turn) -> Iterator[Archive]:
        if self._local is not None:
            yield self._local
        if turn.stores and self._archive is not self._local:
            yield self._archive

    def _find(self, response_id: str) -> StoredResponse | None:
        for place in self._places:
            if (document := place.response(response_id)) is not None:
                return document
        return None

    def _input(self, link: StoredResponse) -> tuple[list[bytes], list[bytes]] | None:
        """Return what a response's conversation held, and what its request brought."""
        digests = [*(entry.digest for entry in link.before), *link.input]
        for place in self._places:
            if (items := place.items(digests)) is not None:
                count = len(link.before)
                return items[:count], items[count:]
        return None

    def _links(self, response_id: str) -> list[tuple[str, StoredResponse]]:
        """Return a response and all that it goes on from, the oldest first.

        Raises:
            StateError: One of them is not here.
        """
        links: list[tuple[str, StoredResponse]] = []
        following = response_id
        while following:
            link = self._find(following)
            if link is None:
                raise previous_response_not_found(following)
            links.append((following, link))
            following = link.previous
        return links[::-1]

    def _chain(self, response_id: str) -> tuple[list[bytes], frozenset[str]]:
        """Gather everything up to and including a response."""
        links = [link for _, link in self._links(response_id)]
        if read_answer(links[-1].response).status in _RUNNING:
            raise StateError(
                f"Response '{response_id}' has not ended yet; wait until its status is "
                "'completed', or cancel it.",
                param="previous_response_id",
            )
        past: list[bytes] = []
        for link in links:
            found = self._input(link)
            if found is None:
                raise previous_response_not_found(response_id)
            before, own = found
            past += [*before, *own, *_output(link)]
        return past, frozenset(link.keeper for link in links)

    def _conversation(self, conversation_id: str) -> tuple[list[Entry], list[bytes]]:
        found = self._archive.conversation(conversation_id)
        items = None
        if found is not None:
            items = self._archive.items([entry.digest for entry in found.items])
        if found is None or items is None:
            raise conversation_not_found(conversation_id)
        return found.items, items

    def _append(self, conversation_id: str, brought: list[bytes], answer: Answer) -> None:
        conversation = self._archive.conversation(conversation_id)
        if conversation is None:  # deleted meanwhile
            return
        append(self._archive, conversation, [*brought, *map(bytes, answer.output)], answer.id)

    def _resolve(self, brought: list[bytes]) -> tuple[list[bytes], frozenset[str]]:
        """Put what is referred to in the place of each reference."""
        wanted = [reference(item) for item in brought]
        names = [name for name in wanted if name]
        if not names:
            return brought, frozenset()
        found: dict[str, bytes] = {}
        keepers: set[str] = set()
        for place in self._places:
            for owner in dict.fromkeys(place.owners(names).values()):
                found |= _owned(place, owner, keepers)
        for name in names:
            if name not in found:
                raise item_not_found(name)
        resolved = [
            found[name] if name else item for name, item in zip(wanted, brought, strict=True)
        ]
        return resolved, frozenset(keepers)


def append(
    archive: Archive, conversation: StoredConversation, items: list[bytes], owner: str
) -> list[Entry]:
    """Append items to a conversation and return their entries.

    Args:
        archive: Where the conversation is kept.
        conversation: What to append to.
        items: The new items.
        owner: Makes the ids of items that have none their own.
    """
    begin = len(conversation.items)
    added = [
        Entry(item_id(item, owner, begin + index), digest)
        for index, (item, digest) in enumerate(zip(items, archive.keep_items(items), strict=True))
    ]
    conversation.items = [*conversation.items, *added]
    archive.save_conversation(conversation, [entry.id for entry in added])
    return added


def _has_bare_reference(body: bytes) -> bool:
    return b'"id"' in body and _BARE_REFERENCE.search(body) is not None


def _owned(place: Archive, owner: str, keepers: set[str]) -> dict[str, bytes]:
    """Return the items of a response or conversation by their ids."""
    if (document := place.response(owner)) is not None:
        keepers.add(document.keeper)
        return {name_of(item).id or "": item for item in _output(document)}
    conversation = place.conversation(owner)
    if conversation is None:
        return {}
    keepers.add("")
    items = place.items([entry.digest for entry in conversation.items]) or []
    return {entry.id: item for entry, item in zip(conversation.items, items, strict=False)}


def _output(document: StoredResponse) -> list[bytes]:
    return [bytes(item) for item in read_answer(document.response).output]
