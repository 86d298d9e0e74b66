"""Lists of items, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from addon.stateful.errors import StateError

_DEFAULT = 20
_MOST = 100


def page[Item](
    items: Sequence[Item],
    query: Mapping[str, str],
    name: Callable[[Item], str],
) -> tuple[list[Item], bool]:
    """Return the page that a query asks for, and whether there is more behind it.

    Args:
        items: The oldest first.
        query: `order` (`desc` unless said otherwise), `after` (an item's id), `limit`.
        name: Returns an item's id.

    Raises:
        StateError: The query is wrong.
    """
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise StateError(
            f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.",
            param="order",
            code="invalid_value",
        )
    ordered = list(items) if order == "asc" else list(items)[::-1]
    after = query.get("after")
    if after:
        names = [name(item) for item in ordered]
        if after not in names:
            raise StateError(f"Item with id '{after}' not found.", status=404, param="after")
        ordered = ordered[names.index(after) + 1 :]
    limit = _limit(query.get("limit"))
    return ordered[:limit], len(ordered) > limit


def render_list(shown: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    """Write a list object."""
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": more,
    }


def _limit(given: str | None) -> int:
    if not given:
        return _DEFAULT
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= _MOST:
        raise StateError(
            f"Invalid 'limit': expected a number from 1 to {_MOST}, but got '{given}' instead.",
            param="limit",
        )
    return int(given)
