"""A rule's own changes to the agent's body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from addon.neutral import ClientRequestError
from addon.wire.codec import encode
from addon.wire.json_edit import edit_object


def apply_edits(body: bytes, set: Mapping[str, Any], drop: Iterable[str]) -> bytes:
    """Set and remove fields of a body, leaving every other byte as it was.

    Args:
        body: A JSON object.
        set: New values by field; fields that are not there are added.
        drop: Fields to remove; those that are not there do not matter.

    Raises:
        ClientRequestError: The body is not a JSON object.
    """
    changes: dict[str, bytes | None] = dict.fromkeys(drop)
    changes.update({name: encode(value) for name, value in set.items()})
    if not changes:
        return body
    try:
        return edit_object(body, changes)
    except ValueError as error:
        raise ClientRequestError(f"the body is not a JSON object: {error}") from None
