"""One request, and what it leans on."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from addon.neutral import ClientRequestError
from addon.stateful.documents import Entry
from addon.stateful.items import split_input
from addon.wire.codec import decode
from addon.wire.json_edit import edit_object, members


class Turn(msgspec.Struct, kw_only=True):
    """One request and what it leans on."""

    request: bytes
    """As the agent wrote it."""
    body: bytes
    """The same with its whole input, leaning on nothing."""
    stores: bool = True
    """Whether the response is to be kept."""
    background: bool = False
    """Whether the response is to be made also when nobody waits for it."""
    previous: str | None = None
    """The response that it goes on from."""
    conversation: str | None = None
    """The conversation that it belongs to."""
    keepers: frozenset[str] = frozenset()
    """Ids of the providers that keep what it leans on; empty: it is kept here alone."""
    past: list[bytes] = []
    """What was said before, as it stands in `body`."""
    before: list[Entry] = []
    """What the conversation held."""
    brought: list[bytes] | None = None
    """The request's own items with references resolved; None: as they stand in `request`."""

    @property
    def leans(self) -> bool:
        """Whether the request leans on anything that is stored."""
        return self.body is not self.request

    def stateless(self) -> bytes:
        """Return the whole request without a word of keeping anything."""
        if b'"store"' not in self.body and b'"background"' not in self.body:
            return self.body
        unspoken: dict[str, bytes | None] = {"background": None}
        if self.stores:
            unspoken["store"] = None
        return edit_object(self.body, unspoken)

    def own_items(self) -> list[bytes]:
        """Return the items that the request brought.

        Raises:
            ClientRequestError: Its input cannot be read.
        """
        if self.brought is None:
            return split_input(read_fields(self.request).get("input", b"null"))
        return self.brought


def read_fields(body: bytes) -> dict[str, bytes]:
    """Return the members of a request, undecoded.

    Raises:
        ClientRequestError: It is not a JSON object.
    """
    try:
        return {member.key: body[member.value_start : member.value_end] for member in members(body)}
    except ValueError:
        raise ClientRequestError("We could not parse the JSON body of your request.") from None


def read_text(fields: dict[str, bytes], key: str) -> str | None:
    """Read a member that is a text.

    Raises:
        ClientRequestError: It is something else.
    """
    value = _decode(fields, key)
    if value is not None and not isinstance(value, str):
        raise ClientRequestError(f"Invalid type for '{key}': expected a string.", key)
    return value or None


def read_conversation_id(fields: dict[str, bytes]) -> str | None:
    """Read `conversation`, which is an id or an object that has one.

    Raises:
        ClientRequestError: It is something else.
    """
    given: object = _decode(fields, "conversation")
    if isinstance(given, dict):
        given = cast("dict[str, object]", given).get("id")
    if given is not None and not isinstance(given, str):
        raise ClientRequestError(
            "Invalid type for 'conversation': expected a string or an object with an id.",
            "conversation",
        )
    return given or None


def _decode(fields: dict[str, bytes], key: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    try:
        return decode(fields.get(key, b"null"))
    except ValueError:
        raise ClientRequestError("We could not parse the JSON body of your request.") from None
