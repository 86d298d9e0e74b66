"""The addresses under which state is looked at and changed.

Follows https://platform.openai.com/docs/api-reference/responses and
https://platform.openai.com/docs/api-reference/conversations. Making a response is not among them:
a model is needed for that.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import unquote

import msgspec

type Action = Literal[
    "retrieve response",
    "delete response",
    "cancel response",
    "list input items",
    "create conversation",
    "retrieve conversation",
    "update conversation",
    "delete conversation",
    "list items",
    "create items",
    "retrieve item",
    "delete item",
]

_ACTIONS: dict[tuple[str, str], Action] = {
    ("GET", "/responses/*"): "retrieve response",
    ("DELETE", "/responses/*"): "delete response",
    ("POST", "/responses/*/cancel"): "cancel response",
    ("GET", "/responses/*/input_items"): "list input items",
    ("POST", "/conversations"): "create conversation",
    ("GET", "/conversations/*"): "retrieve conversation",
    ("POST", "/conversations/*"): "update conversation",
    ("DELETE", "/conversations/*"): "delete conversation",
    ("GET", "/conversations/*/items"): "list items",
    ("POST", "/conversations/*/items"): "create items",
    ("GET", "/conversations/*/items/*"): "retrieve item",
    ("DELETE", "/conversations/*/items/*"): "delete item",
}


class Operation(msgspec.Struct, frozen=True):
    """What is asked about a response or a conversation."""

    action: Action
    id: str = ""
    """Of the response or conversation."""
    item_id: str = ""

    @property
    def about_response(self) -> bool:
        """Whether it is about a response."""
        return self.action.endswith("response") or self.action == "list input items"


def read_operation(method: str, path: str) -> Operation | None:
    """Tell what an address asks for; None where it is not about state.

    Args:
        method: The HTTP method.
        path: The path without query, with `/v1`.
    """
    start, _, rest = path.rstrip("/").partition("/v1/")
    steps = rest.split("/")
    if start or steps[0] not in ("responses", "conversations"):
        return None
    # Ids stand at every second place.
    pattern = "".join("/*" if index % 2 else f"/{step}" for index, step in enumerate(steps))
    if steps[0] == "responses" and len(steps) == 2 and steps[1] in ("compact", "input_tokens"):
        return None
    action = _ACTIONS.get((method, pattern))
    if action is None:
        return None
    ids = [unquote(step) for step in steps[1::2]]
    return Operation(action, *ids)
