"""Responses that the provider keeps, for as long as it lives.

Page followed: https://platform.openai.com/docs/guides/conversation-state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from addon.embedded.refusal import Refusal

type Item = dict[str, Any]


@dataclass
class ResponseStore:
    """Responses by their ids, each with the whole input that led to it."""

    responses: dict[str, Item] = field(default_factory=dict[str, Item])
    inputs: dict[str, list[Item]] = field(default_factory=dict[str, "list[Item]"])
    items: dict[str, Item] = field(default_factory=dict[str, Item])
    """Every item of a stored output."""
    needed: dict[str, str] = field(default_factory=dict[str, str])
    """The reasoning item that a stored item must be sent back with, by their ids."""

    def keep(self, response: Item, conversation: list[Item]) -> None:
        """Remember a response and what led to it."""
        name = response["id"]
        self.responses[name] = response
        self.inputs[name] = conversation
        thought: str | None = None
        for item in response["output"]:
            self.items[item["id"]] = item
            if item["type"] == "reasoning":
                thought = item["id"]
            elif thought is not None:
                self.needed[item["id"]] = thought

    def find(self, name: str) -> Item:
        """Return a response.

        Raises:
            Refusal: There is none of this id.
        """
        if name not in self.responses:
            raise Refusal(f"Response with id '{name}' not found.", status=404)
        return self.responses[name]

    def remove(self, name: str) -> Item:
        """Forget a response; return the answer that tells of it.

        Raises:
            Refusal: There is none of this id.
        """
        self.find(name)
        del self.responses[name]
        return {"id": name, "object": "response", "deleted": True}

    def history(self, name: str) -> list[Item]:
        """Return the input and the output of a response, as the start of a conversation.

        Raises:
            Refusal: There is none of this id.
        """
        if name not in self.responses:
            raise Refusal(
                f"Previous response with id '{name}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return [*self.inputs[name], *self.responses[name]["output"]]

    def resolve(self, name: str) -> Item:
        """Return the item that a reference means.

        Raises:
            Refusal: There is none of this id.
        """
        if name not in self.items:
            raise Refusal(
                f"Item with id '{name}' not found. Items are not persisted when `store` is set to "
                "false. Try again with `store` set to true, or remove this item from your input.",
                status=404,
                param="input",
            )
        return self.items[name]
