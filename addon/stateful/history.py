"""Make a request whole that leans on what was said before, and remember what is said now.

    turn = history.begin(body)          # raises StateError where something is not known
    ... send turn.body, which refers to nothing, and get the response ...
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
from typing import Any, cast

import msgspec

from addon.neutral import ClientRequestError
from addon.stateful.archive import Archive
from addon.stateful.documents import (
    Answer,
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
from addon.wire.codec import decode, encode
from addon.wire.json_edit import edit_object, members

_MARKS = (b'"previous_response_id"', b'"conversation"', b'"item_reference"', b'"store"')
_BARE_REFERENCE = re.compile(rb'\{\s*"id"\s*:\s*"[^"]*"\s*\}')
_RUNNING = ("queued", "in_progress")


class Turn(msgspec.Struct, kw_only=True):
    """One request and what it refers to."""

    request: bytes
    """As the agent wrote it."""
    body: bytes
    """The same with its whole input, referring to nothing."""
    stores: bool = True
    """Whether the response is to be kept."""
    previous: str | None = None
    """The response that it goes on from."""
    conversation: str | None = None
    """The conversation that it belongs to."""
    keepers: frozenset[str] = frozenset()
    """Ids of the providers that keep what it goes on from; empty: it is kept here alone."""
    before: list[bytes] = []
    """What the conversation held."""
    brought: list[bytes] | None = None
    """The request's own items with references resolved; None: as they stand in `request`."""

    @property
    def refers(self) -> bool:
        """Whether the request leans on anything that is stored."""
        return self.body is not self.request


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
        """Make a request whole; the same bytes where it refers to nothing.

        Raises:
            StateError: It refers to something that is not known.
            ClientRequestError: It is not what the format allows.
        """
        if not any(mark in body for mark in _MARKS) and not _BARE_REFERENCE.search(body):
            return Turn(request=body, body=body)
        fields = self._fields(body)
        stores = fields.get("store") != b"false"
        previous = _text(fields, "previous_response_id")
        conversation = _conversation_id(fields)
        if previous and conversation:
            raise StateError(
                "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure "
                "you are only providing one of: 'previous_response_id' or 'conversation'.",
                code="mutually_exclusive_parameters",
            )
        brought = split_input(fields.get("input", b"null"))
        resolved, keepers = self._resolve(brought)
        if not previous and not conversation:
            if resolved is brought:
                return Turn(request=body, body=body, stores=stores)
            whole = edit_object(body, {"input": join_items(resolved)})
            return Turn(request=body, body=whole, stores=stores, keepers=keepers, brought=resolved)
        before: list[bytes] = []
        if previous:
            history, chain_keepers = self._chain(previous)
            keepers |= chain_keepers
        else:
            history = before = self._conversation_items(conversation or "")
        changes = {"previous_response_id": None, "conversation": None}
        whole = edit_object(body, {"input": join_items([*history, *resolved]), **changes})
        return Turn(
            request=body,
            body=whole,
            stores=stores,
            previous=previous,
            conversation=conversation,
            keepers=keepers,
            before=before,
            brought=resolved,
        )

    def finish(self, turn: Turn, response: bytes | Mapping[str, Any], keeper: str = "") -> None:
        """Remember a response, and append to the conversation; what cannot be read is left out.

        Args:
            turn: What `begin` returned.
            response: The final response object, as JSON or decoded.
            keeper: The provider that keeps the response itself, if any.
        """
        raw = response if isinstance(response, bytes) else encode(response)
        try:
            answer = read_answer(raw)
            brought = turn.brought
            if brought is None:
                brought = split_input(self._fields(turn.request).get("input", b"null"))
        except (msgspec.DecodeError, ClientRequestError):
            return
        if not answer.id:
            return
        for archive in {id(place): place for place in self._keeping(turn)}.values():
            document = self.document(turn, raw, keeper, archive)
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
        brought = turn.brought
        if brought is None:
            brought = split_input(self._fields(turn.request).get("input", b"null"))
        return StoredResponse(
            response=msgspec.Raw(response),
            stored_at=archive.now(),
            input=archive.keep_items(brought),
            before=archive.keep_items(turn.before),
            previous=turn.previous or "",
            keeper=keeper,
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
            items = self._items([*link.before, *link.input]) or []
            named += [(item_id(item, link_id, index), item) for index, item in enumerate(items)]
            if link_id != response_id:
                named += [(name_of(item).id or "", item) for item in _output(link)]
        return named

    def _fields(self, body: bytes) -> dict[str, bytes]:
        try:
            return {
                member.key: body[member.value_start : member.value_end] for member in members(body)
            }
        except ValueError:
            raise ClientRequestError("We could not parse the JSON body of your request.") from None

    def _keeping(self, turn: Turn) -> Iterator[Archive]:
        if turn.stores:
            yield self._archive
        if self._local is not None:
            yield self._local

    def _find(self, response_id: str) -> StoredResponse | None:
        for place in self._places:
            if (document := place.response(response_id)) is not None:
                return document
        return None

    def _items(self, digests: list[str]) -> list[bytes] | None:
        for place in self._places:
            if (items := place.items(digests)) is not None:
                return items
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
        history: list[bytes] = []
        for link in links:
            items = self._items([*link.before, *link.input])
            if items is None:
                raise previous_response_not_found(response_id)
            history += items
            history += _output(link)
        return history, frozenset(link.keeper for link in links)

    def _conversation_items(self, conversation_id: str) -> list[bytes]:
        found = self._archive.conversation(conversation_id)
        items = None
        if found is not None:
            items = self._archive.items([digest for _, digest in found.items])
        if items is None:
            raise conversation_not_found(conversation_id)
        return items

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
                found |= self._owned(place, owner, keepers)
        for name in names:
            if name not in found:
                raise item_not_found(name)
        resolved = [
            found[name] if name else item for name, item in zip(wanted, brought, strict=True)
        ]
        return resolved, frozenset(keepers)

    def _owned(self, place: Archive, owner: str, keepers: set[str]) -> dict[str, bytes]:
        """Return the items of a response or conversation by their ids."""
        if (document := place.response(owner)) is not None:
            keepers.add(document.keeper)
            return {name_of(item).id or "": item for item in _output(document)}
        conversation = place.conversation(owner)
        if conversation is None:
            return {}
        keepers.add("")
        items = place.items([digest for _, digest in conversation.items]) or []
        names = [name for name, _ in conversation.items]
        return dict(zip(names, items, strict=False))


def append(
    archive: Archive, conversation: StoredConversation, items: list[bytes], owner: str
) -> list[tuple[str, str]]:
    """Append items to a conversation and return their ids and digests.

    Args:
        archive: Where the conversation is kept.
        conversation: What to append to.
        items: The new items.
        owner: Makes the ids of items that have none their own.
    """
    begin = len(conversation.items)
    names = [item_id(item, owner, begin + index) for index, item in enumerate(items)]
    added = list(zip(names, archive.keep_items(items), strict=True))
    conversation.items = [*conversation.items, *added]
    archive.save_conversation(conversation, names)
    return added


def _output(document: StoredResponse) -> list[bytes]:
    return [bytes(item) for item in read_answer(document.response).output]


def _decode(fields: dict[str, bytes], key: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    try:
        return decode(fields.get(key, b"null"))
    except ValueError:
        raise ClientRequestError("We could not parse the JSON body of your request.") from None


def _text(fields: dict[str, bytes], key: str) -> str | None:
    value = _decode(fields, key)
    if value is not None and not isinstance(value, str):
        raise ClientRequestError(f"Invalid type for '{key}': expected a string.", key)
    return value or None


def _conversation_id(fields: dict[str, bytes]) -> str | None:
    value = _decode(fields, "conversation")
    given: object = value
    if isinstance(value, dict):
        given = cast("dict[str, object]", value).get("id")
    if given is not None and not isinstance(given, str):
        raise ClientRequestError(
            "Invalid type for 'conversation': expected a string or an object with an id.",
            "conversation",
        )
    return given or None
